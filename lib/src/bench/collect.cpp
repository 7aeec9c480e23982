#include "clawws/bench/collect.hpp"

#include <algorithm>

namespace clawws::bench {
namespace {

// How many clients each event that counts was due to.
std::vector<std::uint64_t> receivers_due(const Tally& fleet) {
  std::vector<std::uint64_t> due(fleet.events.size(), fleet.measured);
  std::int64_t change = 0;
  for (std::size_t i = 0; i < std::min(due.size(), fleet.due.size()); ++i) {
    change += fleet.due[i];
    due[i] = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, static_cast<std::int64_t>(fleet.measured) + change));
  }
  return due;
}

void collect_events(BenchResult& result, const Measure& measure,
                    const std::vector<std::uint64_t>& sent, const std::vector<std::uint64_t>& due) {
  const Tally& fleet = result.fleet;
  const bool lost_counts = result.plan.count_lost == CountLost::in;
  for (std::uint64_t i = 0; i < fleet.events.size() && fleet.measured > 0; ++i) {
    const std::uint64_t event = measure.warm_up + i;
    if (event / measure.publishers >= sent[event % measure.publishers]) continue;
    const EventMark& mark = fleet.events[i];
    const std::uint64_t lost = due[i] - std::min<std::uint64_t>(due[i], mark.receivers);
    if (!fleet.due.empty()) result.owed = result.owed.value_or(0) + due[i];
    if (due[i] == 0) continue;
    if (mark.receivers > 0)
      result.first.values.record(mark.first);
    else if (lost_counts)
      ++result.first.beyond;
    if (lost == 0)
      result.to_all.values.record(mark.last);
    else if (lost_counts)
      ++result.to_all.beyond;
    if (lost_counts) (event < measure.split ? result.before : result.disturbed).beyond += lost;
  }
}

// The rows that the controller saw of the measured phase, filled with what was due in them. Both
// are a second each from the same begin, but seen by two clocks' looks: there may be a row more or
// less of either.
void collect_series(BenchResult& result, const Measure& measure,
                    const std::vector<std::uint64_t>& sent, const std::vector<std::uint64_t>& due) {
  if (measure.events_a_row <= 0) return;
  std::vector<SeriesRow>& series = result.series;
  const auto is_measured = [](const SeriesRow& row) { return row.phase == Phase::measure; };
  auto first = std::find_if(series.begin(), series.end(), is_measured);
  if (first == series.end()) return;
  const auto begin = static_cast<std::size_t>(first - series.begin());
  auto count = static_cast<std::size_t>(std::count_if(first, series.end(), is_measured));
  const std::size_t needed = measure.row_of(measure.total - 1) + 1;
  for (; count < needed && result.signal == 0; ++count) {
    SeriesRow more = series[begin + count - 1];
    more.at += more.lasts;
    more.lasts = Nanos(0);
    series.insert(series.begin() + static_cast<std::ptrdiff_t>(begin + count), more);
  }
  const Tally& fleet = result.fleet;
  for (std::uint64_t i = 0; i < fleet.events.size(); ++i) {
    const std::uint64_t event = measure.warm_up + i;
    if (event / measure.publishers >= sent[event % measure.publishers]) continue;
    SeriesRow& row = series[begin + std::min(measure.row_of(event), count - 1)];
    const EventMark& mark = fleet.events[i];
    ++row.published;
    row.delivered += mark.receivers;
    row.lost += due[i] - std::min<std::uint64_t>(due[i], mark.receivers);
    if (mark.receivers > 0) row.max = std::max(row.max.value_or(Nanos(0)), mark.last);
  }
  for (std::size_t i = 0; i < std::min(fleet.rows.size(), count); ++i) {
    if (!fleet.rows[i]) continue;
    SeriesRow& row = series[begin + i];
    const std::uint64_t beyond = result.plan.count_lost == CountLost::in ? row.lost : 0;
    // The small histogram's middles may lie above the largest value itself.
    const auto at_most = [&](std::optional<Nanos> value) {
      return value && row.max ? std::min(value, row.max) : value;
    };
    row.p50 = at_most(fleet.rows[i]->percentile(50, beyond));
    row.p99 = at_most(fleet.rows[i]->percentile(99, beyond));
  }
  // Nothing is known of single events of the warm-up but when they were due.
  std::uint64_t left = measure.warm_up;
  for (SeriesRow& row : series) {
    if (row.phase != Phase::warm_up) continue;
    const double part = std::chrono::duration<double>(row.lasts).count();
    row.published = std::min(left, static_cast<std::uint64_t>(part * result.plan.rate + 0.5));
    left -= row.published;
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

std::optional<double> catch_up_rate(const BenchResult& result) {
  const auto& comeback = result.fleet.comeback;
  if (!comeback || !result.all_back || *result.all_back <= Nanos(0) ||
      comeback->replayed.count() == 0)
    return std::nullopt;
  return static_cast<double>(comeback->replayed.count()) /
         std::chrono::duration<double>(*result.all_back).count();
}

void collect(BenchResult& result, const Tally& canaries, const Measure& measure,
             const std::vector<std::uint64_t>& sent) {
  const Scenario scenario = result.plan.scenario;
  for (const Histogram& window : canaries.delivery) {
    result.canary.values.merge(window);
    // They are the measure of a generator that has nothing to do but to receive.
    if (comes_back(scenario)) break;
  }
  for (const Histogram& window : result.fleet.delivery) result.delivery.values.merge(window);
  if (result.plan.count_lost == CountLost::in) result.delivery.beyond = result.fleet.ledger.lost;
  const std::vector<std::uint64_t> due = receivers_due(result.fleet);
  collect_events(result, measure, sent, due);
  // Of those that come back a lost delivery is in `delivery` alone: it has no time.
  if (scenario != Scenario::slow_consumer) result.before = result.disturbed = {};
  if (scenario == Scenario::slow_consumer || comes_back(scenario))
    result.before.values.merge(result.fleet.delivery[0]);
  if (scenario == Scenario::slow_consumer || scenario == Scenario::resume)
    result.disturbed.values.merge(result.fleet.delivery[1]);
  collect_fairness(result);
  collect_series(result, measure, sent, due);
  // What single events went through is in the distributions now, and may be a lot of memory.
  result.fleet.events = {};
  result.fleet.rows = {};
  result.fleet.due = {};
}

}  // namespace clawws::bench
