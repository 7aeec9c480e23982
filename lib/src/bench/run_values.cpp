#include "clawws/bench/run_values.hpp"

#include <array>

#include "clawws/base/time.hpp"

namespace clawws::bench {
namespace {

// A p50 and a p99 of what clients feel, what the server paid for it, and what went wrong. Memory
// for each connection is missing on purpose: from the second run on a server has it already.
constexpr std::array k_metrics{"delivery.p50",
                               "delivery.p99",
                               "to-all.p50",
                               "to-all.p99",
                               "connect.p50",
                               "connect.p99",
                               "server.cpu-per-delivery",
                               "server.cpu-per-connect",
                               "server.rss",
                               "lost"};
// Of those that come back also these.
constexpr std::array k_comeback_metrics{"reconnect.p50", "reconnect.max", "catch-up.p50"};

}  // namespace

std::vector<RunValues> run_values(std::span<const BenchResult> runs) {
  std::vector<RunValues> found;
  std::vector<const char*> metrics(k_metrics.begin(), k_metrics.end());
  if (!runs.empty() && comes_back(runs.front().plan.scenario))
    metrics.insert(metrics.end(), k_comeback_metrics.begin(), k_comeback_metrics.end());
  for (const char* metric : metrics) {
    RunValues row;
    row.metric = metric;
    for (const BenchResult& run : runs) {
      const MetricValue value = metric_value(run, metric);
      row.unit = value.unit;
      const bool has_value = value.value || value.is_beyond;
      if (!has_value || value.samples < value.needed) {
        row.missing = has_value ? "needs " + base::format_count(value.needed) + " samples, has " +
                                      base::format_count(value.samples)
                                : "no data";
        row.values.clear();
        break;
      }
      const auto deadline = static_cast<double>(Nanos(run.plan.drain).count());
      row.values.push_back(value.value.value_or(deadline));
    }
    found.push_back(std::move(row));
  }
  return found;
}

}  // namespace clawws::bench
