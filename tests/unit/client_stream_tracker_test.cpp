#include "clawws/client/stream_tracker.hpp"

#include <gtest/gtest.h>

namespace clawws::client {
namespace {

using Kind = wire::ServerMessage::Kind;

wire::ServerMessage welcome(const std::string& epoch, std::uint64_t seq, std::uint64_t oldest = 1,
                            bool resumed = false, std::optional<std::uint64_t> lost = 0) {
  wire::ServerMessage message;
  message.kind = Kind::welcome;
  message.start = {epoch, seq, oldest, resumed, lost};
  return message;
}

wire::ServerMessage event(std::uint64_t seq, std::optional<std::uint64_t> prev = {}) {
  wire::ServerMessage message;
  message.kind = Kind::event;
  message.seq = seq;
  message.prev = prev;
  return message;
}

wire::ServerMessage position(const std::string& epoch, std::uint64_t seq) {
  wire::ServerMessage message;
  message.kind = Kind::pong;
  message.epoch = epoch;
  message.seq = seq;
  return message;
}

TEST(ClientStreamTracker, AsksForNothingAtFirstAndForItsPositionLater) {
  StreamTracker tracker({});
  EXPECT_EQ(tracker.begin(), "");
  const Step first = tracker.message(welcome("e1", 8));
  EXPECT_EQ(first.kind, Step::Kind::welcome);
  ASSERT_TRUE(first.caught_up);
  EXPECT_TRUE(first.caught_up->first);
  EXPECT_FALSE(tracker.wants_ping());
  EXPECT_EQ(tracker.begin(), "since=e1:8");
  tracker.message(welcome("e1", 8, 1, true));
  tracker.message(event(9));
  EXPECT_EQ(tracker.begin(), "since=e1:9");
}

TEST(ClientStreamTracker, SaysTypesAndWhereToBegin) {
  StreamRequest request;
  request.types = {"session.*", "agent.status"};
  request.last = 20;
  EXPECT_EQ(StreamTracker(request).begin(), "last=20&types=session.*,agent.status");
  request.last.reset();
  request.since.kind = wire::Since::Kind::earliest;
  EXPECT_EQ(StreamTracker(request).begin(), "since=earliest&types=session.*,agent.status");
  request.types.clear();
  request.since = {wire::Since::Kind::time, {}, 1'771'684'200'000};
  EXPECT_EQ(StreamTracker(request).begin(), "since=2026-02-21T14:30:00.000Z");
  request.since = {wire::Since::Kind::position, {"e1", 5}, 0};
  EXPECT_EQ(StreamTracker(request).begin(), "since=e1:5");
}

TEST(ClientStreamTracker, AsksTheSameAgainUntilItKnowsItsPlace) {
  StreamRequest request;
  request.last = 2;
  StreamTracker tracker(request);
  tracker.begin();
  EXPECT_FALSE(tracker.message(welcome("e1", 8)).caught_up);
  EXPECT_TRUE(tracker.wants_ping());
  // Lost before anything came: a resume from here would bring the whole log.
  EXPECT_EQ(tracker.begin(), "last=2");
  tracker.message(welcome("e1", 8));
  const Step older = tracker.message(event(7));
  EXPECT_EQ(older.kind, Step::Kind::event);
  EXPECT_TRUE(older.is_replay);
  EXPECT_FALSE(older.gap);
  EXPECT_EQ(tracker.begin(), "since=e1:7");
}

TEST(ClientStreamTracker, LearnsItsPlaceFromAPong) {
  StreamRequest request;
  request.since.kind = wire::Since::Kind::earliest;
  request.types = {"cron.*"};
  StreamTracker tracker(request);
  tracker.begin();
  tracker.message(welcome("e1", 8));
  EXPECT_FALSE(tracker.message(position("e1", 5)).caught_up);
  EXPECT_TRUE(tracker.message(position("e1", 8)).caught_up);
  EXPECT_EQ(tracker.begin(), "since=e1:8&types=cron.*");
}

TEST(ClientStreamTracker, DropsWhatItHasSeen) {
  StreamTracker tracker({});
  tracker.begin();
  tracker.message(welcome("e1", 2));
  tracker.message(event(3));
  tracker.begin();
  tracker.message(welcome("e1", 4, 1, true));
  EXPECT_EQ(tracker.message(event(2)).kind, Step::Kind::duplicate);
  EXPECT_EQ(tracker.message(event(3)).kind, Step::Kind::duplicate);
  const Step step = tracker.message(event(4));
  EXPECT_EQ(step.kind, Step::Kind::event);
  ASSERT_TRUE(step.caught_up);
  EXPECT_FALSE(step.caught_up->first);
  EXPECT_EQ(step.caught_up->replayed, 1u);
  EXPECT_FALSE(tracker.message(event(5)).is_replay);
}

TEST(ClientStreamTracker, CountsAsReplayedOnlyWhatIsOlderThanTheConnection) {
  StreamRequest request;
  request.types = {"cron.*"};
  StreamTracker tracker(request);
  tracker.begin();
  tracker.message(welcome("e1", 2));
  tracker.begin();
  tracker.message(welcome("e1", 6, 1, true));
  EXPECT_FALSE(tracker.message(event(4, 0)).caught_up);
  const Step live = tracker.message(event(9, 4));  // nothing of this filter up to 6
  ASSERT_TRUE(live.caught_up);
  EXPECT_FALSE(live.is_replay);
  EXPECT_EQ(live.caught_up->replayed, 1u);
}

TEST(ClientStreamTracker, TellsWhatIsLost) {
  StreamTracker tracker({});
  tracker.begin();
  tracker.message(welcome("e1", 2));
  tracker.begin();
  const Step step = tracker.message(welcome("e1", 30, 11, false, 8));
  ASSERT_TRUE(step.gap);
  EXPECT_EQ(step.gap->cause, Gap::Cause::retention);
  EXPECT_EQ(step.gap->lost, 8u);
  EXPECT_EQ(step.gap->from, (wire::Position{"e1", 2}));
  EXPECT_EQ(step.gap->to, (wire::Position{"e1", 10}));
  EXPECT_FALSE(tracker.message(event(11)).gap);
}

TEST(ClientStreamTracker, TellsAPositionThatTheLogHasNotReached) {
  StreamRequest request;
  request.since = {wire::Since::Kind::position, {"e1", 400}, 0};
  StreamTracker tracker(request);
  tracker.begin();
  const Step step = tracker.message(welcome("e1", 12, 1, false, std::nullopt));
  ASSERT_TRUE(step.gap);
  EXPECT_EQ(step.gap->cause, Gap::Cause::ahead);
  EXPECT_EQ(step.gap->newest, 12u);
  EXPECT_EQ(step.gap->from, (wire::Position{"e1", 400}));
}

TEST(ClientStreamTracker, KeepsCatchingUpAcrossALostConnection) {
  StreamRequest request;
  request.since = {wire::Since::Kind::position, {"e1", 1}, 0};
  StreamTracker tracker(request);
  EXPECT_FALSE(tracker.catching_up());
  tracker.begin();
  tracker.message(welcome("e1", 3, 1, true));
  tracker.message(event(2));
  tracker.begin();
  EXPECT_TRUE(tracker.catching_up());
  EXPECT_FALSE(tracker.wants_ping());
  EXPECT_EQ(tracker.target(), 3u);
  tracker.message(welcome("e1", 3, 1, true));
  tracker.message(event(3));
  EXPECT_FALSE(tracker.catching_up());
}

TEST(ClientStreamTracker, TellsThatTheLogBeganAnew) {
  StreamTracker tracker({});
  tracker.begin();
  tracker.message(welcome("e1", 200));
  tracker.begin();
  const Step step = tracker.message(welcome("e2", 0, 0, false, std::nullopt));
  ASSERT_TRUE(step.gap);
  EXPECT_EQ(step.gap->cause, Gap::Cause::new_epoch);
  EXPECT_FALSE(step.gap->lost);
  EXPECT_TRUE(step.caught_up);
  EXPECT_EQ(tracker.message(event(1)).kind, Step::Kind::event);
}

TEST(ClientStreamTracker, NothingIsLostWhenNothingIs) {
  StreamTracker tracker({});
  tracker.begin();
  tracker.message(welcome("e1", 2));
  tracker.begin();
  EXPECT_FALSE(tracker.message(welcome("e1", 2, 3, false, 0)).gap);
}

TEST(ClientStreamTracker, TellsHoles) {
  StreamTracker tracker({});
  tracker.begin();
  tracker.message(welcome("e1", 2));
  const Step hole = tracker.message(event(6));
  ASSERT_TRUE(hole.gap);
  EXPECT_EQ(hole.gap->cause, Gap::Cause::hole);
  EXPECT_EQ(hole.gap->lost, 3u);
  EXPECT_FALSE(tracker.message(event(10, 4)).gap);  // a filter passed over 7 to 9
  const Step filtered = tracker.message(event(20, 15));
  ASSERT_TRUE(filtered.gap);
  EXPECT_FALSE(filtered.gap->lost);
}

TEST(ClientStreamTracker, WantsTheWelcomeFirstAndOnce) {
  StreamTracker tracker({});
  tracker.begin();
  EXPECT_EQ(tracker.message(event(1)).kind, Step::Kind::violation);
  tracker.message(welcome("e1", 0));
  EXPECT_EQ(tracker.message(welcome("e1", 0)).kind, Step::Kind::violation);
  tracker.begin();
  EXPECT_EQ(tracker.message(position("e1", 1)).kind, Step::Kind::violation);
}

}  // namespace
}  // namespace clawws::client
