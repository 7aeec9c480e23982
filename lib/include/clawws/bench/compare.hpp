// Are the new runs worse than the old ones? The unit is the run: samples of one run share its
// machine, its moment and its server, so a million of them are one observation of what differs
// between runs (Kalibera and Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013).
//
// Each metric's change is the difference of the means of the runs' logarithms, which is a ratio;
// its 95 % confidence interval is Welch's (B. L. Welch, "The Generalization of 'Student's' Problem
// when Several Different Population Variances are Involved", Biometrika 34, 1947), with the degrees
// of freedom of Welch and Satterthwaite. Counts, which can be 0, are compared without logarithms.
//
// A change is a regression when all of these hold:
//   the interval lies wholly above no change;
//   the change is more than both parts of --min-effect (the time is for latencies alone);
//   the change is more than the noise: twice the standard deviation of the old runs.
// It is an improvement when the same holds downwards. Else the metric passes when the interval's
// upper end is still too little to count, and is inconclusive when it is not: more runs would
// tell. Fewer than 3 runs on a side tell nothing.
//
// Pure, deterministic.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/bench/run_values.hpp"
#include "clawws/client/terminal.hpp"

namespace clawws::bench {

inline constexpr std::size_t k_least_runs = 3;

struct MinEffect {
  double relative = 0.10;
  Nanos absolute = std::chrono::milliseconds(2);
};
// "10%,2ms", "10%" or "2ms"; a part that is not there is 0. Errc::usage.
base::Result<MinEffect> parse_min_effect(std::string_view text);

enum class Judgement : std::uint8_t { pass, regression, improved, inconclusive };
std::string_view judgement_word(Judgement judgement) noexcept;  // "PASS"

struct Change {
  std::string metric;
  Unit unit = Unit::count;
  std::vector<double> before, after;  // one a run
  // The middle of each side: geometric mean, of counts the arithmetic one.
  double old_value = 0, new_value = 0;
  // new / old - 1, and its interval; of counts nothing, when the old ones are all 0.
  std::optional<double> change, low, high;
  std::optional<double> noise;  // of the old runs, as a part of them
  Judgement judgement = Judgement::inconclusive;
  std::string why;  // of `inconclusive`
};
Change compare_values(const RunValues& before, const RunValues& after, const MinEffect& least);

struct Compared {
  std::string old_name, new_name;  // files
  std::string old_tool, new_tool;
  std::size_t old_runs = 0, new_runs = 0;
  BenchPlan plan;
  MinEffect least;
  std::vector<Change> changes;
  std::vector<std::string> left_out;  // "connect.p99: needs 1,000 samples, has 50"
  std::vector<std::string> notes;

  bool has(Judgement judgement) const;
  int exit_code() const;  // 0, or 21 with a regression
};
Compared compare_runs(std::span<const BenchResult> before, std::span<const BenchResult> after,
                      const MinEffect& least);

// "connections: 50 and 100": the first that differs of what two runs must have in common to be
// compared. Empty: nothing.
std::string plan_difference(const BenchPlan& a, const BenchPlan& b);

std::string compare_text(const Compared& compared, client::Color color);
// Its schema is apps/bench/compare.schema.json.
std::string compare_json(const Compared& compared);

}  // namespace clawws::bench
