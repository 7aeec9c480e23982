// When a run is not to be believed: exactly the five reasons of the manual page.
#include <gtest/gtest.h>

#include "support/bench_result.hpp"

namespace clawws::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

BenchResult judged(BenchResult result) {
  judge(result);
  return result;
}

// Its p99 of 2 ms is not ten times under this limit.
BenchResult with_limit(const char* text = "delivery.p99<10ms") {
  BenchResult r = test::bench_result();
  r.plan.thresholds = {*parse_threshold(text)};
  return r;
}

TEST(BenchVerdict, AnUndisturbedRunIsValid) {
  const BenchResult r = judged(test::bench_result());
  EXPECT_TRUE(r.verdict.valid);
  EXPECT_TRUE(r.verdict.notes.empty());
  EXPECT_EQ(exit_code(r), 0);
}

TEST(BenchVerdict, MissingConnectionsMakeItInvalid) {
  BenchResult r = test::bench_result();
  r.live = 49;
  r = judged(r);
  EXPECT_EQ(r.verdict.reasons, std::vector<std::string>{"49 of 50 connections were opened"});
  EXPECT_EQ(exit_code(r), 22);
}

TEST(BenchVerdict, ALedgerThatDoesNotBalanceMakesItInvalid) {
  const auto changes = {
      +[](BenchResult& r) { r.fleet.ledger.lost = 1; },
      +[](BenchResult& r) { r.fleet.recorded -= 1; },
      +[](BenchResult& r) { r.fleet.unknown = 1; },
      +[](BenchResult& r) {
        r.fleet.ledger.expected = r.fleet.ledger.delivered = r.fleet.recorded = 49'999;
      },
  };
  for (const auto change : changes) {
    BenchResult r = test::bench_result();
    change(r);
    r = judged(r);
    ASSERT_EQ(r.verdict.reasons.size(), 1U);
    EXPECT_NE(r.verdict.reasons[0].find("does not balance"), std::string::npos);
    EXPECT_EQ(exit_code(r), 22);
  }
}

TEST(BenchVerdict, LossAloneIsNoMatterOfTrust) {
  BenchResult r = test::bench_result();
  r.fleet.ledger.delivered = r.fleet.recorded = 49'000;
  r.fleet.ledger.lost = 1'000;
  r = judged(r);
  EXPECT_TRUE(r.verdict.valid);
  EXPECT_EQ(exit_code(r), 20);
}

TEST(BenchVerdict, ScheduleLagIsHeldAgainstTheTightestLimit) {
  BenchResult r = with_limit();
  r.plan.thresholds.push_back(*parse_threshold("to-all.p99<1s"));
  r.publish.lag.clear();
  r.publish.lag.record(microseconds(1'100), 1'000);
  const BenchResult late = judged(r);
  ASSERT_EQ(late.verdict.reasons.size(), 1U);
  EXPECT_EQ(late.verdict.reasons[0],
            "schedule lag p99 1.1 ms is over 10 % of the tightest limit, 10 ms");
  EXPECT_EQ(exit_code(late), 22);
  r.publish.lag.clear();
  r.publish.lag.record(microseconds(990), 1'000);
  EXPECT_TRUE(judged(r).verdict.valid);
}

TEST(BenchVerdict, TheFleetIsHeldAgainstTheCanaries) {
  BenchResult r = with_limit();
  r.canary.values.clear();
  r.canary.values.record(microseconds(900), 5'000);
  const BenchResult weak = judged(r);
  ASSERT_EQ(weak.verdict.reasons.size(), 1U);
  EXPECT_NE(weak.verdict.reasons[0].find("over twice the canaries' p99"), std::string::npos);
  r.canary.values.clear();
  r.canary.values.record(microseconds(1'100), 5'000);
  EXPECT_TRUE(judged(r).verdict.valid);
}

TEST(BenchVerdict, WhoComesBackIsHeldAgainstTheCanariesBeforeTheLoss) {
  BenchResult r = test::comeback_result(Scenario::reconnect_storm);
  r.plan.thresholds = {*parse_threshold("delivery.p99<10ms")};
  r.canary.values.clear();
  r.canary.values.record(microseconds(600), 5'000);
  EXPECT_TRUE(judged(r).verdict.valid) << "1 ms before, 2 ms in all";
  r.canary.values.clear();
  r.canary.values.record(microseconds(400), 5'000);
  EXPECT_FALSE(judged(r).verdict.valid);
}

TEST(BenchVerdict, WhatWasNeverAcknowledgedAfterARestartIsNotKnown) {
  BenchResult r = test::comeback_result(Scenario::restart);
  EXPECT_TRUE(judged(r).verdict.valid);
  r.publish.failed = 3;
  r = judged(r);
  ASSERT_EQ(r.verdict.reasons.size(), 1U);
  EXPECT_NE(r.verdict.reasons[0].find("3 events were never acknowledged"), std::string::npos);
  r.plan.scenario = Scenario::reconnect_storm;
  EXPECT_TRUE(judged(r).verdict.valid);
}

TEST(BenchVerdict, TenTimesToSpareExcusesAWeakGeneratorWithANote) {
  BenchResult r = with_limit("delivery.p99<21ms");
  r.publish.lag.clear();
  r.publish.lag.record(milliseconds(3), 1'000);
  const BenchResult excused = judged(r);
  EXPECT_TRUE(excused.verdict.valid);
  ASSERT_EQ(excused.verdict.notes.size(), 1U);
  EXPECT_NE(excused.verdict.notes[0].find("ten times to spare"), std::string::npos);
  r.plan.thresholds = {*parse_threshold("delivery.p99<19ms")};
  EXPECT_FALSE(judged(r).verdict.valid);
  // Each latency limit must be.
  r.plan.thresholds = {*parse_threshold("delivery.p99<21ms"), *parse_threshold("to-all.p99<19ms")};
  EXPECT_FALSE(judged(r).verdict.valid);
  // Without one there is nothing to spare.
  r.plan.thresholds = {*parse_threshold("lost==0")};
  r.canary.values.clear();
  r.canary.values.record(microseconds(900), 5'000);
  EXPECT_FALSE(judged(r).verdict.valid);
}

TEST(BenchVerdict, InvalidOutranksAFailedThreshold) {
  BenchResult r = with_limit("delivery.p99<1ms");
  EXPECT_EQ(exit_code(judged(r)), 20);
  r.live = 1;
  EXPECT_EQ(exit_code(judged(r)), 22);
}

}  // namespace
}  // namespace clawws::bench
