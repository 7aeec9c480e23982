// Whether runs became worse: made-up runs with known noise and known changes.
#include "clawws/bench/compare.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "clawws/base/posix.hpp"
#include "support/bench_result.hpp"
#include "support/json_schema.hpp"

namespace clawws::bench {
namespace {

constexpr double k_ms = 1e6;

RunValues latency(std::vector<double> values) {
  for (double& value : values) value *= k_ms;
  return {"delivery.p99", Unit::time, std::move(values), {}};
}

Judgement judged(const RunValues& before, const RunValues& after, const MinEffect& least = {}) {
  return compare_values(before, after, least).judgement;
}

// `runs` values around `middle` ms, log-normal with `sigma`.
RunValues noisy(std::mt19937& random, std::size_t runs, double middle, double sigma) {
  std::normal_distribution<double> normal(0, sigma);
  std::vector<double> values;
  for (std::size_t i = 0; i < runs; ++i) values.push_back(middle * std::exp(normal(random)));
  return latency(std::move(values));
}

TEST(BenchCompare, NoiseAloneIsNoRegression) {
  for (const double sigma : {0.02, 0.10, 0.30}) {
    int regressions = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
      std::mt19937 random(seed);
      const RunValues before = noisy(random, 5, 25, sigma), after = noisy(random, 5, 25, sigma);
      regressions += judged(before, after) == Judgement::regression ? 1 : 0;
    }
    EXPECT_LE(regressions, 10) << "sigma " << sigma;
  }
}

TEST(BenchCompare, ATrueRegressionIsFound) {
  int regressions = 0, improvements = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    // +20 %, which is +5 ms.
    const RunValues before = noisy(random, 5, 25, 0.03), after = noisy(random, 5, 30, 0.03);
    regressions += judged(before, after) == Judgement::regression ? 1 : 0;
    improvements += judged(after, before) == Judgement::improved ? 1 : 0;
  }
  EXPECT_GE(regressions, 190);
  EXPECT_GE(improvements, 170);
}

TEST(BenchCompare, TheIntervalIsWelchs) {
  // By hand: means of the logarithms ln 10 and ln 20 with variances 0.01 and 0.04 over 3 runs each;
  // squared error 0.05/3, freedom 2.94, t 3.22.
  const auto spread = [](double middle, double sigma) {
    return latency({middle * std::exp(-sigma), middle, middle * std::exp(sigma)});
  };
  const Change change = compare_values(spread(10, 0.1), spread(20, 0.2), {});
  EXPECT_NEAR(change.change.value(), 1.0, 1e-9);
  EXPECT_NEAR(std::log1p(change.low.value()), std::log(2) - 0.4155, 0.002);
  EXPECT_NEAR(std::log1p(change.high.value()), std::log(2) + 0.4155, 0.002);
  EXPECT_NEAR(change.noise.value(), std::expm1(0.2), 1e-9);
  EXPECT_EQ(change.judgement, Judgement::regression);
}

TEST(BenchCompare, EachConditionCounts) {
  const RunValues old_runs = latency({10, 10.1, 9.9, 10, 10});
  EXPECT_EQ(judged(old_runs, latency({15, 15.1, 14.9, 15, 15})), Judgement::regression);
  // Too little as a part, too little as a time.
  EXPECT_EQ(judged(old_runs, latency({10.8, 10.9, 10.7, 10.8, 10.8})), Judgement::pass);
  EXPECT_EQ(judged(latency({1, 1.01, 0.99, 1, 1}), latency({2, 2.01, 1.99, 2, 2})),
            Judgement::pass);
  EXPECT_EQ(judged(latency({1, 1.01, 0.99, 1, 1}), latency({2, 2.01, 1.99, 2, 2}),
                   {0.10, std::chrono::microseconds(500)}),
            Judgement::regression);
  // More than the minimum, but the old runs differ by as much among themselves.
  const Change noisy_change =
      compare_values(latency({6, 8, 10, 12, 14, 6, 8, 10, 12, 14, 6, 8, 10, 12, 14}),
                     latency({14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14}), {});
  EXPECT_GT(noisy_change.low.value(), 0);
  EXPECT_EQ(noisy_change.judgement, Judgement::inconclusive);
  EXPECT_NE(noisy_change.why.find("noise"), std::string::npos);
  // The interval reaches both no change and one that would count.
  EXPECT_EQ(judged(latency({10, 20, 30}), latency({12, 24, 30})), Judgement::inconclusive);
  EXPECT_EQ(judged(latency({15, 15.1, 14.9}), latency({10, 10.1, 9.9})), Judgement::improved);
}

TEST(BenchCompare, TheTimeOfTheMinimumIsForLatenciesAlone) {
  const auto cpu = [](double a, double b, double c) {
    return RunValues{"server.cpu-per-delivery", Unit::time, {a, b, c}, {}};
  };
  EXPECT_EQ(judged(cpu(1'000, 1'010, 990), cpu(2'000, 2'010, 1'990)), Judgement::regression);
}

TEST(BenchCompare, FewRunsTellNothing) {
  const Change change = compare_values(latency({10, 10}), latency({100, 100, 100}), {});
  EXPECT_EQ(change.judgement, Judgement::inconclusive);
  EXPECT_NE(change.why.find("too few runs: 2 and 3"), std::string::npos) << change.why;
  EXPECT_FALSE(change.low.has_value());
}

TEST(BenchCompare, CountsMayBeNothing) {
  const auto lost = [](std::vector<double> values) {
    return RunValues{"lost", Unit::count, std::move(values), {}};
  };
  EXPECT_EQ(judged(lost({0, 0, 0}), lost({0, 0, 0})), Judgement::pass);
  EXPECT_EQ(judged(lost({0, 0, 0}), lost({50, 51, 49})), Judgement::regression);
  EXPECT_EQ(judged(lost({0, 0, 0}), lost({0, 0, 9})), Judgement::inconclusive);
  EXPECT_EQ(judged(lost({50, 51, 49}), lost({0, 0, 0})), Judgement::improved);
}

TEST(BenchCompare, TheMinimumIsParsed) {
  EXPECT_EQ(parse_min_effect("5%,1ms")->relative, 0.05);
  EXPECT_EQ(parse_min_effect("5%,1ms")->absolute, std::chrono::milliseconds(1));
  EXPECT_EQ(parse_min_effect("20%")->absolute, Nanos(0));
  EXPECT_EQ(parse_min_effect("3ms")->relative, 0);
  for (const char* bad : {"", "5", "%", "5%,6%", "1ms,2ms", "-5%", "x%", "5%,1ms,2"})
    EXPECT_FALSE(parse_min_effect(bad).has_value()) << bad;
}

TEST(BenchCompare, WholeRunsAreComparedMetricByMetric) {
  std::vector<BenchResult> before(3, test::bench_result()), after = before;
  for (BenchResult& run : after) {
    run.delivery = {};
    run.delivery.values.record(std::chrono::milliseconds(9), 50'000);
    run.fleet.ledger.lost = 7;
  }
  const Compared compared = compare_runs(before, after, {});
  std::map<std::string, Judgement> found;
  for (const Change& change : compared.changes) found[change.metric] = change.judgement;
  EXPECT_EQ(found.at("delivery.p99"), Judgement::regression);
  EXPECT_EQ(found.at("to-all.p99"), Judgement::pass);
  EXPECT_EQ(found.at("lost"), Judgement::regression);
  EXPECT_EQ(compared.exit_code(), 21);
  ASSERT_EQ(compared.left_out.size(), 1U);
  EXPECT_EQ(compared.left_out[0], "connect.p99: needs 1,000 samples, has 50");
  EXPECT_EQ(compare_runs(before, before, {}).exit_code(), 0);
}

TEST(BenchCompare, LostDeliveriesStandForTheDeadline) {
  std::vector<BenchResult> runs(1, test::bench_result());
  runs[0].delivery.beyond = 10'000;
  const auto rows = run_values(runs);
  ASSERT_EQ(rows.at(1).metric, "delivery.p99");
  EXPECT_EQ(rows[1].values.at(0), 5'000 * k_ms);
}

TEST(BenchCompare, PlansThatDifferAreNamed) {
  const BenchPlan plan;
  const auto with = [&](auto change) {
    BenchPlan other = plan;
    change(other);
    return plan_difference(plan, other);
  };
  EXPECT_EQ(plan_difference(plan, plan), "");
  EXPECT_EQ(with([](BenchPlan& p) { p.connections = 100; }), "connections: 50 and 100");
  EXPECT_EQ(with([](BenchPlan& p) { p.rate = 7; }), "rate: 50 and 7");
  EXPECT_EQ(with([](BenchPlan& p) { p.size_bytes = 512; }), "event size: 256 and 512");
  EXPECT_EQ(with([](BenchPlan& p) { p.scenario = Scenario::idle; }), "scenario: steady and idle");
  EXPECT_NE(with([](BenchPlan& p) { p.count_lost = CountLost::out; }), "");
  // Of the generator, not of what is measured.
  EXPECT_EQ(with([](BenchPlan& p) { p.threads = 9, p.seed = 4, p.profile = "ci"; }), "");
}

TEST(BenchCompare, TheTableAndTheJsonSayTheSame) {
  std::vector<BenchResult> before(3, test::bench_result()), after = before;
  for (BenchResult& run : after) run.delivery.values.record(std::chrono::seconds(1), 50'000);
  Compared compared = compare_runs(before, after, {});
  compared.old_name = "old.json";
  compared.new_name = "new\x1b[31m.json";
  compared.old_tool = compared.new_tool = "clawws/0.1.0";
  const std::string text = compare_text(compared, client::Color::off);
  EXPECT_NE(text.find("REGRESSION    delivery.p99 "), std::string::npos) << text;
  EXPECT_NE(text.find("old.json (3 runs, clawws/0.1.0)"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "a file's name colours the terminal";
  EXPECT_NE(compare_text(compared, client::Color::on).find("\x1b[31mREGRESSION"),
            std::string::npos);
  const auto report = nlohmann::json::parse(compare_json(compared));
  const test::JsonSchema schema(nlohmann::json::parse(
      base::read_file(CLAWWS_SOURCE_DIR "/apps/bench/compare.schema.json").value()));
  for (const std::string& problem : schema.problems(report)) ADD_FAILURE() << problem;
  EXPECT_EQ(report["exitCode"], 21);
  EXPECT_EQ(report["metrics"].size(), compared.changes.size());
}

}  // namespace
}  // namespace clawws::bench
