#include "clawws/client/liveness.hpp"

#include <gtest/gtest.h>

namespace clawws::client {
namespace {

using Action = Liveness::Action;
using base::Millis;

class ClientLiveness : public testing::Test {
 protected:
  void SetUp() override { liveness.start(at(0)); }
  static base::SteadyTime at(int millis) {
    return base::SteadyTime(std::chrono::hours(1) + Millis(millis));
  }

  Liveness liveness;
};

TEST_F(ClientLiveness, PingsEveryFifteenSeconds) {
  EXPECT_EQ(liveness.tick(at(14'999)), Action::none);
  EXPECT_EQ(liveness.tick(at(15'000)), Action::ping);
  EXPECT_EQ(liveness.tick(at(15'001)), Action::none);
  liveness.heard(at(15'010));
  EXPECT_EQ(liveness.tick(at(29'999)), Action::none);
  EXPECT_EQ(liveness.tick(at(30'000)), Action::ping);
}

TEST_F(ClientLiveness, ProbesOnceWhenAnAnswerIsMissing) {
  EXPECT_EQ(liveness.tick(at(15'000)), Action::ping);
  EXPECT_EQ(liveness.tick(at(19'999)), Action::none);
  EXPECT_EQ(liveness.tick(at(20'000)), Action::probe);
  EXPECT_EQ(liveness.tick(at(21'000)), Action::none);
  EXPECT_EQ(liveness.probe_ended(Liveness::Probe::failed), Liveness::Verdict::stay);
  EXPECT_EQ(liveness.tick(at(22'000)), Action::none);
  EXPECT_EQ(liveness.tick(at(29'999)), Action::none);
  EXPECT_EQ(liveness.tick(at(30'000)), Action::dead);
}

TEST_F(ClientLiveness, LeavesWhenTheProbeWorksAndTheLinkIsStillSilent) {
  liveness.tick(at(15'000));
  liveness.tick(at(20'000));
  EXPECT_EQ(liveness.probe_ended(Liveness::Probe::worked), Liveness::Verdict::leave);
}

TEST_F(ClientLiveness, StaysWhenTheLinkSpokeMeanwhile) {
  liveness.tick(at(15'000));
  liveness.tick(at(20'000));
  liveness.heard(at(20'100));
  EXPECT_EQ(liveness.probe_ended(Liveness::Probe::worked), Liveness::Verdict::stay);
  // The next silence may be probed again.
  EXPECT_EQ(liveness.tick(at(30'000)), Action::ping);
  EXPECT_EQ(liveness.tick(at(35'000)), Action::probe);
}

TEST_F(ClientLiveness, AnyByteKeepsItAlive) {
  for (int second = 1; second <= 100; ++second) {
    liveness.heard(at(second * 1'000));
    EXPECT_NE(liveness.tick(at(second * 1'000)), Action::dead);
  }
}

TEST_F(ClientLiveness, ConcludesNothingWhilePaused) {
  liveness.tick(at(15'000));
  liveness.pause();
  EXPECT_EQ(liveness.tick(at(500'000)), Action::none);
  EXPECT_EQ(liveness.probe_ended(Liveness::Probe::worked), Liveness::Verdict::stay);
  liveness.resume(at(500'000));
  // What waited in the kernel's buffers is read first, then the ping's answer.
  EXPECT_EQ(liveness.tick(at(500'001)), Action::ping);
  EXPECT_EQ(liveness.tick(at(504'999)), Action::none);
}

TEST_F(ClientLiveness, PingsAtOnceWhenSuspicious) {
  liveness.suspect();
  EXPECT_EQ(liveness.tick(at(1)), Action::ping);
}

}  // namespace
}  // namespace clawws::client
