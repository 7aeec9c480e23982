// U-rows: upgrades that are none, origins, and who somebody is.
#include <algorithm>

#include "conformance/fixture.hpp"

namespace clawws::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string k_start = "GET /ws HTTP/1.1\r\nHost: localhost\r\n";
const std::string k_upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string k_key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string k_version = "Sec-WebSocket-Version: 13\r\n";

std::string wrong(std::string_view user = "admin") {
  return basic(std::string(user) + ":wrong");
}
std::string origin(std::string_view value) {
  return "Origin: " + std::string(value) + "\r\n";
}

TEST_F(Conformance, U_01_U_02_key) {
  for (const char* key : {"", "abc", "!!!!!!!!!!!!!!!!!!!!!!!!", "dGhlIHNhbXBsZSBub25jZQ==x",
                          "dGhlIHNhbXBsZSBub25jZTEyMzQ1Njc4OTA="}) {
    EXPECT_EQ(status_of(k_start + k_upgrade + k_version + admin() + "Sec-WebSocket-Key: " + key +
                        "\r\n\r\n"),
              400)
        << key;
  }
  EXPECT_EQ(status_of(k_start + k_upgrade + k_version + admin() + k_key + k_key + "\r\n"), 400);
  EXPECT_EQ(status_of(k_start + k_upgrade + k_version + admin() + "\r\n"), 400);
}

TEST_F(Conformance, U_03_version) {
  for (const char* version : {"8", "13, 8", "12", "013"}) {
    RawPeer peer = connect();
    peer.send(k_start + k_upgrade + k_key + admin() + "Sec-WebSocket-Version: " + version +
              "\r\n\r\n");
    const auto answer = peer.read_answer().value();
    EXPECT_EQ(answer.status, 426) << version;
    EXPECT_EQ(answer.field("Sec-WebSocket-Version"), "13");
  }
  EXPECT_EQ(status_of(k_start + k_upgrade + k_key + admin() + k_version + k_version + "\r\n"), 400);
}

TEST_F(Conformance, U_04_version_missing) {
  const int status = status_of(k_start + k_upgrade + k_key + admin() + "\r\n");
  EXPECT_TRUE(status == 400 || status == 426) << status;
}

TEST_F(Conformance, U_05_method_version_and_no_upgrade_at_all) {
  const std::string rest = "Host: localhost\r\n" + k_upgrade + k_key + k_version + admin() + "\r\n";
  const int post = status_of("POST /ws HTTP/1.1\r\nContent-Length: 0\r\n" + rest);
  EXPECT_TRUE(post == 400 || post == 405) << post;
  EXPECT_EQ(status_of("GET /ws HTTP/1.0\r\n" + rest), 400);
  const int plain = ask("GET /ws", admin()).status;
  EXPECT_TRUE(plain == 400 || plain == 426) << plain;
  EXPECT_NE(status_of(k_start + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + k_key + k_version +
                      admin() + "\r\n"),
            101);
  EXPECT_NE(status_of(k_start + "Upgrade: websocket\r\n" + k_key + k_version + admin() + "\r\n"),
            101)
      << "Connection does not say Upgrade";
  EXPECT_EQ(status_of(k_start + "Upgrade: WebSocket\r\nConnection: keep-alive, uPgrade\r\n" +
                      k_key + k_version + admin() + "\r\n"),
            101);
}

TEST_F(Conformance, U_06_upgrade_with_a_body) {
  EXPECT_EQ(status_of(upgrade_request(admin() + "Content-Length: 5\r\n") + "hello"), 400);
  EXPECT_EQ(status_of(upgrade_request(admin() + "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"),
            400);
  EXPECT_EQ(status_of(upgrade_request(admin() + "Content-Length: 0\r\n")), 101);
}

TEST_F(Conformance, U_07_foreign_origin_before_the_password) {
  EXPECT_EQ(status_of(upgrade_request(admin() + origin("https://evil.example"))), 403);
  EXPECT_EQ(status_of(upgrade_request(wrong() + origin("https://evil.example"))), 403);
  EXPECT_EQ(status_of(upgrade_request(origin("https://evil.example"))), 403);
  EXPECT_EQ(
      ask("POST /clawws/events", admin() + origin("https://evil.example"), event_json("x")).status,
      403);
  const std::string log = logged();
  const std::size_t said = log.find("--origin https://evil.example");
  EXPECT_NE(said, std::string::npos) << log;
  EXPECT_EQ(log.find("--origin https://evil.example", said + 1), std::string::npos) << "once a minute";
}

TEST_F(Conformance, U_08_origins) {
  serve([](server::ServerConfig& config) { config.origins = {"https://panel.example:8080"}; });
  for (const char* value :
       {"null", "https://localhost.evil", "https://evillocalhost", "http://localhost",
        "http://panel.example:8080", "https://panel.example", "https://panel.example:80801",
        "https://panel.example:8080.evil", "https://panel.example:8080/", "https://x@localhost",
        "localhost", "https://localhost:444", "https://localhost https://evil.example", "",
        "https://", "file://"}) {
    EXPECT_EQ(status_of(upgrade_request(admin() + origin(value))), 403) << value;
  }
  const int two = status_of(
      upgrade_request(admin() + origin("https://localhost") + origin("https://evil.example")));
  EXPECT_TRUE(two == 400 || two == 403) << two;
  for (const char* value : {"https://localhost", "https://localhost:443", "https://LOCALHOST",
                            "https://panel.example:8080"}) {
    EXPECT_EQ(status_of(upgrade_request(admin() + origin(value))), 101) << value;
  }
}

TEST_F(Conformance, U_09_no_credentials) {
  RawPeer peer = connect();
  peer.send(upgrade_request());
  const auto answer = peer.read_answer().value();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.field("WWW-Authenticate"), R"(Basic realm="Dashboard")");
  EXPECT_LT(answer.body.size(), 200U);
  const auto fetched = ask("GET /clawws/", "Sec-Fetch-Mode: cors\r\n");
  EXPECT_EQ(fetched.status, 401);
  EXPECT_EQ(fetched.field("WWW-Authenticate").value().rfind("ClawwsBasic", 0), 0U)
      << "a page's own fetch must not make the browser ask";
}

TEST_F(Conformance, U_10_wrong_password_and_unknown_user) {
  for (const std::string& fields : {wrong(), wrong("nobody")}) {
    RawPeer peer = connect();
    peer.send(upgrade_request(fields));
    const auto answer = peer.read_answer().value();
    EXPECT_EQ(answer.status, 401);
    EXPECT_TRUE(answer.field("WWW-Authenticate"));
  }
  EXPECT_EQ(status_of(upgrade_request(wrong("s3cret-typed-as-name"))), 401);
  EXPECT_EQ(logged().find("s3cret-typed-as-name"), std::string::npos);
}

TEST_F(Conformance, U_10_both_take_the_same_time) {
  // The hash costs far more than anything else here, so the medians tell whether both were hashed.
  write_file("costly", "known:" + make_hash("password", "$5$", 30'000) + "\n");
  serve([this](server::ServerConfig& config) { config.users_file = path_of("costly"); });
  const auto median = [&](const std::string& user, const std::string& address) {
    std::vector<std::chrono::steady_clock::duration> times;
    RawPeer peer = connect({.from_address = address});
    for (int i = 0; i < 9; ++i) {
      const auto start = std::chrono::steady_clock::now();
      peer.send(get("/clawws/", basic(user + ":wrong" + std::to_string(i))));
      EXPECT_EQ(peer.read_answer().value().status, 401);
      times.push_back(std::chrono::steady_clock::now() - start);
    }
    std::nth_element(times.begin(), times.begin() + 4, times.end());
    return times[4];
  };
  const auto known = median("known", "127.0.0.21");
  const auto unknown = median("nobody", "127.0.0.22");
  EXPECT_LT(known, unknown * 3);
  EXPECT_LT(unknown, known * 3);
}

TEST_F(Conformance, U_11_basic) {
  EXPECT_EQ(status_of(upgrade_request("Authorization: Basic !!!\r\n")), 401);
  EXPECT_EQ(status_of(upgrade_request("Authorization: Basic\r\n")), 401);
  EXPECT_EQ(status_of(upgrade_request("Authorization: Digest x\r\n")), 401);
  EXPECT_EQ(status_of(upgrade_request(basic("admin"))), 401) << "no colon";
  EXPECT_EQ(status_of(upgrade_request(basic("admin:changeme\0"s + std::string("x")))), 401);
  EXPECT_EQ(status_of(upgrade_request(basic("admin:" + std::string(100 * 1024, 'a')))), 431);
  EXPECT_EQ(status_of(upgrade_request(basic("j\xC3\xB6rg:p\xC3\xA4:ss:w\xC3\xB6rd"))), 101);
  EXPECT_EQ(status_of(upgrade_request(basic("j\xC3\xB6rg:p\xC3\xA4"))), 401)
      << "cut at the second colon";
}

TEST_F(Conformance, U_12_two_authorizations) {
  EXPECT_EQ(status_of(upgrade_request(admin() + wrong())), 400);
  EXPECT_EQ(status_of(upgrade_request(wrong() + admin())), 400);
  EXPECT_EQ(status_of(upgrade_request(admin() + admin())), 400);
}

TEST_F(Conformance, U_13_clawpanel_subprotocol) {
  const std::string plain = base::base64_encode(k_odd_login);
  ASSERT_NE(plain.find_first_of("+/"), std::string::npos) << "differs in the two alphabets";
  ASSERT_EQ(plain.back(), '=');
  const std::string url = base::base64_encode(k_odd_login, base::Base64::url);
  const std::string unpadded = plain.substr(0, plain.find('='));
  for (const std::string& credential : {plain, unpadded, url}) {
    RawPeer peer = connect();
    peer.send(upgrade_request("Sec-WebSocket-Protocol: clawpanel, " + credential + "\r\n"));
    const auto answer = peer.read_answer().value();
    EXPECT_EQ(answer.status, 101) << credential;
    EXPECT_EQ(answer.field("Sec-WebSocket-Protocol"), "clawpanel");
    EXPECT_EQ(answer.head.find(unpadded), std::string::npos) << "the credential comes back";
    EXPECT_EQ(read_json(peer).value()["type"], "auth.success");
  }
  EXPECT_EQ(status_of(upgrade_request("Sec-WebSocket-Protocol: clawpanel, d3Jvbmc6eA\r\n")), 401);
}

TEST_F(Conformance, U_14_unknown_subprotocols) {
  const std::string credential = base::base64_encode(k_admin_login);
  for (const std::string& offered : {credential, "x, y"s}) {
    for (const auto& [fields, status] : {std::pair(""s, 401), std::pair(admin(), 400)}) {
      RawPeer peer = connect();
      peer.send(upgrade_request(fields + "Sec-WebSocket-Protocol: " + offered + "\r\n"));
      const auto answer = peer.read_answer().value();
      EXPECT_EQ(answer.status, status) << offered;
      EXPECT_EQ((answer.head + answer.body).find(credential), std::string::npos);
    }
  }
  for (const char* offered :
       {"Sec-WebSocket-Protocol: x, clawws.v1\r\n",
        "Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: clawws.v1\r\n"}) {
    RawPeer peer = connect();
    peer.send(upgrade_request(admin() + offered));
    EXPECT_EQ(peer.read_answer().value().field("Sec-WebSocket-Protocol"), "clawws.v1");
  }
  EXPECT_EQ(logged().find(credential), std::string::npos);
}

TEST_F(Conformance, U_15_secrets_in_the_query) {
  for (const char* name : {"token", "password", "auth"}) {
    const std::string target = "/ws?"s + name + "=s3cretvalue";
    EXPECT_EQ(status_of(upgrade_request({}, target)), 401) << name;
    EXPECT_EQ(status_of(upgrade_request(admin(), target)), 101) << name;
    EXPECT_EQ(status_of(upgrade_request(admin(), target + "%zz")), 400) << name;
  }
  EXPECT_EQ(logged().find("s3cretvalue"), std::string::npos);
}

TEST_F(Conformance, U_16_U_17_failures_are_limited_by_the_real_address) {
  EXPECT_EQ(status_of(upgrade_request(admin())), 101) << "is remembered from now on";
  for (int i = 0; i < 10; ++i) {
    const std::string forged = "X-Forwarded-For: 127.0.1." + std::to_string(i) + "\r\n";
    EXPECT_EQ(status_of(upgrade_request(basic("admin:wrong" + std::to_string(i)) + forged)), 401);
  }
  RawPeer peer = connect();
  peer.send(upgrade_request(basic("admin:wrong10") + "X-Forwarded-For: 127.0.2.1\r\n"));
  const auto answer = peer.read_answer().value();
  EXPECT_EQ(answer.status, 429);
  EXPECT_GE(std::atoi(answer.field("Retry-After").value_or("0").c_str()), 1);
  EXPECT_EQ(status_of(upgrade_request(admin())), 101) << "remembered ones always pass";
  EXPECT_EQ(logged().find("127.0.1."), std::string::npos) << "an address that was only claimed";
}

TEST_F(Conformance, U_18_extensions_that_are_wrong) {
  std::string fifty = "permessage-deflate";
  for (int i = 0; i < 50; ++i) fifty += ", permessage-deflate; client_max_window_bits";
  for (const std::string& offered :
       {"permessage-deflate; server_max_window_bits=99"s,
        "permessage-deflate; client_max_window_bits; client_max_window_bits"s, fifty, ";;=,"s}) {
    RawPeer peer = connect();
    peer.send(upgrade_request(admin() + "Sec-WebSocket-Extensions: " + offered + "\r\n"));
    const auto answer = peer.read_answer().value();
    EXPECT_TRUE(answer.status == 101 || answer.status == 400) << offered;
    EXPECT_FALSE(answer.field("Sec-WebSocket-Extensions"));
  }
}

TEST_F(Conformance, U_19_credentials_that_end) {
  serve();
  RawPeer removed = open_session({}, basic("viewer:viewer-password"));
  RawPeer changed = open_session({}, basic(k_odd_login));
  RawPeer stays = open_session();
  write_users({{"admin", std::string(k_admin_password)}, {std::string(k_odd_user), "another"}});
  const auto start = std::chrono::steady_clock::now();
  reload();
  EXPECT_EQ(close_code_of(removed), 4001U);
  EXPECT_EQ(close_code_of(changed), 4001U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  stays.send(client_text(R"({"type":"ping"})"));
  EXPECT_EQ(read_json(stays).value()["type"], "pong");
  EXPECT_EQ(status_of(upgrade_request(basic("viewer:viewer-password"))), 401)
      << "what was remembered is forgotten";
}

}  // namespace
}  // namespace clawws::test
