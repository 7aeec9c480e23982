// Thresholds: how they are written, and what becomes of them.
#include "clawws/bench/threshold.hpp"

#include <gtest/gtest.h>

#include "clawws/base/posix.hpp"
#include "support/bench_result.hpp"

namespace clawws::bench {
namespace {

Outcome outcome_of(std::string_view text, const BenchResult& result) {
  return check(parse_threshold(text).value(), result);
}

TEST(BenchThreshold, IsReadWithItsUnit) {
  struct Row {
    const char* text;
    const char* shown;
    double limit;
  };
  for (const Row& row :
       {Row{"delivery.p99<100ms", "delivery.p99 < 100 ms", 100e6},
        Row{" delivery.p99.9 <= 2.5s ", "delivery.p99.9 <= 2.5 s", 2.5e9},
        Row{"delivery.p99<1.5ms", "delivery.p99 < 1.5 ms", 1.5e6},
        Row{"to-all.max<500us", "to-all.max < 500 us", 500e3}, Row{"lost==0", "lost == 0", 0},
        Row{"delivered>=10k", "delivered >= 10,000", 10'000}, Row{"dup!=1", "dup != 1", 1},
        Row{"server.rss<64MiB", "server.rss < 64.0 MiB", 64.0 * (1 << 20)},
        Row{"server.cpu<0.5", "server.cpu < 0.50 cores", 0.5}}) {
    const auto threshold = parse_threshold(row.text);
    ASSERT_TRUE(threshold.has_value()) << row.text << ": " << threshold.error().message();
    EXPECT_EQ(threshold->text(), row.shown);
    EXPECT_DOUBLE_EQ(threshold->limit, row.limit) << row.text;
  }
}

TEST(BenchThreshold, WhatIsWrongIsSaid) {
  struct Row {
    const char* text;
    const char* said;
  };
  for (const Row& row :
       {Row{"delivery.p99", "expected METRIC"}, Row{"<100ms", "expected METRIC"},
        Row{"delivry.p99<100ms", "did you mean 'delivery.p99'"},
        Row{"delivery<100ms", "unknown metric"}, Row{"delivery.p100<1s", "unknown metric"},
        Row{"delivery.p0<1s", "unknown metric"}, Row{"lots==0", "did you mean 'lost'"},
        Row{"delivery.p99<100", "the limit of delivery.p99"}, Row{"lost==", "the limit of lost"},
        Row{"lost==few", "the limit of lost"}, Row{"server.cpu<half", "expected a number"},
        Row{"server.cpu<-1", "expected a number"}, Row{"delivery.p99<-5us", "the limit of"},
        Row{"delivery.p99<infms", "the limit of"}, Row{"delivery.p99<1e3ms", "the limit of"}}) {
    const auto threshold = parse_threshold(row.text);
    ASSERT_FALSE(threshold.has_value()) << row.text;
    EXPECT_EQ(threshold.error().code, base::Errc::usage);
    EXPECT_NE(threshold.error().message().find(row.said), std::string::npos)
        << row.text << ": " << threshold.error().message();
  }
}

TEST(BenchThreshold, HoldsOrDoesNot) {
  const BenchResult r = test::bench_result();
  for (const char* text :
       {"delivery.p99<3ms", "delivery.p50<=1.1ms", "delivery.min>900us", "lost==0", "lost<=0",
        "connections>=50", "publish.failed==0", "server.bytes-per-conn<24KiB", "server.cpu<0.1",
        "client.rss<11MiB", "client.bytes-per-conn<19KiB", "client.cpu<1", "connect.max<1s",
        "fairness.max<3ms", "server.cpu-per-delivery<25us"})
    EXPECT_TRUE(outcome_of(text, r).passed) << text;
  for (const char* text : {"delivery.p99<1ms", "delivery.max<2ms", "lost!=0", "lost>0",
                           "connections>50", "delivered<50k", "server.rss<1MiB"})
    EXPECT_FALSE(outcome_of(text, r).passed) << text;
}

TEST(BenchThreshold, APercentileNeedsItsSamples) {
  BenchResult r = test::bench_result();
  r.delivery = {};
  r.delivery.values.record(std::chrono::milliseconds(1), 999);
  const Outcome few = outcome_of("delivery.p99<1s", r);
  EXPECT_FALSE(few.passed);
  EXPECT_EQ(few.why, "needs 1,000 samples, has 999");
  r.delivery.values.record(std::chrono::milliseconds(1));
  EXPECT_TRUE(outcome_of("delivery.p99<1s", r).passed);
  EXPECT_FALSE(outcome_of("delivery.p99.9<1s", r).passed);
  EXPECT_TRUE(outcome_of("delivery.max<1s", r).passed);
}

TEST(BenchThreshold, WhoIsNotBackIsLongerAwayThanAllOthers) {
  BenchResult r = test::comeback_result(Scenario::restart);
  for (const char* text : {"reconnect.max<500ms", "reconnect.p50<250ms", "reconnect.all<500ms",
                           "catch-up.p50<4ms", "catch-up.rate>=2500", "not-back==0", "gaps==1",
                           "server.down<1s", "delivery.replayed.p99<200ms"})
    EXPECT_TRUE(outcome_of(text, r).passed) << text;
  r.fleet.comeback->not_back = 1;
  r.all_back.reset();
  for (const char* text : {"reconnect.max<10m", "not-back==0", "reconnect.all<10m"})
    EXPECT_FALSE(outcome_of(text, r).passed) << text;
  EXPECT_EQ(outcome_of("reconnect.all<10m", r).why, "no data");
  EXPECT_EQ(outcome_of("reconnect.max<1s", test::bench_result()).why, "no data");
}

TEST(BenchThreshold, OnlyOneHalfHasAName) {
  BenchResult r = test::comeback_result(Scenario::resume);
  r.disturbed.values.record(std::chrono::milliseconds(2), 1'000);
  EXPECT_TRUE(outcome_of("delivery.others.p99<3ms", r).passed);
  EXPECT_EQ(outcome_of("delivery.stalled.p99<3ms", r).why, "no data");
  r.plan.scenario = Scenario::slow_consumer;
  EXPECT_TRUE(outcome_of("delivery.stalled.p99<3ms", r).passed);
  EXPECT_EQ(outcome_of("delivery.others.p99<3ms", r).why, "no data");
}

TEST(BenchThreshold, WithoutDataItFails) {
  BenchResult r = test::bench_result();
  r.server.reset();
  r.disturbed = {};
  for (const char* text :
       {"server.rss<1GiB", "server.cpu>0", "delivery.stalled.p99<1s", "delivery.stalled.max>0"}) {
    const Outcome outcome = outcome_of(text, r);
    EXPECT_FALSE(outcome.passed) << text;
    EXPECT_EQ(outcome.why, "no data") << text;
  }
}

TEST(BenchThreshold, LostDeliveriesAreInThePercentiles) {
  BenchResult r = test::bench_result();
  r.delivery.beyond = 600;  // of 50,600: more than 1 %
  const Outcome p99 = outcome_of("delivery.p99<10m", r);
  EXPECT_FALSE(p99.passed);
  EXPECT_TRUE(p99.value.is_beyond);
  EXPECT_TRUE(outcome_of("delivery.p50<2ms", r).passed);
  EXPECT_FALSE(outcome_of("delivery.max<10m", r).passed);
  EXPECT_FALSE(outcome_of("delivery.mean<10m", r).passed);
  r.delivery.beyond = 400;
  EXPECT_TRUE(outcome_of("delivery.p99<10m", r).passed);
}

TEST(BenchThreshold, WhatIsBeyondIsSaidInItsOwnWords) {
  BenchResult r = test::bench_result();
  EXPECT_EQ(measured_text(outcome_of("lost==0", r)), "0");
  r.delivery.beyond = r.to_all.beyond = 1'000'000;
  EXPECT_EQ(measured_text(outcome_of("delivery.max<1s", r)), "over the drain deadline");
  r = test::comeback_result(Scenario::reconnect_storm);
  EXPECT_EQ(measured_text(outcome_of("reconnect.max<3s", r)), "400 ms");
  r.fleet.comeback->not_back = 1;
  EXPECT_EQ(measured_text(outcome_of("reconnect.max<3s", r)), "clients that never came back");
  EXPECT_FALSE(outcome_of("reconnect.max<3s", r).passed);
}

TEST(BenchThreshold, TheManualPageNamesEachMetric) {
  const std::string page = base::read_file(CLAWWS_SOURCE_DIR "/man/clawws-bench.1").value();
  std::string plain;
  for (const char c : page.substr(page.find(".SH METRICS")))
    if (c != '\\') plain += c;
  for (std::string name : metric_names()) {
    if (name.ends_with(".*")) name.resize(name.size() - 2);
    bool is_named = false;
    for (const char* before : {" ", "\n"})
      for (const char* after : {" ", "\n"})
        is_named = is_named || plain.find(before + name + after) != std::string::npos;
    EXPECT_TRUE(is_named) << name;
  }
}

}  // namespace
}  // namespace clawws::bench
