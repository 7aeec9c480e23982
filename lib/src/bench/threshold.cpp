#include "clawws/bench/threshold.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/numbers.hpp"
#include "clawws/bench/result.hpp"

namespace clawws::bench {
namespace {

using base::Errc;
using base::Error;

// Metrics are found by name in two tables; a name that is in neither is unknown. Adding a row makes
// a metric known to thresholds, to the nearest-name hint and to the test that holds the manual page
// to this list.
struct DistributionRow {
  std::string_view name;
  Distribution (*get)(const BenchResult&);
};

constexpr std::array k_distributions{
    DistributionRow{"delivery", [](const BenchResult& r) { return r.delivery; }},
    DistributionRow{"delivery.before", [](const BenchResult& r) { return r.before; }},
    DistributionRow{"delivery.stalled",
                    [](const BenchResult& r) {
                      return r.plan.scenario == Scenario::slow_consumer ? r.disturbed
                                                                        : Distribution{};
                    }},
    DistributionRow{"delivery.others",
                    [](const BenchResult& r) {
                      return r.plan.scenario == Scenario::resume ? r.disturbed : Distribution{};
                    }},
    DistributionRow{
        "delivery.replayed",
        [](const BenchResult& r) {
          return r.fleet.comeback ? Distribution{r.fleet.comeback->replayed, 0} : Distribution{};
        }},
    DistributionRow{"first", [](const BenchResult& r) { return r.first; }},
    DistributionRow{"to-all", [](const BenchResult& r) { return r.to_all; }},
    DistributionRow{"connect",
                    [](const BenchResult& r) {
                      return Distribution{r.fleet.connect, 0};
                    }},
    DistributionRow{"connect.tcp",
                    [](const BenchResult& r) {
                      return Distribution{r.fleet.tcp, 0};
                    }},
    DistributionRow{"connect.tls",
                    [](const BenchResult& r) {
                      return Distribution{r.fleet.tls, 0};
                    }},
    DistributionRow{"connect.upgrade",
                    [](const BenchResult& r) {
                      return Distribution{r.fleet.upgrade, 0};
                    }},
    DistributionRow{"connect.first-frame",
                    [](const BenchResult& r) {
                      return Distribution{r.fleet.first_frame, 0};
                    }},
    DistributionRow{"return",
                    [](const BenchResult& r) {
                      return Distribution{r.fleet.returns, 0};
                    }},
    // Who is not back is longer away than all others.
    DistributionRow{"reconnect",
                    [](const BenchResult& r) {
                      return r.fleet.comeback ? Distribution{r.fleet.comeback->live_again,
                                                             r.fleet.comeback->not_back}
                                              : Distribution{};
                    }},
    DistributionRow{
        "catch-up",
        [](const BenchResult& r) {
          return r.fleet.comeback ? Distribution{r.fleet.comeback->catch_up, 0} : Distribution{};
        }},
    DistributionRow{"publish",
                    [](const BenchResult& r) {
                      return Distribution{r.publish.response, 0};
                    }},
    DistributionRow{"schedule-lag",
                    [](const BenchResult& r) {
                      return Distribution{r.publish.lag, 0};
                    }},
    DistributionRow{"canary", [](const BenchResult& r) { return r.canary; }},
};

struct ScalarRow {
  std::string_view name;
  Unit unit;
  std::optional<double> (*get)(const BenchResult&);
};

std::optional<double> number(std::uint64_t value) {
  return static_cast<double>(value);
}
std::optional<double> number(Nanos value) {
  return static_cast<double>(value.count());
}

std::optional<double> number(std::optional<Nanos> value) {
  return value ? number(*value) : std::nullopt;
}
std::optional<double> of_comeback(const BenchResult& r, std::uint64_t Comeback::*count) {
  return r.fleet.comeback ? number((*r.fleet.comeback).*count) : std::nullopt;
}

// `part` over `whole`; nothing without a server or with nothing to share between.
std::optional<double> share(const BenchResult& r, Nanos ServerUse::*part, std::uint64_t whole) {
  if (!r.server || whole == 0) return std::nullopt;
  return static_cast<double>(((*r.server).*part).count()) / static_cast<double>(whole);
}

constexpr std::array k_scalars{
    ScalarRow{"connections", Unit::count, [](const BenchResult& r) { return number(r.live); }},
    ScalarRow{"connect.failed", Unit::count,
              [](const BenchResult& r) {
                return number(r.plan.connections -
                              std::min<std::uint64_t>(r.live, r.plan.connections));
              }},
    ScalarRow{"returns", Unit::count,
              [](const BenchResult& r) { return number(r.fleet.returns.count()); }},
    ScalarRow{"return.failed", Unit::count,
              [](const BenchResult& r) { return number(r.fleet.returns_failed); }},
    ScalarRow{"reconnect.all", Unit::time, [](const BenchResult& r) { return number(r.all_back); }},
    ScalarRow{"not-back", Unit::count,
              [](const BenchResult& r) { return of_comeback(r, &Comeback::not_back); }},
    ScalarRow{"catch-up.rate", Unit::count, [](const BenchResult& r) { return catch_up_rate(r); }},
    ScalarRow{"gaps", Unit::count,
              [](const BenchResult& r) { return of_comeback(r, &Comeback::gaps); }},
    ScalarRow{"server.down", Unit::time,
              [](const BenchResult& r) { return number(r.server_down); }},
    ScalarRow{"cut", Unit::count, [](const BenchResult& r) { return number(r.fleet.cut); }},
    ScalarRow{"expected", Unit::count,
              [](const BenchResult& r) { return number(r.fleet.ledger.expected); }},
    ScalarRow{"delivered", Unit::count,
              [](const BenchResult& r) { return number(r.fleet.ledger.delivered); }},
    ScalarRow{"lost", Unit::count,
              [](const BenchResult& r) { return number(r.fleet.ledger.lost); }},
    ScalarRow{"dup", Unit::count,
              [](const BenchResult& r) { return number(r.fleet.ledger.duplicated); }},
    ScalarRow{"reordered", Unit::count,
              [](const BenchResult& r) { return number(r.fleet.ledger.reordered); }},
    ScalarRow{"corrupt", Unit::count, [](const BenchResult& r) { return number(r.fleet.corrupt); }},
    ScalarRow{"publish.failed", Unit::count,
              [](const BenchResult& r) { return number(r.publish.refused + r.publish.failed); }},
    ScalarRow{"fairness.min", Unit::time,
              [](const BenchResult& r) {
                return r.fairness_min ? number(*r.fairness_min) : std::nullopt;
              }},
    ScalarRow{"fairness.median", Unit::time,
              [](const BenchResult& r) {
                return r.fairness_median ? number(*r.fairness_median) : std::nullopt;
              }},
    ScalarRow{"fairness.max", Unit::time,
              [](const BenchResult& r) {
                return r.fairness_max ? number(*r.fairness_max) : std::nullopt;
              }},
    ScalarRow{"server.cpu", Unit::cores,
              [](const BenchResult& r) {
                return r.server ? std::optional<double>(r.server->cores) : std::nullopt;
              }},
    ScalarRow{"server.cpu-per-delivery", Unit::time,
              [](const BenchResult& r) {
                // The server served the canaries too.
                return share(r, &ServerUse::cpu_measured,
                             r.fleet.ledger.delivered + r.canary.values.count());
              }},
    ScalarRow{"server.cpu-per-connect", Unit::time,
              [](const BenchResult& r) {
                return share(r, &ServerUse::cpu_connect,
                             r.server ? r.server->memory.connections : 0);
              }},
    ScalarRow{"server.rss", Unit::bytes,
              [](const BenchResult& r) {
                return r.server ? number(r.server->memory.peak) : std::nullopt;
              }},
    ScalarRow{"server.rss-growth", Unit::bytes,
              [](const BenchResult& r) -> std::optional<double> {
                const auto growth = rss_growth(r);
                return growth ? std::optional(growth->an_hour) : std::nullopt;
              }},
    ScalarRow{"server.files-growth", Unit::count,
              [](const BenchResult& r) -> std::optional<double> {
                const auto growth = files_growth(r);
                return growth ? std::optional(growth->an_hour) : std::nullopt;
              }},
    ScalarRow{"server.bytes-per-conn", Unit::bytes,
              [](const BenchResult& r) -> std::optional<double> {
                return r.server ? r.server->memory.bytes_per_connection() : std::nullopt;
              }},
    ScalarRow{"client.cpu", Unit::cores,
              [](const BenchResult& r) { return std::optional<double>(r.client_cores); }},
    ScalarRow{"client.rss", Unit::bytes,
              [](const BenchResult& r) { return number(r.client_memory.peak); }},
    ScalarRow{"client.bytes-per-conn", Unit::bytes,
              [](const BenchResult& r) { return r.client_memory.bytes_per_connection(); }},
};

struct Statistic {
  enum class Kind : std::uint8_t { min, mean, max, percentile } kind;
  double percent = 0;
};

std::optional<Statistic> parse_statistic(std::string_view text) {
  if (text == "min") return Statistic{Statistic::Kind::min};
  if (text == "mean") return Statistic{Statistic::Kind::mean};
  if (text == "max") return Statistic{Statistic::Kind::max};
  if (!text.starts_with('p') || text.size() < 2 || text[1] < '0' || text[1] > '9')
    return std::nullopt;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), percent,
                                            std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || percent <= 0 || percent >= 100)
    return std::nullopt;
  return Statistic{Statistic::Kind::percentile, percent};
}

struct Parsed {
  const DistributionRow* distribution = nullptr;
  Statistic statistic{};
  const ScalarRow* scalar = nullptr;

  explicit operator bool() const { return distribution != nullptr || scalar != nullptr; }
  Unit unit() const { return scalar != nullptr ? scalar->unit : Unit::time; }
};

Parsed parse_metric(std::string_view name) {
  Parsed parsed;
  for (const ScalarRow& row : k_scalars)
    if (row.name == name) parsed.scalar = &row;
  if (parsed) return parsed;
  for (const DistributionRow& row : k_distributions) {
    if (!name.starts_with(row.name) || name.size() <= row.name.size() + 1 ||
        name[row.name.size()] != '.')
      continue;
    if (const auto statistic = parse_statistic(name.substr(row.name.size() + 1))) {
      parsed.distribution = &row;
      parsed.statistic = *statistic;
    }
  }
  return parsed;
}

// A number without a sign at the front of `text`, which it is taken from.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || text.front() < '0' || text.front() > '9') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

base::Result<double> parse_limit(std::string_view text, Unit unit) {
  const auto as_double = [](const auto& parsed) -> base::Result<double> {
    if (!parsed) return parsed.error();
    return static_cast<double>(*parsed);
  };
  switch (unit) {
    case Unit::bytes:
      return as_double(base::parse_size(text));
    case Unit::count:
      return as_double(base::parse_count(text));
    case Unit::time: {
      // Options know no parts of milliseconds; here they are the size of things.
      std::string_view rest = text;
      const auto number = take_number(rest);
      if (number && rest == "us") return *number * 1e3;
      if (number && rest == "ms") return *number * 1e6;
      const auto value = base::parse_duration(text);
      if (!value) return value.error();
      return static_cast<double>(Nanos(*value).count());
    }
    case Unit::cores:
      break;
  }
  const auto value = take_number(text);
  if (!value || !text.empty()) return Error(Errc::usage, "expected a number");
  return *value;
}

struct ComparisonRow {
  std::string_view text;
  Comparison comparison;
};
// Longer ones first.
constexpr std::array k_comparisons{
    ComparisonRow{"<=", Comparison::less_equal}, ComparisonRow{">=", Comparison::greater_equal},
    ComparisonRow{"==", Comparison::equal},      ComparisonRow{"!=", Comparison::not_equal},
    ComparisonRow{"<", Comparison::less},        ComparisonRow{">", Comparison::greater},
};

bool holds(Comparison comparison, double value, double limit) {
  switch (comparison) {
    case Comparison::less:
      return value < limit;
    case Comparison::less_equal:
      return value <= limit;
    case Comparison::greater:
      return value > limit;
    case Comparison::greater_equal:
      return value >= limit;
    case Comparison::equal:
      return value == limit;
    case Comparison::not_equal:
      return value != limit;
  }
  return false;
}

}  // namespace

std::optional<double> MemoryUse::bytes_per_connection() const noexcept {
  if (connections == 0) return std::nullopt;
  return (static_cast<double>(settled) - static_cast<double>(before)) /
         static_cast<double>(connections);
}

std::string_view comparison_text(Comparison comparison) noexcept {
  for (const ComparisonRow& row : k_comparisons)
    if (row.comparison == comparison) return row.text;
  return "?";
}

std::string format_value(Unit unit, double value) {
  switch (unit) {
    case Unit::time:
      return time_text(Nanos(std::llround(value)));
    case Unit::bytes:
      return value < 0 ? "-" + base::format_size(static_cast<std::uint64_t>(-value))
                       : base::format_size(static_cast<std::uint64_t>(value));
    case Unit::count:
      return (value <= -0.5 ? "-" : "") +
             base::format_count(static_cast<std::uint64_t>(std::llround(std::abs(value))));
    case Unit::cores:
      break;
  }
  return decimal(value, 2) + " cores";
}

std::string Threshold::text() const {
  return metric + " " + std::string(comparison_text(comparison)) + " " + format_value(unit, limit);
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const DistributionRow& row : k_distributions) names.push_back(std::string(row.name) + ".*");
  for (const ScalarRow& row : k_scalars) names.emplace_back(row.name);
  return names;
}

base::Result<Threshold> parse_threshold(std::string_view text) {
  const std::size_t at = text.find_first_of("<>=!");
  const std::string metric(base::trim(text.substr(0, at)));
  const ComparisonRow* found = nullptr;
  if (at != std::string_view::npos)
    for (const ComparisonRow& row : k_comparisons)
      if (found == nullptr && text.substr(at).starts_with(row.text)) found = &row;
  if (found == nullptr || metric.empty())
    return Error(
        Errc::usage,
        "expected METRIC, one of < <= > >= == !=, and a limit, as in 'delivery.p99<100ms'");
  const Parsed parsed = parse_metric(metric);
  if (!parsed) {
    std::vector<std::string> candidates;
    for (const DistributionRow& row : k_distributions)
      for (const char* statistic : {".min", ".mean", ".max", ".p50", ".p90", ".p99", ".p99.9"})
        candidates.push_back(std::string(row.name) + statistic);
    for (const ScalarRow& row : k_scalars) candidates.emplace_back(row.name);
    const auto near = base::nearest(metric, candidates);
    return Error(Errc::usage,
                 "unknown metric '" + base::escape_terminal(metric) + "'" +
                     (near ? "; did you mean '" + *near + "'?" : "; clawws-bench(1) lists them"));
  }
  const auto limit = parse_limit(base::trim(text.substr(at + found->text.size())), parsed.unit());
  if (!limit) return Error(Errc::usage, "the limit of " + metric + ": " + limit.error().message());
  return Threshold{metric, found->comparison, *limit, parsed.unit()};
}

MetricValue metric_value(const BenchResult& result, std::string_view metric) {
  const Parsed parsed = parse_metric(metric);
  MetricValue value;
  value.unit = parsed.unit();
  if (parsed.scalar != nullptr) {
    value.value = parsed.scalar->get(result);
    value.samples = value.value ? 1 : 0;
    return value;
  }
  if (parsed.distribution == nullptr) return value;
  const Distribution distribution = parsed.distribution->get(result);
  value.samples = distribution.samples();
  if (value.samples == 0) return value;
  std::optional<Nanos> found;
  switch (parsed.statistic.kind) {
    case Statistic::Kind::min:
      if (distribution.values.count() > 0) found = distribution.values.min();
      break;
    case Statistic::Kind::mean:
      if (distribution.beyond == 0) found = distribution.values.mean();
      break;
    case Statistic::Kind::max:
      if (distribution.beyond == 0) found = distribution.values.max();
      break;
    case Statistic::Kind::percentile:
      value.needed =
          static_cast<std::uint64_t>(std::ceil(10 / (1 - parsed.statistic.percent / 100) - 1e-6));
      found = distribution.values.percentile(parsed.statistic.percent, distribution.beyond);
      break;
  }
  if (found)
    value.value = static_cast<double>(found->count());
  else
    value.is_beyond = true;
  return value;
}

Outcome check(const Threshold& threshold, const BenchResult& result) {
  Outcome outcome{threshold, metric_value(result, threshold.metric), false, {}};
  const MetricValue& value = outcome.value;
  if (!value.value && !value.is_beyond) {
    outcome.why = "no data";
  } else if (value.samples < value.needed) {
    outcome.why = "needs " + base::format_count(value.needed) + " samples, has " +
                  base::format_count(value.samples);
  } else {
    outcome.passed = holds(threshold.comparison, value.value.value_or(HUGE_VAL), threshold.limit);
  }
  return outcome;
}

std::string measured_text(const Outcome& outcome) {
  if (!outcome.why.empty()) return outcome.why;
  if (outcome.value.value) return format_value(outcome.value.unit, *outcome.value.value);
  // Only clients that left are measured by when they are back.
  const std::string_view metric = outcome.threshold.metric;
  if (metric.starts_with("reconnect.")) return "clients that never came back";
  if (metric.starts_with("catch-up.")) return "clients that never caught up";
  return "over the drain deadline";
}

}  // namespace clawws::bench
