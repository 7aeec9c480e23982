// From options to the plan of a run.
#include <gtest/gtest.h>

#include "clawws/bench/bench_options.hpp"

namespace clawws::bench {
namespace {

const client::Environment k_no_environment = [](const char*) { return std::string(); };

struct Parsed {
  BenchConfig config;
  std::string error;
};

Parsed parse(const std::vector<std::string>& args) {
  Parsed parsed;
  const base::FlagSpec spec = bench_flags(parsed.config);
  const auto outcome = base::parse_flags(spec, args, [](const char*) { return nullptr; });
  if (!outcome) {
    parsed.error = outcome.error().message();
    return parsed;
  }
  const auto valid = validate(parsed.config, *outcome, k_no_environment);
  if (!valid) parsed.error = valid.error().message();
  return parsed;
}

BenchPlan plan_of(const std::vector<std::string>& args) {
  Parsed parsed = parse(args);
  EXPECT_EQ(parsed.error, "");
  return make_plan(parsed.config, 2);
}

std::string thresholds_of(const BenchPlan& plan) {
  std::string text;
  for (const Threshold& threshold : plan.thresholds)
    text += (text.empty() ? "" : ", ") + threshold.text();
  return text;
}

TEST(BenchPlan, DefaultsAreThoseOfTheHelp) {
  const BenchPlan plan = plan_of({});
  EXPECT_EQ(plan.scenario, Scenario::steady);
  EXPECT_EQ(plan.connections, 50U);
  EXPECT_EQ(plan.events, 500U);
  EXPECT_EQ(plan.warm_up, 50U);
  EXPECT_EQ(plan.size_bytes, 256U);
  EXPECT_EQ(plan.threads, 2U);
  EXPECT_EQ(plan.drain, base::Millis(5'000));
  EXPECT_EQ(plan.connect_limit, base::Millis(30'000));
  EXPECT_TRUE(plan.thresholds.empty());
}

TEST(BenchPlan, TheCiProfileHasTheLimits) {
  const BenchPlan plan = plan_of({"--profile", "ci"});
  EXPECT_EQ(plan.connections, 50U);
  EXPECT_EQ(plan.events, 1'000U);
  EXPECT_EQ(thresholds_of(plan),
            "delivery.p99 < 100 ms, lost == 0, dup == 0, reordered == 0, corrupt == 0, "
            "connect.max < 1 s");
}

TEST(BenchPlan, OptionsAndThresholdsBeatTheProfile) {
  const BenchPlan plan =
      plan_of({"--profile", "ci", "-c", "7", "-d", "2s", "-t", "delivery.p99<5ms", "-t", "cut==0"});
  EXPECT_EQ(plan.connections, 7U);
  EXPECT_EQ(plan.events, 100U);
  EXPECT_EQ(thresholds_of(plan),
            "delivery.p99 < 5 ms, cut == 0, lost == 0, dup == 0, reordered == 0, corrupt == 0, "
            "connect.max < 1 s");
}

TEST(BenchPlan, EachThresholdOfAProfileCanBeMet) {
  for (const char* profile : {"smoke", "ci", "full"})
    for (const char* scenario : {"steady", "idle", "connect-storm", "slow-consumer", "churn",
                                 "soak", "reconnect-storm", "resume", "restart", "restart:kill9"}) {
      const BenchPlan plan = plan_of({"--profile", profile, "--scenario", scenario});
      EXPECT_FALSE(plan.thresholds.empty());
      for (const Threshold& threshold : plan.thresholds) {
        const std::uint64_t needed = threshold.metric.ends_with(".p99")   ? 1'000
                                     : threshold.metric.ends_with(".p90") ? 100
                                                                          : 0;
        const bool is_of_events = threshold.metric.starts_with("to-all");
        const bool is_of_connects = threshold.metric.starts_with("connect");
        const std::uint64_t samples = is_of_events     ? plan.events
                                      : is_of_connects ? plan.connections
                                                       : plan.events * plan.connections / 2;
        EXPECT_TRUE(samples >= needed) << profile << scenario << threshold.text();
      }
    }
}

TEST(BenchPlan, SlowConsumerHoldsTheOthersToTheLimit) {
  const BenchPlan plan = plan_of({"--profile", "full", "-s", "slow-consumer"});
  EXPECT_EQ(plan.stalled, 20U);
  EXPECT_EQ(plan.size_bytes, 4096U);
  EXPECT_NE(thresholds_of(plan).find("delivery.stalled.p99 < 100 ms"), std::string::npos);
}

TEST(BenchPlan, IdleHoldsAndStormsConnectAtOnce) {
  const BenchPlan idle = plan_of({"-s", "idle", "-d", "3s"});
  EXPECT_EQ(idle.hold, base::Millis(3'000));
  EXPECT_EQ(idle.events, 1U);
  EXPECT_EQ(idle.connect_rate, 500);
  const BenchPlan storm = plan_of({"-s", "connect-storm"});
  EXPECT_EQ(storm.connect_rate, 0);
  EXPECT_EQ(storm.events, 1U);
  EXPECT_EQ(plan_of({"-s", "connect-storm", "--connect-rate", "100"}).connect_rate, 100);
}

TEST(BenchPlan, ChurnHasARateAndASoakIsLong) {
  EXPECT_EQ(plan_of({"-s", "churn"}).churn_rate, 5);
  EXPECT_EQ(plan_of({"-s", "churn", "-c", "3"}).churn_rate, 1);
  EXPECT_EQ(plan_of({"-s", "churn", "--churn", "70"}).churn_rate, 70);
  EXPECT_EQ(plan_of({}).churn_rate, 0);
  EXPECT_EQ(plan_of({"-s", "soak"}).events, 120'000U);
  EXPECT_EQ(plan_of({"-s", "soak", "-d", "10s", "-r", "5"}).events, 50U);
  EXPECT_EQ(plan_of({"-s", "soak", "--profile", "ci", "-d", "10s"}).rate, 200);
}

TEST(BenchPlan, WhoComesBackIsLostInTheMiddle) {
  const BenchPlan storm = plan_of({"-s", "reconnect-storm", "-c", "30"});
  EXPECT_EQ(storm.leavers, 30U);
  EXPECT_EQ(lost_at(storm), 300U);
  EXPECT_EQ(back_at(storm), 300U);
  EXPECT_EQ(storm.return_limit, base::Millis(2'500));
  EXPECT_EQ(plan_of({"-s", "restart", "--connect-timeout", "1s"}).return_limit,
            base::Millis(1'000));
  const BenchPlan resume = plan_of({"-s", "resume"});
  EXPECT_EQ(resume.rate, 200);
  EXPECT_EQ(resume.leavers, 5U);
  EXPECT_EQ(resume.away, 1'000U);
  EXPECT_EQ(lost_at(resume), 200U + 500);
  EXPECT_EQ(back_at(resume), 200U + 1'500);
  EXPECT_EQ(plan_of({"-s", "resume", "--away", "10k", "-r", "1k"}).events, 20'000U);
  const BenchPlan given = plan_of({"-s", "resume", "--away", "90", "-r", "10", "-d", "10s"});
  EXPECT_EQ(given.events, 100U);
  EXPECT_EQ(back_at(given) - lost_at(given), 90U);
  EXPECT_EQ(plan_of({"-s", "restart"}).leavers, 0U);
}

TEST(BenchPlan, ARestartNeedsAServerOfItsOwn) {
  for (const char* scenario : {"restart", "restart:kill9"}) {
    EXPECT_NE(parse({"-s", scenario, "wss://localhost/ws"}).error.find("leave the URL"),
              std::string::npos);
    EXPECT_NE(parse({"-s", scenario, "--state-dir", "/x"}).error.find("--spawn"),
              std::string::npos);
    EXPECT_EQ(parse({"-s", scenario, "--spawn", "x", "wss://localhost/ws"}).error, "");
    EXPECT_EQ(parse({"-s", scenario}).error, "");
  }
  EXPECT_EQ(parse({"-s", "reconnect-storm", "wss://localhost/ws"}).error, "");
}

TEST(BenchPlan, NoMoreThreadsThanConnections) {
  EXPECT_EQ(plan_of({"-c", "1", "--threads", "8"}).threads, 1U);
  EXPECT_EQ(plan_of({"--threads", "8"}).threads, 8U);
}

TEST(BenchPlan, WhatCannotBeIsRefused) {
  struct Row {
    std::vector<std::string> args;
    const char* said;
  };
  for (const Row& row :
       {Row{{"--json", "-", "--junit", "-"}, "can go to stdout"},
        Row{{"--server-pid", "1", "--spawn", "x"}, "leave --server-pid out"},
        Row{{"--stalled", "3"}, "--scenario slow-consumer"},
        Row{{"--away", "3"}, "--away belongs to --scenario resume"},
        Row{{"--leavers", "3", "-s", "churn"}, "--leavers belongs to --scenario resume"},
        Row{{"--leavers", "51", "-s", "resume"}, "more than --connections"},
        Row{{"--away", "2k", "-s", "resume", "-d", "10s"}, "make --duration longer"},
        Row{{"--churn", "3"}, "--scenario churn"},
        Row{{"-r", "1", "-d", "500ms"}, "make no event"},
        Row{{"-r", "1m", "-d", "1m"}, "at most 20,000,000"},
        Row{{"-q", "-v"}, "contradict"},
        Row{{"-t", "delivry.p99<1s"}, "did you mean 'delivery.p99'"},
        Row{{"--size", "65KiB"}, "at most 64KiB"},
        Row{{"-c", "0"}, "1 to"},
        Row{{"--repeat", "0"}, "1 to 50"},
        Row{{"--spawn", ""}, "must not be empty"},
        Row{{"-s", "steedy"}, "one of steady"},
        Row{{"-u", "admin:pw"}, "argv"},
        Row{{"wss://admin:pw@localhost/ws"}, "user"},
        Row{{"--key", "k.pem"}, "--key needs --cert"}}) {
    const std::string error = parse(row.args).error;
    EXPECT_NE(error.find(row.said), std::string::npos) << row.args[0] << ": " << error;
    EXPECT_EQ(error.find("pw@"), std::string::npos);
    EXPECT_EQ(error.find(":pw"), std::string::npos);
  }
}

}  // namespace
}  // namespace clawws::bench
