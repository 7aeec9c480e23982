// What a run is going to do: flags, profile and scenario resolved into numbers. Plain data,
// immutable while the run goes on; every report starts with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clawws/base/time.hpp"
#include "clawws/bench/threshold.hpp"

namespace clawws::bench {

enum class Scenario : std::uint8_t {
  steady,         // events at a steady rate to all
  idle,           // connections that only wait, then one event
  connect_storm,  // all connect at once, then one event
  slow_consumer,  // steady; in the second half some clients read nothing any more
  churn,          // steady; clients leave and come back all the time
  soak,           // steady for long; what grows in the server is watched
  // Steady; in the middle clients lose their connection, come back and catch up:
  reconnect_storm,  // all at once, dropped by the generator
  resume,           // some, who stay away for a number of events
  restart,          // all, by a server that gets SIGTERM and is started again
  restart_kill9,    // the same with SIGKILL
};
inline constexpr Scenario k_scenarios[] = {
    Scenario::steady,  Scenario::idle,         Scenario::connect_storm,   Scenario::slow_consumer,
    Scenario::churn,   Scenario::soak,         Scenario::reconnect_storm, Scenario::resume,
    Scenario::restart, Scenario::restart_kill9};
std::string_view scenario_name(Scenario scenario) noexcept;
constexpr bool is_restart(Scenario scenario) noexcept {
  return scenario == Scenario::restart || scenario == Scenario::restart_kill9;
}
// Its clients come back to where they were, and are owed every event.
constexpr bool comes_back(Scenario scenario) noexcept {
  return scenario == Scenario::reconnect_storm || scenario == Scenario::resume ||
         is_restart(scenario);
}

enum class Phase : std::uint8_t {
  preflight,
  connect,
  settle,
  hold,
  warm_up,
  measure,
  drain,
  close
};
inline constexpr Phase k_phases[] = {Phase::preflight, Phase::connect, Phase::settle, Phase::hold,
                                     Phase::warm_up,   Phase::measure, Phase::drain,  Phase::close};
std::string_view phase_word(Phase phase) noexcept;

enum class CountLost : std::uint8_t { in, out };  // of the percentiles

struct BenchPlan {
  Scenario scenario = Scenario::steady;
  std::string profile;  // "" when none was named
  std::size_t connections = 50;
  double rate = 50;              // events a second
  std::uint64_t events = 500;    // that count
  std::uint64_t warm_up = 50;    // before them
  std::size_t size_bytes = 256;  // of an event, as published
  std::uint32_t publishers = 1;
  std::size_t batch = 100;    // most events in a request
  double connect_rate = 500;  // new connections a second; 0: all at once
  base::Millis connect_limit{30'000};
  base::Millis hold{0};  // between settling and the first event
  base::Millis settle{500};
  base::Millis drain{5'000};
  std::size_t threads = 1;  // that receive
  std::size_t cores = 1;    // of this machine
  std::size_t canaries = 5;
  std::size_t stalled = 0;
  double churn_rate = 0;  // clients that leave and come back, a second
  // Where clients come back: how many are lost by the generator, events that are due until they may
  // try to, and the limit of an attempt.
  std::size_t leavers = 0;
  std::uint64_t away = 0;
  base::Millis return_limit{2'500};
  std::uint64_t seed = 1;
  CountLost count_lost = CountLost::in;
  std::vector<Threshold> thresholds;
};

// The events at which clients are lost and may come back: in the middle of those that count.
constexpr std::uint64_t lost_at(const BenchPlan& plan) noexcept {
  return plan.warm_up + (plan.events - plan.away) / 2;
}
constexpr std::uint64_t back_at(const BenchPlan& plan) noexcept {
  return lost_at(plan) + plan.away;
}

// How long a row of the time series lasts: a second, or, in runs of more than an hour, what makes
// 3,600 rows of it.
base::Millis series_step(const BenchPlan& plan) noexcept;

}  // namespace clawws::bench
