#include "clawws/client/meta.hpp"

#include <gtest/gtest.h>

namespace clawws::client {
namespace {

constexpr std::int64_t k_now = 1'771'684'200'000;
const std::string k_at = R"(","timestamp":"2026-02-21T14:30:00.000Z","payload":)";

TEST(ClientMeta, SaysThatItIsConnected) {
  wire::ServerMessage welcome{};
  welcome.server = "clawws/0.1.0";
  welcome.user_id = "admin";
  welcome.start = {"k3f9c2a1", 8812, 812, true, 0};
  EXPECT_EQ(connected_record(k_now, "wss://h:1/ws", welcome),
            R"({"type":"clawws.connected)" + k_at +
                R"({"url":"wss://h:1/ws","server":"clawws/0.1.0","user":"admin",)"
                R"("newest":"k3f9c2a1:8812","resumed":true}})");
}

TEST(ClientMeta, SaysThatItIsNot) {
  EXPECT_EQ(disconnected_record(k_now, "link \"lost\" \xff", base::Millis(210)),
            R"({"type":"clawws.disconnected)" + k_at +
                "{\"reason\":\"link \\\"lost\\\" \xef\xbf\xbd\",\"retryInMs\":210}}");
  EXPECT_EQ(disconnected_record(k_now, "revoked", std::nullopt),
            R"({"type":"clawws.disconnected)" + k_at + R"({"reason":"revoked","retryInMs":null}})");
}

TEST(ClientMeta, SaysWhatIsLost) {
  const auto record = [](Gap gap) { return gap_record(k_now, gap); };
  const std::string begin = R"({"type":"clawws.gap)" + k_at;
  EXPECT_EQ(record({Gap::Cause::retention, 3, {"e1", 4}, {"e1", 7}, 20}),
            begin + R"({"cause":"retention","lost":3,"from":"e1:4","to":"e1:7"}})");
  EXPECT_EQ(record({Gap::Cause::new_epoch, std::nullopt, {"e1", 4}, {"e2", 0}, 9}),
            begin + R"({"cause":"new_epoch","lost":null,"from":"e1:4","to":"e2:0"}})");
  EXPECT_EQ(record({Gap::Cause::ahead, std::nullopt, {"e1", 90}, {"e1", 0}, 9}),
            begin + R"({"cause":"ahead","lost":null,"from":"e1:90","to":"e1:0"}})");
  // The event that shows a hole is itself not lost.
  EXPECT_EQ(record({Gap::Cause::hole, 2, {"e1", 4}, {"e1", 7}, 0}),
            begin + R"({"cause":"hole","lost":2,"from":"e1:4","to":"e1:6"}})");
}

TEST(ClientMeta, SaysThatItIsLive) {
  EXPECT_EQ(live_record(k_now, {3, false}, {"e1", 9}, {2, false}),
            R"({"type":"clawws.live)" + k_at + R"({"position":"e1:9","replayed":3,"lost":2}})");
  EXPECT_EQ(live_record(k_now, {0, true}, {"e1", 9}, {2, true}),
            R"({"type":"clawws.live)" + k_at + R"({"position":"e1:9","replayed":0,"lost":null}})");
}

}  // namespace
}  // namespace clawws::client
