#include "clawws/bench/compare.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <charconv>
#include <cmath>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/numbers.hpp"

namespace clawws::bench {
namespace {

using base::Errc;
using base::Error;

constexpr double k_confidence = 0.95;
constexpr int k_exit_regression = 21;

struct Moments {
  double mean = 0;
  double variance = 0;  // of the sample: over n - 1
  double n = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  m.n = static_cast<double>(values.size());
  for (const double value : values) m.mean += value / m.n;
  for (const double value : values)
    if (m.n > 1) m.variance += (value - m.mean) * (value - m.mean) / (m.n - 1);
  return m;
}

struct Interval {
  double middle = 0, low = 0, high = 0;
};

// Of the difference of the means. Without any variance it is the difference alone.
Interval welch(const Moments& a, const Moments& b) {
  const double middle = b.mean - a.mean;
  const double va = a.variance / a.n, vb = b.variance / b.n;
  const double squared = va + vb;
  // What is left of equal values is rounding.
  if (squared <= 1e-24 * std::max(1.0, a.mean * a.mean)) return {middle, middle, middle};
  const double freedom = squared * squared / (va * va / (a.n - 1) + vb * vb / (b.n - 1));
  const double t = boost::math::quantile(boost::math::students_t(freedom), (1 + k_confidence) / 2);
  const double half = t * std::sqrt(squared);
  return {middle, middle - half, middle + half};
}

// Values on the scale that they are compared on, and the way back to a part of the old value.
struct Scale {
  bool is_log;
  double old_mean;

  double to(double value) const { return is_log ? std::log(std::max(value, 1.0)) : value; }
  std::optional<double> part(double difference) const {
    if (is_log) return std::expm1(difference);
    if (old_mean == 0) return std::nullopt;
    return difference / old_mean;
  }
};

bool is_latency(const std::string& metric) {
  return !metric.starts_with("server.");
}

// Is a difference (on the scale) in the direction of `sign` large enough to count?
bool counts(const Change& change, const Scale& scale, double difference, const MinEffect& least,
            int sign) {
  if (difference * sign <= 0) return false;
  const auto part = scale.part(difference);
  if (part && std::abs(*part) <= least.relative) return false;
  if (change.unit != Unit::time || !is_latency(change.metric)) return true;
  return std::abs(*part) * change.old_value > static_cast<double>(least.absolute.count());
}

Judgement judge_change(const Change& change, const Scale& scale, const Interval& interval,
                       double noise, const MinEffect& least) {
  const bool is_over_noise = std::abs(interval.middle) > noise;
  if (interval.low > 0 && is_over_noise && counts(change, scale, interval.middle, least, 1))
    return Judgement::regression;
  if (interval.high < 0 && is_over_noise && counts(change, scale, interval.middle, least, -1))
    return Judgement::improved;
  return counts(change, scale, interval.high, least, 1) ? Judgement::inconclusive : Judgement::pass;
}

base::Result<double> parse_percent(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0))
    return Error(Errc::usage, "expected a percentage, as in 10%");
  return value / 100;
}

}  // namespace

base::Result<MinEffect> parse_min_effect(std::string_view text) {
  MinEffect least{0, Nanos(0)};
  bool has_relative = false, has_absolute = false;
  for (const std::string_view untrimmed : base::split(text, ',')) {
    const std::string_view part = base::trim(untrimmed);
    if (part.ends_with('%') && !has_relative) {
      const auto relative = parse_percent(part.substr(0, part.size() - 1));
      if (!relative) return relative.error();
      least.relative = *relative;
      has_relative = true;
    } else if (!part.ends_with('%') && !has_absolute) {
      const auto absolute = base::parse_duration(part);
      if (!absolute)
        return Error(Errc::usage, "expected a percentage, a time or both, as in 10%,2ms: " +
                                      absolute.error().message());
      least.absolute = *absolute;
      has_absolute = true;
    } else {
      return Error(Errc::usage, "one percentage and one time at most, as in 10%,2ms");
    }
  }
  return least;
}

std::string_view judgement_word(Judgement judgement) noexcept {
  switch (judgement) {
    case Judgement::pass:
      return "PASS";
    case Judgement::regression:
      return "REGRESSION";
    case Judgement::improved:
      return "IMPROVED";
    case Judgement::inconclusive:
      return "INCONCLUSIVE";
  }
  return "?";
}

Change compare_values(const RunValues& before, const RunValues& after, const MinEffect& least) {
  Change change;
  change.metric = before.metric;
  change.unit = before.unit;
  change.before = before.values;
  change.after = after.values;
  Scale scale{before.unit != Unit::count, moments(before.values).mean};
  std::vector<double> a, b;
  for (const double value : before.values) a.push_back(scale.to(value));
  for (const double value : after.values) b.push_back(scale.to(value));
  const Moments old_moments = moments(a), new_moments = moments(b);
  change.old_value = scale.is_log ? std::exp(old_moments.mean) : old_moments.mean;
  change.new_value = scale.is_log ? std::exp(new_moments.mean) : new_moments.mean;
  change.change = scale.part(new_moments.mean - old_moments.mean);
  if (a.size() < k_least_runs || b.size() < k_least_runs) {
    change.why = "too few runs: " + std::to_string(a.size()) + " and " + std::to_string(b.size()) +
                 "; at least " + std::to_string(k_least_runs) + " each (--repeat 5)";
    return change;
  }
  const Interval interval = welch(old_moments, new_moments);
  const double noise = 2 * std::sqrt(old_moments.variance);
  change.low = scale.part(interval.low);
  change.high = scale.part(interval.high);
  change.noise = scale.part(noise);
  change.judgement = judge_change(change, scale, interval, noise, least);
  if (change.judgement == Judgement::inconclusive)
    change.why = interval.low > 0 && std::abs(interval.middle) <= noise
                     ? "no more than the noise of the old runs"
                     : "the runs vary too much to rule a regression out; more of them would tell";
  return change;
}

bool Compared::has(Judgement judgement) const {
  return std::any_of(changes.begin(), changes.end(),
                     [=](const Change& change) { return change.judgement == judgement; });
}

int Compared::exit_code() const {
  return has(Judgement::regression) ? k_exit_regression : 0;
}

Compared compare_runs(std::span<const BenchResult> before, std::span<const BenchResult> after,
                      const MinEffect& least) {
  Compared compared;
  compared.old_runs = before.size();
  compared.new_runs = after.size();
  compared.least = least;
  compared.plan = before.front().plan;
  const auto old_rows = run_values(before), new_rows = run_values(after);
  for (std::size_t i = 0; i < old_rows.size(); ++i) {
    const std::string& missing =
        old_rows[i].missing.empty() ? new_rows[i].missing : old_rows[i].missing;
    if (missing.empty())
      compared.changes.push_back(compare_values(old_rows[i], new_rows[i], least));
    else
      compared.left_out.push_back(old_rows[i].metric + ": " + missing);
  }
  const BenchPlan &a = before.front().plan, &b = after.front().plan;
  if (a.cores != b.cores)
    compared.notes.push_back("measured on machines with " + std::to_string(a.cores) + " and " +
                             std::to_string(b.cores) + " cores");
  if (before.front().server_source != after.front().server_source)
    compared.notes.push_back("not the same kind of server: " + before.front().server_source +
                             " and " + after.front().server_source);
  return compared;
}

std::string plan_difference(const BenchPlan& a, const BenchPlan& b) {
  if (a.scenario != b.scenario)
    return "scenario: " + std::string(scenario_name(a.scenario)) + " and " +
           std::string(scenario_name(b.scenario));
  struct Row {
    const char* name;
    double a, b;
  };
  const auto number = [](auto value) { return static_cast<double>(value); };
  for (const Row& row :
       {Row{"connections", number(a.connections), number(b.connections)},
        Row{"rate", a.rate, b.rate}, Row{"events", number(a.events), number(b.events)},
        Row{"warm-up events", number(a.warm_up), number(b.warm_up)},
        Row{"event size", number(a.size_bytes), number(b.size_bytes)},
        Row{"publishers", number(a.publishers), number(b.publishers)},
        Row{"batch", number(a.batch), number(b.batch)},
        Row{"connect rate", a.connect_rate, b.connect_rate},
        Row{"hold (ms)", number(a.hold.count()), number(b.hold.count())},
        Row{"stalled clients", number(a.stalled), number(b.stalled)},
        Row{"churn", a.churn_rate, b.churn_rate},
        Row{"leavers", number(a.leavers), number(b.leavers)},
        Row{"away", number(a.away), number(b.away)}}) {
    if (row.a != row.b)
      return std::string(row.name) + ": " + decimal(row.a, 0) + " and " + decimal(row.b, 0);
  }
  if (a.count_lost != b.count_lost) return "lost deliveries: counted in and out";
  return {};
}

}  // namespace clawws::bench
