// What was written as JSON and read back makes the same reports again; what is no report is refused
// with the place of what is wrong.
#include "clawws/bench/report_read.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "clawws/bench/report.hpp"
#include "support/bench_result.hpp"

namespace clawws::bench {
namespace {

using nlohmann::json;

BenchResult judged(BenchResult result) {
  judge(result);
  return result;
}

BenchResult restored(const BenchResult& result) {
  auto file = read_report(json_report(result));
  if (!file) {
    ADD_FAILURE() << file.error().message();
    return {};
  }
  return std::move(file->runs.at(0));
}

// Many values, lost ones, an interruption, no server: what can be absent is.
BenchResult rough_result() {
  BenchResult r = test::bench_result();
  r.plan.scenario = Scenario::slow_consumer;
  r.plan.profile = "ci";
  r.plan.count_lost = CountLost::out;
  r.live = 48;
  for (int i = 0; i < 10'000; ++i)
    r.delivery.values.record(Nanos(std::int64_t{i} * i * 7'919 % 90'000'000'000));
  r.delivery.beyond = 1'000;
  r.before.values.record(Nanos(5));
  r.fleet.connect_failures = {{"no \"room\"", 2}};
  r.fairness_max.reset();
  r.publish.failed = 3;
  r.publish.first_problem = "gone";
  r.server.reset();
  r.signal = 15;
  r.plan.thresholds.push_back(*parse_threshold("server.rss<1GiB"));
  return judged(r);
}

BenchResult churn_result() {
  BenchResult r = test::bench_result();
  r.plan.scenario = Scenario::churn;
  r.plan.churn_rate = 7;
  r.owed = r.fleet.ledger.expected;
  r.fleet.returns.record(std::chrono::milliseconds(3), 20);
  r.fleet.returns_failed = 2;
  return judged(r);
}

BenchResult soak_result() {
  BenchResult r = test::bench_result();
  r.plan.scenario = Scenario::soak;
  for (int i = 0; i < 20; ++i) {
    SeriesRow row;
    row.phase = i == 0 ? Phase::warm_up : Phase::measure;
    row.at = std::chrono::seconds(i);
    row.lasts = std::chrono::seconds(1);
    row.connected = row.published = 50;
    row.p50 = row.p99 = row.max = Nanos(1'234'567);
    row.server_rss = 14'000'000u + static_cast<unsigned>(i) * 4'096u;
    row.server_files = 70;
    r.series.push_back(row);
  }
  return judged(r);
}

BenchResult empty_result() {
  BenchResult r;
  r.run = "00000000";
  return judged(r);
}

TEST(BenchReportRead, TheReportsAreTheSameAgain) {
  for (const BenchResult& result :
       {judged(test::bench_result()), rough_result(), churn_result(), soak_result(), empty_result(),
        judged(test::comeback_result(Scenario::reconnect_storm)),
        judged(test::comeback_result(Scenario::resume)),
        judged(test::comeback_result(Scenario::restart))}) {
    const BenchResult again = restored(result);
    EXPECT_EQ(text_report(again, client::Color::off), text_report(result, client::Color::off));
    EXPECT_EQ(json_report(again), json_report(result));
    EXPECT_EQ(csv_report(std::span(&again, 1)), csv_report(std::span(&result, 1)));
    EXPECT_EQ(html_report(std::span(&again, 1)), html_report(std::span(&result, 1)));
    EXPECT_EQ(junit_report(again), junit_report(result));
    EXPECT_EQ(exit_code(again), exit_code(result));
  }
}

TEST(BenchReportRead, AReportFromBeforeClientsCameBackIsRead) {
  json report = json::parse(json_report(judged(test::bench_result())));
  report.erase("reconnect");
  report["plan"].erase("leavers");
  report["plan"].erase("away");
  report["publish"].erase("repeated");
  const auto file = read_report(report.dump());
  ASSERT_TRUE(file.has_value()) << file.error().message();
}

TEST(BenchReportRead, SeveralRunsAreReadInOrder) {
  std::vector<BenchResult> runs(3, judged(test::bench_result()));
  runs[1].run = "11111111";
  const auto file = read_report(json_report(runs, 5));
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ASSERT_EQ(file->runs.size(), 3U);
  EXPECT_EQ(file->runs[1].run, "11111111");
  EXPECT_TRUE(file->tool.starts_with("clawws/"));
}

TEST(BenchReportRead, WordsFromAnywhereAreHarmless) {
  json report = json::parse(json_report(judged(test::bench_result())));
  const std::string evil = "\x1b]0;x\x07";
  report["tls"] = report["serverSource"] = report["tool"] = evil;
  report["client"]["threads"][0]["name"] = report["thresholds"][0]["metric"] = evil;
  report["trust"]["notes"] = {evil};
  const auto file = read_report(report.dump());
  ASSERT_TRUE(file.has_value()) << file.error().message();
  EXPECT_EQ(text_report(file->runs[0], client::Color::off).find('\x1b'), std::string::npos);
  EXPECT_EQ(file->tool.find('\x1b'), std::string::npos);
}

TEST(BenchReportRead, WhatIsNoReportIsRefusedWithItsPlace) {
  const std::string good = json_report(judged(test::bench_result()));
  const auto with = [&](auto change) {
    json report = json::parse(good);
    change(report);
    return report.dump();
  };
  struct Row {
    std::string text;
    const char* said;
  };
  for (const Row& row : {
           Row{"", "not JSON"},
           Row{"{\"a\":1", "not JSON"},
           Row{"[]", "no report of clawws bench"},
           Row{"{\"schema\":1}", "no report of clawws bench"},
           Row{with([](json& r) { r["schema"] = 2; }), "schema 2, and this version reads schema 1"},
           Row{with([](json& r) { r["plan"].erase("rate"); }), "/plan has no member \"rate\""},
           Row{with([](json& r) { r["plan"]["rate"] = "x"; }), "/plan/rate is no number"},
           Row{with([](json& r) { r["plan"]["connections"] = -1; }), "/plan/connections"},
           Row{with([](json& r) { r["plan"]["scenario"] = "dance"; }), "/plan/scenario"},
           Row{with([](json& r) { r["plan"] = 3; }), "/plan is no object"},
           Row{with([](json& r) { r["delivery"]["all"]["buckets"] = "1:2:3"; }), "/buckets"},
           Row{with([](json& r) { r["delivery"]["all"]["buckets"] = "1:2"; }), "other samples"},
           Row{with([](json& r) { r["delivery"]["all"]["min"] = nullptr; }), "/delivery/all"},
           Row{with([](json& r) { r["took"] = 1e300; }), "/took is no time"},
           Row{with([](json& r) { r["client"]["threads"] = 1; }), "/client/threads is no array"},
           Row{with([](json& r) { r["thresholds"][1]["comparison"] = "~"; }), "/thresholds/1/"},
           Row{with([](json& r) { r["signal"] = 4'000'000'000; }), "/signal"},
           Row{"{\"schema\":1,\"tool\":\"clawws/1\",\"runs\":[]}", "holds no run"},
       }) {
    const auto file = read_report(row.text);
    ASSERT_FALSE(file.has_value()) << row.said;
    EXPECT_EQ(file.error().code, base::Errc::usage);
    EXPECT_NE(file.error().message().find(row.said), std::string::npos) << file.error().message();
  }
}

}  // namespace
}  // namespace clawws::bench
