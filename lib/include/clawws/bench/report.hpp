// Reports of a run, or of the runs of --repeat, from their results alone. Pure: text out, no file,
// no terminal.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "clawws/bench/result.hpp"
#include "clawws/client/terminal.hpp"

namespace clawws::bench {

// Bumped when a member of the JSON report changes its meaning or goes; new members do not bump it.
inline constexpr std::uint64_t k_report_schema = 1;

// What a person reads: a line for the plan, connect, deliver, to-all, ledger, server, trust, and
// one for each threshold.
std::string text_report(const BenchResult& result, client::Color color);
// The same under a heading, "run 2 of 5"; without one when `of` is 1.
std::string numbered_report(const BenchResult& result, std::size_t number, std::size_t of,
                            client::Color color);
// What several runs say together: a median and the extremes for each metric. Empty for one run.
std::string runs_summary(std::span<const BenchResult> runs);

// The whole of the results; its schema is apps/bench/report.schema.json. `repeat`: how many runs
// were asked for.
std::string json_report(std::span<const BenchResult> runs, std::uint64_t repeat);
std::string junit_report(std::span<const BenchResult> runs);
// The time series: RFC 4180, a row a second.
std::string csv_report(std::span<const BenchResult> runs);
// One page that needs nothing else, with charts; under 500 KB.
std::string html_report(std::span<const BenchResult> runs);
// Markdown for $GITHUB_STEP_SUMMARY.
std::string summary_report(const BenchResult& result);

inline std::string json_report(const BenchResult& result) {
  return json_report(std::span(&result, 1), 1);
}
inline std::string junit_report(const BenchResult& result) {
  return junit_report(std::span(&result, 1));
}

}  // namespace clawws::bench
