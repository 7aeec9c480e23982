// `-t 'delivery.p99<100ms'`: a metric, a comparison and a limit, and what became of it. Pure.
//
// Metrics are the words of the report. Distributions (delivery, to-all, connect …) are followed by
// min, mean, max or a percentile (p50, p99.9); a percentile needs 10/(1-p) samples, so p99 has no
// value with fewer than 1,000. The list is metric_names().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/base/export.hpp"

namespace clawws::bench {

struct BenchResult;

enum class Unit : std::uint8_t { time, count, bytes, cores };  // values: ns, 1, bytes, CPUs

struct MetricValue {
  Unit unit = Unit::count;
  std::optional<double> value;  // nothing: no data
  bool is_beyond = false;  // larger than anything measured: lost deliveries reach this percentile
  std::uint64_t samples = 0;
  std::uint64_t needed = 1;  // samples that a verdict needs
};

enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };
std::string_view comparison_text(Comparison comparison) noexcept;

struct Threshold {
  std::string metric;
  Comparison comparison = Comparison::less;
  double limit = 0;
  Unit unit = Unit::count;

  std::string text() const;  // "delivery.p99 < 100 ms"
};

// Errc::usage: no comparison, an unknown metric (with the nearest one), a limit without its unit.
CLAWWS_API base::Result<Threshold> parse_threshold(std::string_view text);

// Distributions with their statistics as NAME.*, scalars as they are.
std::vector<std::string> metric_names();
// The metric must be a known one.
MetricValue metric_value(const BenchResult& result, std::string_view metric);

struct Outcome {
  Threshold threshold;
  MetricValue value;
  bool passed = false;
  std::string why;  // when it failed for want of data
};
// For a report: what was measured, or why nothing could be.
std::string measured_text(const Outcome& outcome);
Outcome check(const Threshold& threshold, const BenchResult& result);

// "1.4 ms", "50,000", "14 MiB", "0.12 cores".
std::string format_value(Unit unit, double value);

}  // namespace clawws::bench
