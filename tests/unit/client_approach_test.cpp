// Where an attempt goes and as whom: above all, when the local server's password may be sent.
#include "clawws/client/approach.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "clawws/net/resolve.hpp"
#include "clawws/net/ws_client.hpp"
#include "support/temp_dir.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using Verify = net::ClientTlsConfig::Verify;

class ClientApproach : public testing::Test {
 protected:
  void SetUp() override {
    config.state_dir = dir.path();
    record.url = "wss://localhost:9443/ws";
    record.host = "127.0.0.1";
    record.port = 9443;
    record.pin = "sha256//AAAA";
    record.user = "admin";
    record.password_file = dir.write("password", "generated\n");
    record.pid = ::getpid();
    record.version = "0.1.0";
  }
  void record_server() { ASSERT_TRUE(net::write_server_record(dir.path(), record)); }
  Attempt prepare() {
    Approach approach(config, [](const char*) { return std::string(); });
    auto attempt = approach.prepare();
    EXPECT_TRUE(attempt) << attempt.error().message();
    return attempt ? *std::move(attempt) : Attempt{};
  }
  void go_to(const char* url) { config.url = parse_server_url(url).value(); }

  test::TempDir dir;
  net::ServerRecord record;
  ApproachConfig config;
};

constexpr const char* k_header = "Basic YWRtaW46Z2VuZXJhdGVk";  // admin:generated

TEST_F(ClientApproach, FindsTheLocalServer) {
  record_server();
  const Attempt attempt = prepare();
  EXPECT_EQ(attempt.target->url.text(), "wss://localhost:9443/ws");
  EXPECT_EQ(attempt.authorization, k_header);
  EXPECT_EQ(attempt.target->tls.verify, Verify::pin_only);
  EXPECT_EQ(attempt.target->tls.pins, std::vector<std::string>{record.pin});
  // localhost may be an address where something else listens.
  const auto addresses = net::known_addresses(attempt.target->url, attempt.target->resolve);
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses->front().address().to_string(), "127.0.0.1");
}

TEST_F(ClientApproach, GoesToTheDefaultPlaceWithoutOne) {
  const Attempt attempt = prepare();
  EXPECT_EQ(attempt.target->url.text(), "wss://localhost:8443/ws");
  EXPECT_EQ(attempt.authorization, "");
  EXPECT_EQ(attempt.target->tls.verify, Verify::full);
  Approach approach(config, [](const char*) { return std::string(); });
  EXPECT_NE(approach.search_note().find((dir.path() / "server.json").string() + ": No such file"),
            std::string::npos);
}

TEST_F(ClientApproach, KnowsTheLocalServerByHostAndPort) {
  record_server();
  for (const char* same :
       {"wss://localhost:9443/ws", "wss://127.0.0.1:9443", "https://LOCALHOST:9443/ws"}) {
    go_to(same);
    EXPECT_EQ(prepare().authorization, k_header) << same;
  }
  for (const char* other : {"wss://localhost:9444/ws", "wss://127.0.0.2:9443/ws",
                            "wss://panel.example:9443/ws", "wss://localhost/ws"}) {
    go_to(other);
    const Attempt attempt = prepare();
    EXPECT_EQ(attempt.authorization, "") << other;
    EXPECT_EQ(attempt.target->tls.verify, Verify::full) << other;
    EXPECT_TRUE(attempt.target->tls.pins.empty()) << other;
  }
}

TEST_F(ClientApproach, SendsNoLocalPasswordWithoutTheRecordedPin) {
  record_server();
  config.tls.verify = Verify::none;  // -k
  EXPECT_EQ(prepare().authorization, "");
  config.tls.pins = {"sha256//BBBB"};
  EXPECT_EQ(prepare().authorization, "");
  config.tls = {};
  config.tls.pins = {"sha256//BBBB"};
  const Attempt pinned = prepare();
  EXPECT_EQ(pinned.authorization, "");
  EXPECT_EQ(pinned.target->tls.pins, std::vector<std::string>{"sha256//BBBB"});
}

TEST_F(ClientApproach, ANamedCaIsAskedBesideThePin) {
  record_server();
  config.tls.ca_file = dir.write("ca.pem", "").string();
  Approach approach(config, [](const char*) { return std::string(); });
  const auto attempt = approach.prepare();
  ASSERT_FALSE(attempt);  // an empty file holds no certificate
  EXPECT_EQ(attempt.error().code, Errc::tls);
  EXPECT_NE(attempt.error().message().find("ca.pem"), std::string::npos);
}

TEST_F(ClientApproach, ARecordOfAProcessThatIsGoneCountsAsNone) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  record.pid = child;
  record_server();
  EXPECT_EQ(prepare().target->url.port, 8443);
  Approach approach(config, [](const char*) { return std::string(); });
  EXPECT_NE(approach.search_note().find("is gone"), std::string::npos) << approach.search_note();
}

// A server that restarts has no record for a moment; then another port, perhaps.
TEST_F(ClientApproach, StaysWithTheLocalServerWhileItRestarts) {
  record_server();
  Approach approach(config, [](const char*) { return std::string(); });
  ASSERT_TRUE(approach.prepare());
  net::remove_server_record(dir.path(), ::getpid());
  const auto away = approach.prepare();
  ASSERT_TRUE(away);
  EXPECT_EQ(away->target->url.port, 9443);
  EXPECT_EQ(away->target->tls.verify, Verify::pin_only);
  record.port = 9555;
  record.url = "wss://localhost:9555/ws";
  record_server();
  EXPECT_EQ(approach.prepare()->target->url.port, 9555);
}

TEST_F(ClientApproach, AServerThatBeganAfterwardsMakesItOutdated) {
  const Attempt early = prepare();
  ASSERT_TRUE(early.is_outdated);
  EXPECT_FALSE(early.is_outdated());
  record_server();
  EXPECT_TRUE(early.is_outdated());
  const Attempt later = prepare();
  EXPECT_FALSE(later.is_outdated());
  record.pin = "sha256//BBBB";
  record_server();
  EXPECT_TRUE(later.is_outdated());
  go_to("wss://elsewhere.example:9443/ws");
  EXPECT_FALSE(prepare().is_outdated()) << "the record is not about that server";
  config.tls.pins = {"sha256//CCCC"};
  EXPECT_FALSE(prepare().is_outdated) << "the caller decides";
}

TEST_F(ClientApproach, AsksNobodyOnceItRuns) {
  config.credentials.user = "admin";
  record_server();
  Approach approach(config, [](const char*) { return std::string(); });
  ASSERT_TRUE(approach.ask_now());  // the local server's own will do
  record.user = "somebody";
  record_server();
  const auto later = approach.prepare();
  ASSERT_FALSE(later);
  EXPECT_NE(later.error().message().find("no password for user 'admin': use --password-file"),
            std::string::npos)
      << later.error().message();
}

TEST_F(ClientApproach, LooksInThePlacesInOrder) {
  std::map<std::string, std::string> variables = {{"CLAWWS_STATE_DIR", "/a"},
                                                  {"XDG_STATE_HOME", "/x"}};
  const Environment environment = [&](const char* name) { return variables[name]; };
  using Paths = std::vector<std::filesystem::path>;
  EXPECT_EQ(state_directories({}, environment), (Paths{"/a", "/x/clawws", "/var/lib/clawws"}));
  EXPECT_EQ(state_directories(std::filesystem::path("/given"), environment), Paths{"/given"});
  variables.clear();
  EXPECT_EQ(state_directories({}, environment).front().filename(), "clawws");
  EXPECT_EQ(state_directories({}, environment).size(), 2u);
}

TEST(ClientUrls, AreReadAsPeopleWriteThem) {
  const auto text = [](const char* url) {
    const auto parsed = parse_url_or_host_port(url);
    return parsed ? parsed->text() : "error: " + parsed.error().message();
  };
  EXPECT_EQ(text("wss://h:8443"), "wss://h:8443/ws");
  EXPECT_EQ(text("wss://h/"), "wss://h/ws");
  EXPECT_EQ(text("https://h:1/panel/ws"), "wss://h:1/panel/ws");
  EXPECT_EQ(text("h:8443"), "wss://h:8443/ws");
  EXPECT_EQ(text("[::1]:8443"), "wss://[::1]:8443/ws");
  EXPECT_NE(text("ws://h").find("use wss://"), std::string::npos);
  EXPECT_NE(text("wss://h/ws?since=1").find("--since"), std::string::npos);
  for (const char* secret : {"wss://admin:s3cret@h/ws", "admin:s3cret@h:1"}) {
    EXPECT_NE(text(secret).find("--password-file"), std::string::npos) << text(secret);
    EXPECT_EQ(text(secret).find("s3cret"), std::string::npos) << text(secret);
  }
}

}  // namespace
}  // namespace clawws::client
