// Users of the application behind the server: --auth-upstream.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "support/proxied_server.hpp"

namespace clawws::test {
namespace {

using namespace std::string_literals;

constexpr const char* k_no_login = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

// An application that lets in whoever shows credentials.
std::string any_login(const SeenRequest& request) {
  return request.count("Authorization") == 0 ? k_no_login : ok("x");
}
std::size_t occurrences(const std::string& text, std::string_view words) {
  std::size_t count = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
    ++count;
  return count;
}

std::string state(const std::string& credentials) { return ProxiedServer::get("/clawws/state", basic(credentials)); }

TEST(ServerAuthUpstream, TheApplicationSaysWhoMayComeIn) {
  RawUpstream app([](const SeenRequest& request) {
    const std::string authorization = "Authorization: " + request.field("Authorization") + "\r\n";
    if (authorization == basic("ann:secret")) return ok("{}");
    if (authorization == basic("sick:x")) return "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"s;
    if (authorization == basic("moved:x")) return "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"s;
    if (authorization == basic("barred:x")) return "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"s;
    return "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"s;
  });
  ProxiedServer server(app.url(), [](server::ServerConfig& config) {
    config.auth_upstream = "/api/auth/check?quick=1";
    config.threads = 2;
  });
  EXPECT_EQ(server.request(state("ann:secret")).status, 200);
  const auto seen = app.requests();
  ASSERT_EQ(seen.size(), 2U) << "and once without credentials";
  EXPECT_EQ(seen[1].line(), seen[0].line());
  EXPECT_EQ(seen[1].count("Authorization") + seen[1].count("X-Forwarded-For"), 0U);
  EXPECT_EQ(seen[0].line(), "GET /api/auth/check?quick=1 HTTP/1.1");
  EXPECT_EQ(seen[0].field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(seen[0].field("Host"), app.url().substr(7));
  EXPECT_NE(server.subscriber("/ws"), nullptr) << "a user of the file is looked up there";
  EXPECT_EQ(server.request(state("ann:secret")).status, 200);
  EXPECT_EQ(app.requests().size(), 2U) << "remembered";

  EXPECT_EQ(server.request(state("ann:wrong")).status, 401);
  EXPECT_EQ(server.request(state("barred:x")).status, 401);
  EXPECT_EQ(app.connections(), 1) << "one connection for all the questions";
  for (const char* unclear : {"sick:x", "moved:x"}) {
    const HttpAnswer answer = server.request(state(unclear));
    EXPECT_EQ(answer.status, 503) << unclear;
    EXPECT_TRUE(answer.field("Retry-After")) << unclear;
    EXPECT_FALSE(answer.field("WWW-Authenticate")) << unclear;
  }
  EXPECT_EQ(server.logged().find("secret"), std::string::npos);
  EXPECT_EQ(occurrences(server.logged(), "no clear word from the upstream"), 1U) << "once a minute";
  EXPECT_NE(server.logged().find("path=/api/auth/check status=500"), std::string::npos)
      << server.logged();

  const auto client = server.client();
  client->send(upgrade_request(basic("ann:secret")));
  EXPECT_EQ(client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{}).status, 101);
}

TEST(ServerAuthUpstream, AnApplicationThatIsAwayIsNoWrongPassword) {
  std::uint16_t port = 0;
  {
    RawUpstream app([](const SeenRequest&) { return ok("x"); });
    port = app.port();
  }
  ProxiedServer server("http://127.0.0.1:" + std::to_string(port), [](server::ServerConfig& config) {
    config.auth_upstream = "/check";
    config.env_file.clear();  // the application's users are enough
  });
  EXPECT_EQ(server.request(state("ann:secret")).status, 503);
  RawUpstream app(any_login, port);
  EXPECT_EQ(server.request(state("ann:secret")).status, 200) << "at once when it is back";
}

TEST(ServerAuthUpstream, APathThatNeedsNoLoginLetsNobodyIn) {
  std::atomic<bool> open{true}, sick{false};
  RawUpstream app([&](const SeenRequest& request) {
    if (open) return ok("welcome");
    if (sick && request.count("Authorization") == 0)
      return "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"s;
    return any_login(request);
  });
  ProxiedServer server(app.url(), [](server::ServerConfig& config) { config.auth_upstream = "/new?key=k"; });
  for (const char* user : {"ann:1", "ann:1", "bob:2"})
    EXPECT_EQ(server.request(state(user)).status, 503) << user;
  const std::string words =
      "--auth-upstream /new answers 200 to everybody; name a path that needs a login";
  EXPECT_EQ(occurrences(server.logged(), words), 1U) << server.logged();
  EXPECT_EQ(server.request(state(std::string(k_test_login))).status, 200) << "of the file";

  open = false;
  sick = true;
  EXPECT_EQ(server.request(state("ann:1")).status, 503) << "not known to need a login";
  sick = false;
  EXPECT_EQ(server.request(state("ann:1")).status, 200) << "at once when it is mended";
  EXPECT_EQ(server.request(state("bob:2")).status, 200);
  const auto seen = app.requests();
  const auto anonymous = std::count_if(seen.begin(), seen.end(), [](const SeenRequest& request) {
    return request.count("Authorization") == 0;
  });
  EXPECT_EQ(anonymous, 5) << "each time, until the answer was no";
}

TEST(ServerAuthUpstream, AConnectionThatEndsUnderAQuestionIsNoAnswer) {
  RawUpstream app([](UpstreamPeer& peer, int) {
    if (!peer.read_request()) return;
    peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    peer.read_request();
  });
  ProxiedServer server(app.url(), [](server::ServerConfig& config) { config.auth_upstream = "/check"; });
  EXPECT_EQ(server.request(state("a:1")).status, 401);
  EXPECT_EQ(server.request(state("b:1")).status, 401) << "asked again over a fresh one";
  EXPECT_EQ(app.connections(), 2);
}

}  // namespace
}  // namespace clawws::test
