// Tickets, with which a page opens its WebSocket: who gets one, and what it opens.
#include <vector>

#include "conformance/fixture.hpp"

namespace clawws::test {
namespace {

using namespace std::string_literals;

const std::string k_own_page = "Origin: https://localhost\r\n";

class Tickets : public Conformance {
 protected:
  std::string ticket(const std::string& fields = admin()) {
    const HttpAnswer answer = ask("POST /clawws/tickets", fields);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const Json told = Json::parse(answer.body);
    EXPECT_EQ(told["expiresIn"], 30);
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    return told["ticket"];
  }
  int shown(const std::string& ticket, const std::string& fields = {}) {
    return status_of(upgrade_request(fields, "/ws?ticket=" + ticket));
  }
};

TEST_F(Tickets, One_use) {
  const std::string one = ticket();
  RawPeer peer = open_session({}, {}, "/ws?ticket=" + one);
  EXPECT_EQ(welcome()["userId"], "admin");
  EXPECT_EQ(shown(one), 401) << "used while its connection lives";
  peer.reset();
  EXPECT_EQ(shown(one), 401) << "and afterwards";
}

TEST_F(Tickets, Only_who_is_known_gets_one) {
  EXPECT_EQ(ask("POST /clawws/tickets").status, 401);
  EXPECT_EQ(ask("POST /clawws/tickets", basic("admin:wrong")).status, 401);
  EXPECT_EQ(ask("POST /clawws/tickets", admin() + "Origin: https://evil.example\r\n").status, 403);
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    RawPeer peer = connect();
    peer.send(method + " /clawws/tickets HTTP/1.1\r\nHost: localhost\r\n"s + admin() + "\r\n");
    const auto answer = peer.read_answer(k_patience, RawPeer::Body::none).value();
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.field("Allow"), "POST") << method;
  }
}

TEST_F(Tickets, None_that_was_never_given) {
  for (const char* text : {"", "x", "%00", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    const int alone = shown(text);
    EXPECT_TRUE(alone == 401 || alone == 400) << text;
    const int beside_a_password = shown(text, admin());
    EXPECT_EQ(beside_a_password, alone) << "the ticket decides: " << text;
  }
  EXPECT_EQ(status_of(upgrade_request({}, "/ws?ticket=a&ticket=b")), 400);
  RawPeer peer = connect();
  peer.send(upgrade_request("Sec-Fetch-Mode: websocket\r\n", "/ws?ticket=x"));
  EXPECT_EQ(
      peer.read_answer().value().field("WWW-Authenticate").value_or("").rfind("ClawwsBasic", 0),
      0U);
}

TEST_F(Tickets, Bound_to_the_page_that_asked) {
  serve([](server::ServerConfig& config) { config.origins = {"https://panel.example"}; });
  const std::string panel = "Origin: https://panel.example\r\n";
  EXPECT_EQ(shown(ticket(admin() + k_own_page), k_own_page), 101);
  EXPECT_EQ(shown(ticket(admin() + panel), panel), 101);
  EXPECT_EQ(shown(ticket(admin() + panel), k_own_page), 401);
  EXPECT_EQ(shown(ticket(admin() + k_own_page)), 401) << "without an Origin";
  const std::string tried = ticket(admin() + panel);
  EXPECT_EQ(shown(tried, k_own_page), 401);
  EXPECT_EQ(shown(tried, panel), 401) << "a try from elsewhere uses it up";
}

TEST_F(Tickets, Opens_nothing_but_a_websocket) {
  const std::string one = ticket();
  for (const char* path : {"/clawws/", "/clawws/state", "/clawws/events"}) {
    EXPECT_EQ(ask("GET "s + path + "?ticket=" + one).status, 401) << path;
  }
  EXPECT_EQ(shown(one), 101);
}

TEST_F(Tickets, Fifty_pages_of_one_user_come_back_at_once) {
  std::vector<std::string> given;
  for (int i = 0; i < 50; ++i) given.push_back(ticket());
  for (const std::string& one : given) EXPECT_EQ(shown(one), 101);
}

TEST_F(Tickets, End_with_the_password_they_were_given_for) {
  serve();
  const std::string changed = ticket(basic("viewer:viewer-password"));
  const std::string removed = ticket(basic(k_odd_login));
  const std::string stays = ticket();
  write_users({{"admin", std::string(k_admin_password)}, {"viewer", "another"}});
  reload();
  EXPECT_EQ(shown(changed), 401);
  EXPECT_EQ(shown(removed), 401);
  EXPECT_EQ(shown(stays), 101);
}

TEST_F(Tickets, A_session_of_one_ends_with_the_password) {
  serve();
  RawPeer peer = open_session({}, {}, "/ws?ticket=" + ticket(basic("viewer:viewer-password")));
  write_users({{"admin", std::string(k_admin_password)}});
  reload();
  EXPECT_EQ(close_code_of(peer), 4001U);
}

TEST_F(Tickets, Never_logged) {
  const std::string used = ticket();
  const std::string wrong_page = ticket();
  EXPECT_EQ(shown(used), 101);
  EXPECT_EQ(shown(used), 401);
  EXPECT_EQ(shown(wrong_page, k_own_page), 401);
  EXPECT_EQ(status_of(get("/ws?ticket=" + used)), 426);
  EXPECT_EQ(status_of(get("/..%2fws?ticket=" + used)), 400);
  EXPECT_NE(logged(), "");
  EXPECT_EQ(logged().find(used), std::string::npos);
  EXPECT_EQ(logged().find(wrong_page), std::string::npos);
}

}  // namespace
}  // namespace clawws::test
