// From tallies to distributions, with events as they could have reached two connections.
#include "clawws/bench/collect.hpp"

#include <gtest/gtest.h>

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;

// Two connections; event 0 is warm-up, 1 reached both after 1 and 3 ms, 2 one of them after 2 ms,
// 3 nobody. Two publishers take turns.
struct Case {
  BenchResult result;
  Tally canaries;
  Measure measure;
  std::vector<std::uint64_t> sent{2, 2};

  Case() {
    measure.publishers = 2;
    measure.warm_up = 1;
    measure.total = measure.split = 4;
    Tally& fleet = result.fleet;
    fleet.measured = 2;
    fleet.events = {
        {milliseconds(1), milliseconds(3), 2}, {milliseconds(2), milliseconds(2), 1}, {}};
    for (const int delay : {1, 3, 2}) fleet.delivery[0].record(milliseconds(delay));
    fleet.ledger = {6, 3, 3, 0, 0};
    fleet.p99s = {std::nullopt, Nanos(milliseconds(3)), Nanos(milliseconds(1))};
    canaries.delivery[0].record(milliseconds(4));
    canaries.delivery[1].record(milliseconds(5));
  }
  void run() { collect(result, canaries, measure, sent); }
};

TEST(BenchCollect, LossIsBeyondEverything) {
  Case c;
  c.run();
  EXPECT_EQ(c.result.delivery.values.count(), 3U);
  EXPECT_EQ(c.result.delivery.beyond, 3U);
  EXPECT_EQ(c.result.first.values.count(), 2U);
  EXPECT_EQ(c.result.first.values.max(), milliseconds(2));
  EXPECT_EQ(c.result.first.beyond, 1U);
  EXPECT_EQ(c.result.to_all.values.count(), 1U);
  EXPECT_EQ(c.result.to_all.values.max(), milliseconds(3));
  EXPECT_EQ(c.result.to_all.beyond, 2U);
  EXPECT_EQ(c.result.canary.values.count(), 2U);
}

TEST(BenchCollect, LossCanBeLeftOut) {
  Case c;
  c.result.plan.count_lost = CountLost::out;
  c.run();
  EXPECT_EQ(c.result.delivery.samples(), 3U);
  EXPECT_EQ(c.result.first.beyond, 0U);
  EXPECT_EQ(c.result.to_all.samples(), 1U);
}

TEST(BenchCollect, WhatWasNeverSentIsNoLoss) {
  Case c;
  c.sent = {2, 1};  // event 3 is number 1 of publisher 1
  c.run();
  EXPECT_EQ(c.result.first.beyond, 0U);
  EXPECT_EQ(c.result.to_all.beyond, 1U);
}

TEST(BenchCollect, FairnessIsOverTheConnections) {
  Case c;
  c.run();
  EXPECT_EQ(c.result.fairness_min, Nanos(milliseconds(1)));
  EXPECT_EQ(c.result.fairness_median, Nanos(milliseconds(3)));
  EXPECT_EQ(c.result.fairness_max, std::nullopt);
}

TEST(BenchCollect, SlowConsumerHasTwoHalves) {
  Case c;
  c.result.plan.scenario = Scenario::slow_consumer;
  c.measure.split = 2;
  c.result.fleet.delivery[0].clear();
  c.result.fleet.delivery[0].record(milliseconds(1), 2);
  c.result.fleet.delivery[1].record(milliseconds(2));
  c.run();
  EXPECT_EQ(c.result.before.values.count(), 2U);
  EXPECT_EQ(c.result.before.beyond, 0U);
  EXPECT_EQ(c.result.disturbed.values.count(), 1U);
  EXPECT_EQ(c.result.disturbed.beyond, 3U);
  EXPECT_EQ(c.result.delivery.values.count(), 3U);
}

TEST(BenchCollect, WhoComesBackIsMeasuredBeforeTheLoss) {
  Case c;
  c.result.plan.scenario = Scenario::reconnect_storm;
  c.result.fleet.delivery[1].record(milliseconds(9), 2);
  c.run();
  EXPECT_EQ(c.result.before.values.count(), 3U);
  EXPECT_EQ(c.result.disturbed.values.count(), 0U);
  EXPECT_EQ(c.result.delivery.values.count(), 5U);
  EXPECT_EQ(c.result.canary.values.count(), 1U) << "the canaries too";
  Case resume;
  resume.result.plan.scenario = Scenario::resume;
  resume.result.fleet.delivery[1].record(milliseconds(9), 2);
  resume.run();
  EXPECT_EQ(resume.result.disturbed.values.count(), 2U);
}

TEST(BenchCollect, OtherScenariosHaveNoHalves) {
  Case c;
  c.run();
  EXPECT_EQ(c.result.before.samples() + c.result.disturbed.samples(), 0U);
}

}  // namespace
}  // namespace clawws::bench
