// One number a run: the metrics of several runs side by side, as comparisons and the summary of
// --repeat look at them. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "clawws/bench/result.hpp"

namespace clawws::bench {

struct RunValues {
  std::string metric;
  Unit unit = Unit::count;
  std::vector<double> values;  // one a run, or none at all
  std::string missing;         // why there are none: "needs 1,000 samples, has 50"
};

// The metrics that runs are compared by. Of each, smaller is better. A percentile that lost
// deliveries reach counts as the drain deadline, which it is longer than.
std::vector<RunValues> run_values(std::span<const BenchResult> runs);

}  // namespace clawws::bench
