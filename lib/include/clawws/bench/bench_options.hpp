// What `clawws bench` can be told, as plain data, and the one table of its flags. Filling it in
// touches nothing outside; make_plan() is the last word before anything runs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clawws/bench/plan.hpp"
#include "clawws/client/approach_options.hpp"
#include "clawws/client/terminal.hpp"

namespace clawws::bench {

enum class Profile : std::uint8_t { smoke, ci, full };
enum class ProgressChoice : std::uint8_t { automatic, always, never };

struct BenchConfig : client::ApproachOptions {
  std::optional<Profile> profile;
  std::optional<Scenario> scenario;
  std::optional<std::uint64_t> connections, rate, connect_rate, size_bytes, publishers, batch,
      threads, stalled, churn, leavers, away, seed;
  std::optional<base::Millis> duration, warm_up, drain;
  std::optional<CountLost> count_lost;
  std::vector<Threshold> thresholds;
  std::optional<std::uint64_t> retries;
  std::uint64_t repeat = 1;  // times that the whole is measured

  std::string spawn;  // command; empty: none
  std::optional<pid_t> server_pid;

  std::string json_file, junit_file, csv_file, html_file;  // "" none, "-" stdout
  ProgressChoice progress = ProgressChoice::automatic;
  client::ColorChoice color = client::ColorChoice::automatic;
  enum class Verbosity : std::uint8_t { quiet, normal, verbose } verbosity = Verbosity::normal;
};

// The table; its setters fill `config`, which must outlive it.
CLAWWS_API base::FlagSpec bench_flags(BenchConfig& config);

// After parse_flags: what no flag can check alone. Errc::usage.
CLAWWS_API base::Result<void> validate(BenchConfig& config, const base::FlagOutcome& outcome,
                                       const client::Environment& environment);

// Profile, scenario and flags resolved; `cores` of this machine.
CLAWWS_API BenchPlan make_plan(const BenchConfig& config, std::size_t cores);

}  // namespace clawws::bench
