#include "clawws/bench/collect.hpp"

#include <algorithm>

namespace clawws::bench {
namespace {

void collect_events(BenchResult& result, const Measure& measure,
                    const std::vector<std::uint64_t>& sent) {
  const Tally& fleet = result.fleet;
  const bool lost_counts = result.plan.count_lost == CountLost::in;
  for (std::uint64_t i = 0; i < fleet.events.size() && fleet.measured > 0; ++i) {
    const std::uint64_t event = measure.warm_up + i;
    if (event / measure.publishers >= sent[event % measure.publishers]) continue;
    const EventMark& mark = fleet.events[i];
    const std::uint64_t lost =
        fleet.measured - std::min<std::uint64_t>(fleet.measured, mark.receivers);
    if (mark.receivers > 0)
      result.first.values.record(mark.first);
    else if (lost_counts)
      ++result.first.beyond;
    if (lost == 0)
      result.to_all.values.record(mark.last);
    else if (lost_counts)
      ++result.to_all.beyond;
    if (lost_counts) (event < measure.split ? result.before : result.stalled).beyond += lost;
  }
}

void collect_fairness(BenchResult& result) {
  std::vector<std::optional<Nanos>>& p99s = result.fleet.p99s;
  if (p99s.empty()) return;
  // Nothing stands for more than everything.
  std::sort(p99s.begin(), p99s.end(), [](const auto& a, const auto& b) {
    return a.has_value() && (!b.has_value() || *a < *b);
  });
  result.fairness_min = p99s.front();
  result.fairness_median = p99s[p99s.size() / 2];
  result.fairness_max = p99s.back();
}

}  // namespace

void collect(BenchResult& result, const Tally& canaries, const Measure& measure,
             const std::vector<std::uint64_t>& sent) {
  for (const Histogram& window : canaries.delivery) result.canary.values.merge(window);
  for (const Histogram& window : result.fleet.delivery) result.delivery.values.merge(window);
  if (result.plan.count_lost == CountLost::in) result.delivery.beyond = result.fleet.ledger.lost;
  collect_events(result, measure, sent);
  if (result.plan.scenario == Scenario::slow_consumer) {
    result.before.values.merge(result.fleet.delivery[0]);
    result.stalled.values.merge(result.fleet.delivery[1]);
  } else {
    result.before = result.stalled = {};
  }
  collect_fairness(result);
  // What single events went through is in the distributions now, and may be a lot of memory.
  result.fleet.events = {};
}

}  // namespace clawws::bench
