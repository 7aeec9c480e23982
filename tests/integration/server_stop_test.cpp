// The end of a server and changes of its users, each while something is under way.
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "support/test_server.hpp"
#include "support/ws_bytes.hpp"

namespace clawws::test {
namespace {

using nlohmann::json;

// stop() on a thread of its own; the config's drain time bounds it.
std::future<void> stopping(TestServer& server) {
  auto stopped = std::async(std::launch::async, [&server] { server->stop(); });
  EXPECT_TRUE(eventually([&] { return server.logged().find("stopping") != std::string::npos; }));
  return stopped;
}

bool ends_within(std::future<void>& stopped, std::chrono::milliseconds limit) {
  return stopped.wait_for(limit) == std::future_status::ready;
}

TEST(ServerStop, WhoIsBehindGetsAllThatIsDueAndThenIsTold) {
  TestServer server([](server::ServerConfig& config) { config.drain = base::Millis(60'000); });
  auto behind = server.subscriber("/ws", {}, {4096, ""});
  ASSERT_TRUE(behind->read_text().has_value());
  constexpr std::size_t k_events = 2'000;
  server.publish(k_events, "agent.status", 1'500);
  auto stopped = stopping(server);
  for (std::size_t seq = 1; seq <= k_events; ++seq) {
    const auto text = behind->read_text();
    ASSERT_TRUE(text.has_value()) << "the stream ended before " << seq;
    ASSERT_EQ(json::parse(*text).value("seq", 0U), seq);
  }
  const auto close = behind->read_close();
  ASSERT_TRUE(close.has_value()) << "no close frame";
  EXPECT_EQ(close->close_code(), 1012U);
  behind->send(client_frame(0x88, std::string("\x03\xf4", 2)));
  behind->wait_end();
  EXPECT_TRUE(ends_within(stopped, k_patience));
}

TEST(ServerStop, ABodyThatNeverEndsHoldsUpNothing) {
  TestServer server([](server::ServerConfig& config) {
    config.drain = base::Millis(60'000);
    config.body_timeout = base::Millis(60'000);
  });
  RawPeer slow(server.port());
  ASSERT_TRUE(slow.handshake());
  const std::string request = TestServer::post(std::string(1'000, ' '));
  slow.send(request.substr(0, request.size() - 500));
  ASSERT_TRUE(eventually([&] { return server->counters().connections_open.load() == 1; }));
  auto stopped = stopping(server);
  EXPECT_TRUE(ends_within(stopped, k_patience));
}

TEST(ServerStop, AReloadMeanwhileIsPassedOver) {
  TestServer server([](server::ServerConfig& config) { config.drain = base::Millis(60'000); });
  auto held = server.subscriber("/ws", {}, {4096, ""});
  ASSERT_TRUE(held->read_text().has_value());
  server.publish(2'000, "agent.status", 1'500);
  auto stopped = stopping(server);
  server->reload();
  held->reset();
  EXPECT_TRUE(ends_within(stopped, k_patience));
  EXPECT_FALSE(std::filesystem::exists(server->state_directory() / "server.json"));
}

// What still waits to accept must not outlive the loops that its sockets belong to.
TEST(ServerStop, RightAfterAReload) {
  for (int round = 0; round < 10; ++round) {
    TestServer server;
    server->reload();
    server->stop();
  }
}

TEST(ServerUsers, WhoIsRemovedWhileItsUpgradeWaitsIsTold) {
  TestServer server;
  // The hub's one reader is kept busy, so that the upgrade waits for its starting place.
  std::promise<void> let_go;
  server->hub().locate_last(1, wire::Filter(), [&](const base::Result<std::uint64_t>&) { let_go.get_future().wait(); });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  peer.send(upgrade_request(basic(k_test_login), "/ws?last=1"));
  ASSERT_TRUE(eventually([&] { return server->counters().requests_running.load() == 1; }));
  server.dir().write(".env", "DASHBOARD_USERNAME=other\nDASHBOARD_PASSWORD='correct horse'\n");
  // Who logs in now is refused: the change is in force.
  ASSERT_TRUE(eventually([&] {
    return server.request("GET /clawws/ HTTP/1.1\r\nHost: localhost\r\n" + basic(k_test_login) + "\r\n").status == 401;
  }));
  let_go.set_value();
  const auto answer = peer.read_answer(k_patience, RawPeer::Body::none);
  ASSERT_TRUE(answer.has_value());
  if (answer->status == 101) {
    const auto close = peer.read_close();
    ASSERT_TRUE(close.has_value()) << "who is no user any more stays connected";
    EXPECT_EQ(close->close_code(), 4001U);
  } else {
    EXPECT_EQ(answer->status, 401);
  }
}

TEST(ServerUsers, TheCurlConfigFollowsAChangedPassword) {
  TestServer server([](server::ServerConfig& config) { config.env_file.clear(); });
  const auto conf = server->state_directory() / "curl.conf";
  ASSERT_TRUE(std::filesystem::exists(conf));
  ASSERT_TRUE(base::write_file_atomic(server->generated_password_file(), "another-good-password\n", 0600).has_value());
  EXPECT_TRUE(eventually([&] {
    const auto text = base::read_file(conf);
    return text && text->find("another-good-password") != std::string::npos;
  }));
}

}  // namespace
}  // namespace clawws::test
