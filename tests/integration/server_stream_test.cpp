// What a subscriber sees of the stream, over real TLS: order, resume, filters, positions, catch-up.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/test_server.hpp"
#include "support/ws_bytes.hpp"

namespace clawws::test {
namespace {

using nlohmann::json;

json next_text(RawPeer& peer) {
  const auto text = peer.read_text();
  if (!text) return json();
  return json::parse(*text);
}

json welcome_of(RawPeer& peer) {
  json first = next_text(peer);
  EXPECT_EQ(first.value("type", ""), "auth.success");
  return first.value("payload", json::object());
}

// Reads events until `last`; their seqs must follow each other from `first`.
void expect_events(RawPeer& peer, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = first; seq <= last; ++seq) {
    const json event = next_text(peer);
    ASSERT_TRUE(event.contains("seq")) << "instead of " << seq << ": " << event;
    ASSERT_EQ(event["seq"], seq);
  }
}

TEST(ServerStream, EveryClientGetsEveryEventInOrder) {
  // They are read one after the other: the last ones wait long.
  TestServer server([](server::ServerConfig& config) { config.max_lag_time = base::Millis(600'000); });
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 50; ++i) peers.push_back(server.subscriber());
  for (auto& peer : peers) EXPECT_EQ(welcome_of(*peer)["seq"], 0);
  server.publish(2500);
  for (auto& peer : peers) expect_events(*peer, 1, 2500);
  EXPECT_EQ(server->hub().frames_encoded(), 2500U);
}

TEST(ServerStream, ResumeGoesOnWithoutHole) {
  TestServer server;
  server.publish(100);
  const std::string epoch = server->hub().facts().epoch;
  auto peer = server.subscriber("/ws?since=" + epoch + ":40");
  const json welcome = welcome_of(*peer);
  EXPECT_EQ(welcome["resumed"], true);
  EXPECT_EQ(welcome["lost"], 0);
  EXPECT_EQ(welcome["behind"], 60);
  expect_events(*peer, 41, 100);
  server.publish(1);
  expect_events(*peer, 101, 101);
}

TEST(ServerStream, AnotherEpochIsSaidAndReadFromTheOldest) {
  TestServer server;
  server.publish(3);
  auto peer = server.subscriber("/ws?since=zzzzzzzz:2");
  const json welcome = welcome_of(*peer);
  EXPECT_EQ(welcome["resumed"], false);
  EXPECT_TRUE(welcome["lost"].is_null());
  EXPECT_EQ(welcome["oldest"], 1);
  expect_events(*peer, 1, 3);
}

TEST(ServerStream, PrunedPositionSaysHowManyAreLost) {
  TestServer server([](server::ServerConfig& config) { config.retention.events = 10; });
  server.publish(100);
  const std::string epoch = server->hub().facts().epoch;
  auto peer = server.subscriber("/ws?since=" + epoch + ":50");
  const json welcome = welcome_of(*peer);
  EXPECT_EQ(welcome["resumed"], false);
  EXPECT_EQ(welcome["lost"], 40);
  EXPECT_EQ(welcome["oldest"], 91);
  expect_events(*peer, 91, 100);
}

TEST(ServerStream, LastCountsWhatMatches) {
  TestServer server;
  server.publish(10);
  server.publish(3, "session.killed");
  server.publish(10);
  auto peer = server.subscriber("/ws?last=2&types=session.*");
  const json welcome = welcome_of(*peer);
  EXPECT_EQ(welcome["oldest"], 12);
  expect_events(*peer, 12, 13);
}

TEST(ServerStream, OlderThanTheLogComesFromTheStoreAndJoinsLive) {
  TestServer server([](server::ServerConfig& config) { config.log_memory_bytes = 1u << 20; });
  server.publish(20'000, "agent.status", 100);  // several times the log in memory
  auto peer = server.subscriber("/ws?since=earliest");
  welcome_of(*peer);
  expect_events(*peer, 1, 10'000);
  server.publish(500);
  expect_events(*peer, 10'001, 20'500);
}

TEST(ServerStream, FilteredEventsCarryPrevAlsoAcrossCatchUpAndLive) {
  TestServer server([](server::ServerConfig& config) { config.log_memory_bytes = 1u << 20; });
  for (int i = 0; i < 20; ++i) {
    server.publish(1, "session.created");
    server.publish(500, "agent.status", 200);
  }
  auto peer = server.subscriber("/ws?since=earliest&types=session.created");
  welcome_of(*peer);
  std::uint64_t previous = 0;
  const auto expect_next = [&](std::uint64_t seq) {
    const json event = next_text(*peer);
    ASSERT_EQ(event.value("seq", 0U), seq) << event;
    EXPECT_EQ(event["prev"], previous);
    previous = seq;
  };
  for (std::uint64_t i = 0; i < 20; ++i) expect_next(1 + 501 * i);
  server.publish(1, "session.created");
  // The view began at the log's end: it may not know of an earlier match.
  const json live = next_text(*peer);
  EXPECT_EQ(live["seq"], 10'021);
  EXPECT_LE(live["prev"], previous);
}

TEST(ServerStream, PongSaysWhereAQuietFilterIs) {
  TestServer server;
  auto peer = server.subscriber("/ws?types=session.*");
  welcome_of(*peer);
  server.publish(700);
  ASSERT_TRUE(eventually([&] {
    peer->send(client_text("{\"type\":\"ping\",\"timestamp\":\"t1\"}"));
    const json pong = next_text(*peer);
    EXPECT_EQ(pong["type"], "pong");
    EXPECT_EQ(pong["payload"]["receivedAt"], "t1");
    return pong["payload"]["seq"] == 700;
  }));
}

TEST(ServerStream, QuietFilterIsToldItsPositionUnasked) {
  TestServer server;
  auto peer = server.subscriber("/ws?types=session.*", "Sec-WebSocket-Protocol: clawws.v1\r\n");
  welcome_of(*peer);
  server.publish(1500);
  const json told = next_text(*peer);
  EXPECT_EQ(told["type"], "position");
  EXPECT_GT(told["payload"]["seq"], 1000);
}

TEST(ServerStream, SubscribeReplacesTheFilterAndSkipsNothing) {
  TestServer server;
  auto peer = server.subscriber("/ws?types=none.such");
  welcome_of(*peer);
  server.publish(5);
  peer->send(client_text(R"({"type":"subscribe","payload":{"types":["agent.status"],"since":"earliest"}})"));
  const json answer = next_text(*peer);
  EXPECT_EQ(answer["type"], "subscribed");
  EXPECT_EQ(answer["payload"]["types"], json::array({"agent.status"}));
  expect_events(*peer, 1, 5);
  peer->send(client_text(R"({"type":"unsubscribe","payload":{"types":["agent.status"]}})"));
  EXPECT_EQ(next_text(*peer)["payload"]["types"], json::array());
  server.publish(5);
  peer->send(client_text(R"({"type":"subscribe"})"));
  const json everything = next_text(*peer);
  EXPECT_EQ(everything["payload"]["types"], json::array({"*"}));
  server.publish(1);
  const json event = next_text(*peer);
  EXPECT_EQ(event["seq"], 11);
}

TEST(ServerStream, StopSendsWhatIsDueAndThen1012) {
  TestServer server;
  auto peer = server.subscriber();
  welcome_of(*peer);
  server.publish(100);
  server->stop();
  expect_events(*peer, 1, 100);
  const auto close = peer->read_close();
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->close_code(), 1012U);
}

}  // namespace
}  // namespace clawws::test
