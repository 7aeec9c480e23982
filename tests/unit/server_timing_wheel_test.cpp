#include "clawws/server/timing_wheel.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace clawws::server {
namespace {

using base::Millis;
using base::SteadyTime;

const SteadyTime k_start{std::chrono::hours(1)};
constexpr Millis k_tick = TimingWheel::k_tick;
constexpr Millis k_turn = k_tick * 256;

struct Timer final : TimingWheel::Entry {
  explicit Timer(std::function<void(SteadyTime)> what = {}) : action(std::move(what)) {}
  void on_timer(SteadyTime now) override {
    fired.push_back(now);
    if (action) action(now);
  }
  std::function<void(SteadyTime)> action;
  std::vector<SteadyTime> fired;
};

TEST(ServerTimingWheel, FiresNeverEarlyAndAtMostATickLate) {
  TimingWheel wheel(k_start);
  Timer timer;
  wheel.schedule(timer, k_start + Millis(1'001));
  EXPECT_TRUE(timer.scheduled());
  wheel.advance(k_start + Millis(1'000));
  EXPECT_TRUE(timer.fired.empty());
  wheel.advance(k_start + Millis(1'199));
  EXPECT_TRUE(timer.fired.empty());
  wheel.advance(k_start + Millis(1'200));
  ASSERT_EQ(timer.fired.size(), 1U);
  EXPECT_EQ(timer.fired[0], k_start + Millis(1'200)) << "it is told the present time";
  EXPECT_FALSE(timer.scheduled());
  wheel.advance(k_start + k_turn * 3);
  EXPECT_EQ(timer.fired.size(), 1U);
}

TEST(ServerTimingWheel, AnExactTickIsOnTime) {
  TimingWheel wheel(k_start);
  Timer exact;
  Timer just_after;
  wheel.schedule(exact, k_start + k_tick * 3);
  wheel.schedule(just_after, k_start + k_tick * 3 + std::chrono::nanoseconds(1));
  wheel.advance(k_start + k_tick * 3);
  EXPECT_EQ(exact.fired.size(), 1U);
  EXPECT_EQ(just_after.fired.size(), 0U);
  wheel.advance(k_start + k_tick * 4);
  EXPECT_EQ(just_after.fired.size(), 1U);
}

TEST(ServerTimingWheel, DeadlinesBeyondOneTurnWaitForTheirOwn) {
  TimingWheel wheel(k_start);
  Timer near;
  Timer far;
  Timer farther;
  wheel.schedule(near, k_start + k_tick * 5);
  wheel.schedule(far, k_start + k_tick * 5 + k_turn);
  wheel.schedule(farther, k_start + k_tick * 5 + k_turn * 7);
  wheel.advance(k_start + k_tick * 5);
  EXPECT_EQ(near.fired.size() + far.fired.size() + farther.fired.size(), 1U);
  wheel.advance(k_start + k_tick * 4 + k_turn);
  EXPECT_EQ(far.fired.size(), 0U);
  wheel.advance(k_start + k_tick * 5 + k_turn);
  EXPECT_EQ(far.fired.size(), 1U);
  wheel.advance(k_start + k_tick * 4 + k_turn * 7);
  EXPECT_EQ(farther.fired.size(), 0U);
  wheel.advance(k_start + k_turn * 20);
  EXPECT_EQ(farther.fired.size(), 1U);
}

TEST(ServerTimingWheel, APastDeadlineFiresWithTheNextTick) {
  TimingWheel wheel(k_start);
  wheel.advance(k_start + k_tick * 10);
  Timer timer;
  wheel.schedule(timer, k_start - std::chrono::hours(5));
  wheel.advance(k_start + k_tick * 10);
  EXPECT_TRUE(timer.fired.empty());
  wheel.advance(k_start + k_tick * 11);
  EXPECT_EQ(timer.fired.size(), 1U);
}

TEST(ServerTimingWheel, SchedulingAgainMovesIt) {
  TimingWheel wheel(k_start);
  Timer timer;
  wheel.schedule(timer, k_start + k_tick * 2);
  wheel.schedule(timer, k_start + k_tick * 9);
  wheel.advance(k_start + k_tick * 8);
  EXPECT_TRUE(timer.fired.empty());
  wheel.advance(k_start + k_tick * 9);
  EXPECT_EQ(timer.fired.size(), 1U);
  timer.cancel();
  timer.cancel();
  wheel.schedule(timer, k_start + k_tick * 12);
  timer.cancel();
  EXPECT_FALSE(timer.scheduled());
  wheel.advance(k_start + k_tick * 20);
  EXPECT_EQ(timer.fired.size(), 1U);
}

TEST(ServerTimingWheel, AFiringEntryMayScheduleItselfAgain) {
  TimingWheel wheel(k_start);
  Timer timer;
  timer.action = [&](SteadyTime now) { wheel.schedule(timer, now + k_turn); };  // the same slot
  wheel.schedule(timer, k_start + k_tick);
  wheel.advance(k_start + k_tick);
  EXPECT_EQ(timer.fired.size(), 1U);
  wheel.advance(k_start + k_turn);
  EXPECT_EQ(timer.fired.size(), 1U);
  wheel.advance(k_start + k_turn + k_tick);
  EXPECT_EQ(timer.fired.size(), 2U);
}

TEST(ServerTimingWheel, AFiringEntryMayDestroyItselfAndCancelOrMoveOthers) {
  TimingWheel wheel(k_start);
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 6; ++i) {
    timers.push_back(std::make_unique<Timer>());
    wheel.schedule(*timers.back(), k_start + k_tick * 4);
  }
  timers[0]->action = [&](SteadyTime) { timers[3].reset(); };
  timers[1]->action = [&](SteadyTime) {
    timers[2]->cancel();
    wheel.schedule(*timers[4], k_start + k_tick * 6);
    timers[1].reset();
  };
  wheel.advance(k_start + k_tick * 4);
  EXPECT_EQ(timers[0]->fired.size(), 1U);
  EXPECT_EQ(timers[2]->fired.size(), 0U);
  EXPECT_EQ(timers[4]->fired.size(), 0U);
  EXPECT_EQ(timers[5]->fired.size(), 1U);
  wheel.advance(k_start + k_tick * 6);
  EXPECT_EQ(timers[4]->fired.size(), 1U);
  EXPECT_EQ(timers[2]->fired.size(), 0U);
}

TEST(ServerTimingWheel, EntriesMayOutliveTheWheel) {
  Timer first;
  Timer second;
  {
    TimingWheel wheel(k_start);
    wheel.schedule(first, k_start + k_tick);
    wheel.schedule(second, k_start + k_tick);
  }
  first.cancel();
  EXPECT_FALSE(first.scheduled());
}

TEST(ServerTimingWheel, ManyRandomDeadlinesEachFireOnceInTheirTick) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  TimingWheel wheel(k_start);
  std::vector<std::unique_ptr<Timer>> timers;
  std::vector<SteadyTime> deadlines;
  for (int i = 0; i < 2'000; ++i) {
    deadlines.push_back(k_start +
                        Millis(1 + static_cast<std::int64_t>(random() % (3 * k_turn.count()))));
    timers.push_back(std::make_unique<Timer>());
    wheel.schedule(*timers.back(), deadlines.back());
  }
  SteadyTime now = k_start;
  while (now < k_start + 3 * k_turn + k_tick) {
    now += Millis(1 + static_cast<std::int64_t>(random() % 700));
    wheel.advance(now);
    for (std::size_t i = 0; i < timers.size(); ++i) {
      if (deadlines[i] + k_tick <= now) {
        ASSERT_EQ(timers[i]->fired.size(), 1U) << "late";
      }
      if (deadlines[i] > now) {
        ASSERT_EQ(timers[i]->fired.size(), 0U) << "early";
      }
    }
  }
}

}  // namespace
}  // namespace clawws::server
