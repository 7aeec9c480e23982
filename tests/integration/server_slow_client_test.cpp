// Clients that read slowly or not at all: nothing is skipped, nothing is pinned, and who takes no byte
// for the lag time is ended while the others go on.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/test_server.hpp"
#include "support/ws_bytes.hpp"

namespace clawws::test {
namespace {

using nlohmann::json;

constexpr PeerOptions k_small_buffer{4096, ""};

void expect_in_order(RawPeer& peer, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = first; seq <= last; ++seq) {
    const auto text = peer.read_text();
    ASSERT_TRUE(text.has_value()) << "the stream ended before " << seq;
    const json event = json::parse(*text);
    ASSERT_EQ(event.value("seq", 0U), seq) << event;
  }
}

TEST(ServerSlowClient, AStalledReaderThatGoesOnMissesNothing) {
  TestServer server([](server::ServerConfig& config) {
    config.log_memory_bytes = 1u << 20;
    config.max_lag_time = base::Millis(600'000);
  });
  auto stalled = server.subscriber("/ws", {}, k_small_buffer);
  auto filtered = server.subscriber("/ws?types=agent.*", {}, k_small_buffer);
  ASSERT_TRUE(stalled->read_text().has_value());
  ASSERT_TRUE(filtered->read_text().has_value());
  // Many times the log in memory: the segment under the pending write is evicted.
  server.publish(6'000, "agent.status", 1'500);
  expect_in_order(*stalled, 1, 6'000);
  expect_in_order(*filtered, 1, 6'000);
  server.publish(10);
  expect_in_order(*stalled, 6'001, 6'010);
  expect_in_order(*filtered, 6'001, 6'010);
}

TEST(ServerSlowClient, FramesLargerThanARecordArriveWhole) {
  TestServer server([](server::ServerConfig& config) { config.log_memory_bytes = 1u << 20; });
  auto peer = server.subscriber("/ws?since=earliest", {}, k_small_buffer);
  ASSERT_TRUE(peer->read_text().has_value());
  server.publish(60, "agent.status", 60'000);
  // Control frames come between such frames, never inside one.
  for (int i = 0; i < 20; ++i) peer->send(client_text(R"({"type":"ping","timestamp":1})"));
  std::uint64_t expected = 1;
  while (expected <= 60) {
    const auto text = peer->read_text();
    ASSERT_TRUE(text.has_value());
    const json message = json::parse(*text);
    if (message["type"] == "pong") {
      EXPECT_LT(message["payload"]["seq"], 61);
      continue;
    }
    ASSERT_EQ(message["seq"], expected++);
  }
}

TEST(ServerSlowClient, WhoTakesNoByteIsEndedAndTheOthersGoOn) {
  TestServer server([](server::ServerConfig& config) {
    config.log_memory_bytes = 1u << 20;
    config.max_lag_time = base::Millis(1'500);
  });
  auto dead = server.subscriber("/ws", {}, k_small_buffer);
  auto healthy = server.subscriber();
  ASSERT_TRUE(healthy->read_text().has_value());
  std::uint64_t next = 1;
  ASSERT_TRUE(eventually([&] {
    // So few at once that the kernel has room for all of them while this thread does not read.
    server.publish(40, "agent.status", 1'500);
    expect_in_order(*healthy, next, next + 39);
    next += 40;
    return server->counters().sessions_slow.load() == 1;
  }));
  EXPECT_EQ(server->counters().sessions_open.load(), 1U);
  EXPECT_NE(server.logged().find("slow client ended"), std::string::npos);
  EXPECT_NE(server.logged().find("code=4008"), std::string::npos);
  server.publish(1);
  expect_in_order(*healthy, next, next);
}

TEST(ServerSlowClient, APlaceThatFellOutOfRetentionIsToldBy4008) {
  TestServer server([](server::ServerConfig& config) {
    config.log_memory_bytes = 1u << 20;
    config.retention.events = 100;
    config.max_lag_time = base::Millis(600'000);
  });
  auto stalled = server.subscriber("/ws", {}, k_small_buffer);
  ASSERT_TRUE(stalled->read_text().has_value());
  server.publish(6'000, "agent.status", 1'500);
  const auto close = stalled->read_close();
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->close_code(), 4008U);
  EXPECT_NE(close->close_reason().find("no longer kept"), std::string::npos);
}

}  // namespace
}  // namespace clawws::test
