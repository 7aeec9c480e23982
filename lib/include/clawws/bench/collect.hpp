// From what fleets counted to what a report says: distributions with the lost in them, first and
// last receiver of each event, fairness between connections. Pure.
#pragma once

#include <vector>

#include "clawws/bench/result.hpp"

namespace clawws::bench {

// Fills the distributions and the measured rows of the series of `result` from its own `fleet`,
// which must be complete, and the canaries'. `sent[p]`: the numbers of publisher p that were sent.
void collect(BenchResult& result, const Tally& canaries, const Measure& measure,
             const std::vector<std::uint64_t>& sent);

}  // namespace clawws::bench
