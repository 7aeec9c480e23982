// Whole runs of the load generator as tests make them: small, against a server on this host, with
// limits that a busy machine meets too; and proxies' judges that know the generator's events.
#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <map>

#include "clawws/bench/run.hpp"
#include "clawws/client/approach.hpp"
#include "support/frame_proxy.hpp"
#include "support/test_server.hpp"

namespace clawws::test {

using bench::BenchPlan;
using bench::BenchResult;
using bench::RunFailure;
using bench::RunSetup;
using bench::SeriesRow;
using Outcomes = std::variant<BenchResult, RunFailure>;

inline BenchPlan small_plan() {
  BenchPlan plan;
  plan.connections = 20;
  plan.rate = 200;
  plan.events = 200;
  plan.warm_up = 0;
  plan.settle = std::chrono::milliseconds(0);
  plan.drain = std::chrono::seconds(30);
  plan.threads = 2;
  plan.canaries = 2;
  // Met with ten times to spare, which excuses a generator that had to wait for the machine.
  plan.thresholds = {*bench::parse_threshold("delivery.p50<10m"),
                     *bench::parse_threshold("lost==0")};
  return plan;
}

inline RunSetup setup_for(std::uint16_t port, const BenchPlan& plan) {
  client::ApproachConfig config;
  config.url = client::parse_server_url("wss://127.0.0.1:" + std::to_string(port) + "/ws").value();
  config.tls.verify = net::ClientTlsConfig::Verify::none;
  config.credentials.user = "tester";
  config.credentials.places = {
      {client::SecretPlace::Kind::password_variable, "PW", "the test's own"}};
  client::Approach approach(config, [](const char* name) {
    return std::string(name) == "PW" ? std::string("correct horse") : std::string();
  });
  const auto attempt = approach.prepare();
  EXPECT_TRUE(attempt.has_value()) << attempt.error().message();
  RunSetup setup;
  setup.plan = plan;
  setup.target = bench::make_target(*attempt).value();
  setup.server_source = "already running";
  return setup;
}

inline Outcomes run(std::uint16_t port, const BenchPlan& plan) {
  return bench::run_once(setup_for(port, plan));
}

inline BenchResult result_of(const Outcomes& outcome) {
  if (const auto* failure = std::get_if<RunFailure>(&outcome)) {
    ADD_FAILURE() << failure->what;
    return {};
  }
  return std::get<BenchResult>(outcome);
}

inline std::string reasons_of(const BenchResult& result) {
  std::string text;
  for (const std::string& reason : result.verdict.reasons) text += reason + "; ";
  return text;
}

// The number of the event in a frame; nothing for others, such as the preflight's.
inline std::optional<std::uint64_t> number_in(std::string_view payload) {
  const std::size_t at = payload.find("\"publisher\":0,\"number\":");
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(payload.data() + at + 23, payload.data() + payload.size(), number);
  return number;
}

// The events whose number is `rest` modulo 10.
inline FrameProxy::Judge each_tenth(std::map<std::uint64_t, FrameProxy::Fate> fates) {
  return [fates = std::move(fates)](std::size_t, std::string_view payload) {
    const auto number = number_in(payload);
    const auto found = number ? fates.find(*number % 10) : fates.end();
    return found == fates.end() ? FrameProxy::Fate::pass : found->second;
  };
}

inline std::uint64_t sum_of(const BenchResult& r, std::uint64_t SeriesRow::*field) {
  std::uint64_t sum = 0;
  for (const SeriesRow& row : r.series)
    if (row.phase == bench::Phase::measure) sum += row.*field;
  return sum;
}

}  // namespace clawws::test
