// Can the numbers be trusted? A run is INVALID exactly when
//   1. fewer connections were opened than asked for, or
//   2. the ledger does not balance: expected is not delivered + lost, or the connections' ledgers
//      disagree with what the histograms hold, or samples came that were never sent, or
//   3. the schedule lag's p99 is over 10 % of the tightest latency limit, or
//   4. the fleet's p99 is over twice the canaries' p99 (both with at least 100 samples), or
//   5. after a restart, events are left that the server never acknowledged.
// Where clients are lost and come back, 4 looks at the time before alone: handshakes of all at once
// keep a generator's thread busy as they keep the server's, and canaries have no part in that.
// 3 and 4 say that the generator was too weak for what it was to see. They are excused, with a
// note, when every latency limit is met with ten times to spare: a weak generator makes numbers
// larger, never smaller.
#include <algorithm>
#include <limits>

#include "clawws/base/time.hpp"
#include "clawws/bench/numbers.hpp"
#include "clawws/bench/result.hpp"

namespace clawws::bench {
namespace {

constexpr double k_most_lag = 0.10;
constexpr double k_most_canary = 2.0;
constexpr double k_to_spare = 10.0;
constexpr std::uint64_t k_least_samples = 100;

constexpr int k_exit_threshold = 20, k_exit_invalid = 22;

// A limit from above on how long a delivery takes.
bool is_latency_limit(const Threshold& threshold) {
  const bool from_above =
      threshold.comparison == Comparison::less || threshold.comparison == Comparison::less_equal;
  return from_above &&
         (threshold.metric.starts_with("delivery.") || threshold.metric.starts_with("first.") ||
          threshold.metric.starts_with("to-all.") || threshold.metric.starts_with("fairness."));
}

void check_connections(BenchResult& result) {
  if (result.live == result.plan.connections) return;
  result.verdict.reasons.push_back(base::format_count(result.live) + " of " +
                                   base::format_count(result.plan.connections) +
                                   " connections were opened");
}

// What was never acknowledged may be in the server's log or not, and so be due to clients or not.
void check_acknowledged(BenchResult& result) {
  const std::uint64_t unknown = result.publish.failed + result.publish.refused;
  if (!is_restart(result.plan.scenario) || unknown == 0) return;
  result.verdict.reasons.push_back(base::format_count(unknown) +
                                   " events were never acknowledged: whether they were due to the "
                                   "clients is not known");
}

void check_ledger(BenchResult& result) {
  const LedgerCounts& ledger = result.fleet.ledger;
  const std::uint64_t planned = result.owed.value_or(result.fleet.measured * result.plan.events);
  const bool balances = ledger.expected == ledger.delivered + ledger.lost &&
                        ledger.expected == planned && ledger.delivered == result.fleet.recorded &&
                        result.fleet.unknown == 0;
  if (balances) return;
  result.verdict.reasons.push_back(
      "the ledger does not balance: expected " + base::format_count(ledger.expected) + " of " +
      base::format_count(planned) + " planned, delivered " + base::format_count(ledger.delivered) +
      ", lost " + base::format_count(ledger.lost) + ", in the histogram " +
      base::format_count(result.fleet.recorded) + ", never sent " +
      base::format_count(result.fleet.unknown));
}

// What speaks against the generator's strength.
std::vector<std::string> weaknesses(const BenchResult& result) {
  std::vector<std::string> found;
  double tightest = std::numeric_limits<double>::infinity();
  for (const Outcome& outcome : result.outcomes)
    if (is_latency_limit(outcome.threshold)) tightest = std::min(tightest, outcome.threshold.limit);
  const auto lag = result.publish.lag.percentile(99);
  if (lag && static_cast<double>(lag->count()) > tightest * k_most_lag)
    found.push_back("schedule lag p99 " + time_text(*lag) +
                    " is over 10 % of the tightest limit, " +
                    time_text(Nanos(static_cast<std::int64_t>(tightest))));
  const Histogram& delivery =
      comes_back(result.plan.scenario) ? result.before.values : result.delivery.values;
  const auto fleet = delivery.percentile(99), canary = result.canary.values.percentile(99);
  if (fleet && canary && delivery.count() >= k_least_samples &&
      result.canary.values.count() >= k_least_samples &&
      static_cast<double>(fleet->count()) > k_most_canary * static_cast<double>(canary->count()))
    found.push_back("the fleet's p99 " + time_text(*fleet) + " is over twice the canaries' p99 " +
                    time_text(*canary));
  return found;
}

bool has_to_spare(const BenchResult& result) {
  bool any = false;
  for (const Outcome& outcome : result.outcomes) {
    if (!is_latency_limit(outcome.threshold)) continue;
    any = true;
    if (!outcome.passed || outcome.value.value.value_or(0) * k_to_spare > outcome.threshold.limit)
      return false;
  }
  return any;
}

}  // namespace

void judge(BenchResult& result) {
  result.outcomes.clear();
  for (const Threshold& threshold : result.plan.thresholds)
    result.outcomes.push_back(check(threshold, result));
  result.verdict = {};
  check_connections(result);
  check_ledger(result);
  check_acknowledged(result);
  for (std::string& weakness : weaknesses(result)) {
    if (has_to_spare(result))
      result.verdict.notes.push_back(std::move(weakness) +
                                     "; every latency limit is met with ten times to spare");
    else
      result.verdict.reasons.push_back(std::move(weakness));
  }
  result.verdict.valid = result.verdict.reasons.empty();
}

int exit_code(const BenchResult& result) noexcept {
  if (!result.verdict.valid) return k_exit_invalid;
  const bool passed = std::all_of(result.outcomes.begin(), result.outcomes.end(),
                                  [](const Outcome& o) { return o.passed; });
  return passed ? 0 : k_exit_threshold;
}

int exit_code(std::span<const BenchResult> runs) noexcept {
  int worst = 0;
  for (const BenchResult& run : runs) worst = std::max(worst, exit_code(run));
  return worst;
}

}  // namespace clawws::bench
