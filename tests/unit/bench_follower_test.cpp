// A client that comes back: its place in the stream and its back-off, with messages as a server
// could have sent them.
#include "clawws/bench/follower.hpp"

#include <gtest/gtest.h>

#include "clawws/wire/message.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;
using Heard = Follower::Heard;

std::string event(std::uint64_t seq) {
  return R"({"type":"bench.sample","payload":{"run":"0a1b2c3d","seq":7},"seq":)" +
         std::to_string(seq) + "}";
}

std::string welcome(std::uint64_t seq, bool resumed = true, const char* epoch = "e") {
  wire::Welcome said;
  said.user_id = "u";
  said.server = "clawws/0.1.0";
  said.start = {epoch, seq, 1, resumed, resumed ? std::optional<std::uint64_t>(0) : std::nullopt};
  return wire::encode_welcome(said);
}

TEST(BenchFollower, FindsTheSeqOfAnEventAndOfNothingElse) {
  EXPECT_EQ(last_seq(event(8'813)), 8'813U);
  for (const char* text :
       {"", "}", "{\"seq\":5}}", "{\"type\":\"x\",\"payload\":{\"a\":1,\"seq\":5}}",
        "{\"type\":\"x\",\"seq\":5,\"prev\":3}", "{\"type\":\"x\",\"seq\":5",
        "{\"type\":\"x\",\"seq\":}", "{\"type\":\"x\",\"no\":5}",
        "{\"type\":\"x\",\"seq\":99999999999999999999}"})
    EXPECT_EQ(last_seq(text), std::nullopt) << text;
  EXPECT_EQ(last_seq(welcome(5)), std::nullopt);
  EXPECT_EQ(last_seq(wire::encode_pong(0, "null", "e", 5)), std::nullopt);
}

TEST(BenchFollower, ComesBackToWhereItWasAndTellsReplayedFromLive) {
  Follower follower(1, Nanos(0));
  EXPECT_EQ(follower.message(welcome(10), milliseconds(1)), Heard::other);
  EXPECT_TRUE(follower.caught_up());
  EXPECT_EQ(follower.message(event(11), milliseconds(2)), Heard::live);
  EXPECT_EQ(follower.begin(), "since=e:11");
  EXPECT_FALSE(follower.caught_up()) << "not before the first frame";
  EXPECT_EQ(follower.message(welcome(13), milliseconds(5)), Heard::other);
  EXPECT_EQ(follower.welcomed_at(), Nanos(milliseconds(5)));
  EXPECT_FALSE(follower.caught_up());
  EXPECT_EQ(follower.message(event(11), milliseconds(6)), Heard::duplicate);
  EXPECT_EQ(follower.message(event(12), milliseconds(6)), Heard::replayed);
  EXPECT_FALSE(follower.caught_up());
  EXPECT_EQ(follower.message(event(13), milliseconds(6)), Heard::replayed);
  EXPECT_TRUE(follower.caught_up());
  EXPECT_EQ(follower.message(event(14), milliseconds(7)), Heard::live);
  EXPECT_EQ(follower.gaps(), 0U);
}

TEST(BenchFollower, WhoMissedNothingIsBackWithTheFirstFrame) {
  Follower follower(1, Nanos(0));
  follower.message(welcome(10), milliseconds(1));
  EXPECT_EQ(follower.begin(), "since=e:10");
  follower.message(welcome(10), milliseconds(2));
  EXPECT_TRUE(follower.caught_up());
}

TEST(BenchFollower, CountsWhatTheServerSaysOrLeavesOut) {
  Follower follower(1, Nanos(0));
  follower.message(welcome(10), milliseconds(1));
  EXPECT_EQ(follower.message(event(13), milliseconds(2)), Heard::live);
  EXPECT_EQ(follower.gaps(), 1U) << "a hole in silence";
  follower.begin();
  follower.message(welcome(5, false, "f"), milliseconds(3));
  EXPECT_EQ(follower.gaps(), 2U) << "another epoch";
  EXPECT_EQ(follower.begin(), "since=f:0");
}

TEST(BenchFollower, WhatIsNoMessageIsAViolation) {
  for (const char* text : {"no JSON", "{\"type\":\"bench.sample\",\"seq\":1}"}) {
    Follower follower(1, Nanos(0));
    EXPECT_EQ(follower.message(text, Nanos(0)), Heard::violation) << text;
    EXPECT_FALSE(follower.problem().empty());
  }
}

TEST(BenchFollower, WaitsAsTailDoes) {
  const auto ending = net::passing(net::Phase::live, "gone");
  Follower follower(7, Nanos(0));
  follower.message(welcome(1), milliseconds(0));
  client::Reconnect tails({}, 7, base::SteadyTime{});
  tails.connected(base::SteadyTime{});
  for (int i = 0; i < 5; ++i) {
    const auto mine = follower.lost(ending, milliseconds(1'000 * i));
    const auto its = tails.failed(ending, base::SteadyTime{} + milliseconds(1'000 * i));
    EXPECT_TRUE(mine.again);
    EXPECT_EQ(mine.delay, its.delay) << i;
  }
  EXPECT_FALSE(follower.lost(net::close_ending(1008, ""), milliseconds(9'000)).again);
}

}  // namespace
}  // namespace clawws::bench
