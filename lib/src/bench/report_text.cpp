// The report for people. A line is a word of the manual page's OUTPUT and what it says; lines below
// it that have no word belong to it. Whatever a server said is escaped: it may be anything.
#include <algorithm>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/numbers.hpp"
#include "clawws/bench/report.hpp"
#include "clawws/bench/run_values.hpp"

namespace clawws::bench {
namespace {

using base::format_count;

constexpr std::string_view k_red = "\x1b[31m", k_green = "\x1b[32m", k_yellow = "\x1b[33m",
                           k_plain = "\x1b[0m";

// Fewer share the CPU time of the publishing too unevenly for a number.
constexpr std::uint64_t k_least_deliveries = 1'000;

std::string line(std::string_view word, const std::string& rest) {
  std::string out(word);
  out.resize(10, ' ');
  return out + rest + "\n";
}

std::string painted(std::string_view text, std::string_view color, client::Color use) {
  if (use == client::Color::off) return std::string(text);
  return std::string(color).append(text).append(k_plain);
}

std::string percentile(const Distribution& distribution, double percent, const BenchPlan& plan) {
  const auto value = distribution.values.percentile(percent, distribution.beyond);
  if (value) return millis(*value);
  return distribution.samples() == 0 ? "-" : "over " + millis(plan.drain) + " (lost)";
}

std::string largest(const Distribution& distribution, const BenchPlan& plan) {
  if (distribution.beyond > 0) return "over " + millis(plan.drain) + " (lost)";
  return distribution.values.count() == 0 ? "-" : millis(distribution.values.max());
}

std::string plan_line(const BenchResult& r) {
  const BenchPlan& plan = r.plan;
  std::string text =
      format_count(plan.connections) + " conns · " + format_count(plan.events) +
      (plan.events == 1 ? " event · " : " events · ") +
      format_count(plan.scenario == Scenario::churn ? r.fleet.ledger.expected
                                                    : plan.events * plan.connections) +
      " deliveries · " + base::format_size(plan.size_bytes) + " · " +
      base::escape_terminal(r.tls.substr(0, r.tls.find(' '))) + " · one process, monotonic clock";
  if (plan.scenario != Scenario::steady)
    text = std::string(scenario_name(plan.scenario)) + " · " + text;
  return line("plan", text) + line("target", base::escape_terminal(r.url) + " (" +
                                                 base::escape_terminal(r.server_source) + ")");
}

std::string failure_lines(const std::map<std::string, std::uint64_t>& failures) {
  std::string text;
  for (const auto& [what, times] : failures)
    text += line("", format_count(times) + " times: " + base::escape_terminal(what));
  return text;
}

std::string connect_lines(const BenchResult& r) {
  const Histogram& h = r.fleet.connect;
  const auto p = [](const Histogram& histogram, double percent) {
    const auto value = histogram.percentile(percent);
    return value ? millis(*value) : std::string("-");
  };
  std::string text = line(
      "connect", format_count(r.live) + "/" + format_count(r.plan.connections) + " in " +
                     base::format_duration(r.connect_took) + "   p50 " + p(h, 50) + " ms  p99 " +
                     p(h, 99) + " ms   failed " + format_count(r.plan.connections - r.live));
  text += line("", "p50/p99 ms: TCP " + p(r.fleet.tcp, 50) + "/" + p(r.fleet.tcp, 99) + "  TLS " +
                       p(r.fleet.tls, 50) + "/" + p(r.fleet.tls, 99) + "  upgrade " +
                       p(r.fleet.upgrade, 50) + "/" + p(r.fleet.upgrade, 99) + "  first frame " +
                       p(r.fleet.first_frame, 50) + "/" + p(r.fleet.first_frame, 99));
  return text + failure_lines(r.fleet.connect_failures);
}

std::string churn_lines(const BenchResult& r) {
  if (r.plan.scenario != Scenario::churn) return {};
  const auto p = [&](double percent) {
    const auto value = r.fleet.returns.percentile(percent);
    return value ? millis(*value) : std::string("-");
  };
  std::string text =
      line("churn", format_count(r.fleet.returns.count()) + " came back (" +
                        decimal(r.plan.churn_rate, 0) + "/s)   p50 " + p(50) + " ms  p99 " + p(99) +
                        "  max " + p(100) + "   failed " + format_count(r.fleet.returns_failed));
  return text + failure_lines(r.fleet.return_failures);
}

// What a restart did to the server, and what became of those that lost their connection.
std::string reconnect_lines(const BenchResult& r) {
  if (!r.fleet.comeback) return {};
  const Comeback& c = *r.fleet.comeback;
  std::string text;
  if (is_restart(r.plan.scenario))
    text =
        line("restart", std::string(r.plan.scenario == Scenario::restart ? "SIGTERM" : "SIGKILL") +
                            "; listening again after " +
                            (r.server_down ? time_text(*r.server_down) : std::string("-")) +
                            "   requests repeated " + format_count(r.publish.repeated));
  const Distribution again{c.live_again, c.not_back};
  text +=
      line("reconnect", format_count(c.lost) + " connections lost; " +
                            (r.all_back        ? "all live again in " + time_text(*r.all_back)
                             : c.not_back == 0 ? std::string("all live again")
                                               : format_count(c.not_back) + " never live again") +
                            "   p50 " + percentile(again, 50, r.plan) + " ms  p99 " +
                            percentile(again, 99, r.plan) + "  max " + largest(again, r.plan) +
                            "   attempts failed " + format_count(r.fleet.returns_failed));
  text += failure_lines(r.fleet.return_failures);
  const Distribution catch_up{c.catch_up, 0};
  const auto rate = catch_up_rate(r);
  return text + line("catch-up",
                     "p50 " + percentile(catch_up, 50, r.plan) + " ms  p99 " +
                         percentile(catch_up, 99, r.plan) + "  max " + largest(catch_up, r.plan) +
                         "   replayed " + format_count(c.replayed.count()) +
                         (rate ? " (" + decimal(*rate, 0) + "/s)" : "") + "   seen already " +
                         format_count(c.dropped) + "  gaps " + format_count(c.gaps));
}

std::string soak_line(const BenchResult& r) {
  if (r.plan.scenario != Scenario::soak) return {};
  const auto rss = rss_growth(r), files = files_growth(r);
  if (!rss) return line("soak", "no server process to look at, or fewer than 10 s of it");
  const auto sign = [](double value) { return value < 0 ? "" : "+"; };
  std::string text =
      "an hour: rss " + std::string(sign(rss->an_hour)) + format_value(Unit::bytes, rss->an_hour);
  if (files)
    text += "  open files " + std::string(sign(files->an_hour)) + decimal(files->an_hour, 1);
  return line("soak", text + "   (line through the last " + std::to_string(rss->rows) + " rows)");
}

std::string distribution_line(std::string_view word, const Distribution& d, const BenchPlan& plan) {
  return line(word, "p50 " + percentile(d, 50, plan) + " ms  p90 " + percentile(d, 90, plan) +
                        "  p99 " + percentile(d, 99, plan) + "  p99.9 " +
                        percentile(d, 99.9, plan) + "  max " + largest(d, plan) +
                        "      (n=" + format_count(d.samples()) + ", from intended start" +
                        (plan.count_lost == CountLost::out ? ", lost ones left out)" : ")"));
}

std::string delivery_lines(const BenchResult& r) {
  std::string text = distribution_line("deliver", r.delivery, r.plan);
  if (r.plan.scenario == Scenario::slow_consumer) {
    text += distribution_line(" before", r.before, r.plan);
    text += distribution_line(" stalled", r.disturbed, r.plan);
    text += line("", format_count(r.plan.stalled) +
                         " clients stopped reading in the second half; the server ended " +
                         format_count(r.stalled_ended));
  }
  if (r.fleet.comeback) text += distribution_line(" before", r.before, r.plan);
  if (r.plan.scenario == Scenario::resume)
    text += distribution_line(" others", r.disturbed, r.plan);
  const auto fair = [&](const std::optional<Nanos>& value) {
    return value ? millis(*value) : std::string("lost");
  };
  text += line("to-all", "p50 " + percentile(r.to_all, 50, r.plan) + " ms  p99 " +
                             percentile(r.to_all, 99, r.plan) + " ms   first receiver p50 " +
                             percentile(r.first, 50, r.plan) + " p99 " +
                             percentile(r.first, 99, r.plan) +
                             "   fairness p99 per conn: " + fair(r.fairness_min) + " / " +
                             fair(r.fairness_median) + " / " + fair(r.fairness_max));
  return text;
}

std::string ledger_lines(const BenchResult& r) {
  const LedgerCounts& ledger = r.fleet.ledger;
  std::string text = line(
      "ledger", "expected " + format_count(ledger.expected) + " = delivered " +
                    format_count(ledger.delivered) + " + lost " + format_count(ledger.lost) +
                    "   dup " + format_count(ledger.duplicated) + "  reordered " +
                    format_count(ledger.reordered) + "  corrupt " + format_count(r.fleet.corrupt));
  if (r.publish.refused + r.publish.failed > 0)
    text += line("", "not accepted by the server: " + format_count(r.publish.refused) +
                         " refused, " + format_count(r.publish.failed) + " without an answer; " +
                         base::escape_terminal(r.publish.first_problem));
  for (const auto& [what, times] : r.fleet.cut_reasons)
    text += line("", "cut " + format_count(times) + " times: " + base::escape_terminal(what));
  return text;
}

std::string memory_text(const MemoryUse& use) {
  const auto each = use.bytes_per_connection();
  return "  rss " + base::format_size(use.peak) +
         (each ? " (" + format_value(Unit::bytes, *each) + "/conn)" : "");
}

std::string use_lines(const BenchResult& r) {
  std::string text;
  if (r.server) {
    text = "cpu " + decimal(r.server->cores, 2) + " cores" + memory_text(r.server->memory);
    const MetricValue delivery = metric_value(r, "server.cpu-per-delivery");
    if (delivery.value && r.fleet.ledger.delivered >= k_least_deliveries)
      text += "  " + decimal(*delivery.value / 1000, 2) + " us/delivery";
    const MetricValue connect = metric_value(r, "server.cpu-per-connect");
    if (connect.value) text += "  " + decimal(*connect.value / 1000, 0) + " us/connect";
    text = line("server", text);
  }
  std::string client = "cpu " + decimal(r.client_cores, 2) + " of " +
                       std::to_string(std::max<std::size_t>(1, r.plan.cores)) + " cores";
  const auto busiest =
      std::max_element(r.threads.begin(), r.threads.end(),
                       [](const ThreadUse& a, const ThreadUse& b) { return a.cores < b.cores; });
  if (busiest != r.threads.end())
    client += " (" + busiest->name + " " + decimal(busiest->cores, 2) + ")";
  text += soak_line(r);
  return text + line("client", client + memory_text(r.client_memory));
}

std::string trust_lines(const BenchResult& r, client::Color color) {
  const auto p99 = [](const Histogram& histogram) {
    const auto value = histogram.percentile(99);
    return value ? millis(*value) + " ms" : std::string("-");
  };
  Nanos worst_lag{0};
  for (const ThreadUse& thread : r.threads) worst_lag = std::max(worst_lag, thread.lag_p99);
  std::string text = line(
      "trust",
      "schedule lag p99 " + p99(r.publish.lag) + " · canary p99 " + p99(r.canary.values) +
          " · loop lag p99 " + millis(worst_lag) + " ms → " +
          (r.verdict.valid ? painted("VALID", k_green, color) : painted("INVALID", k_red, color)));
  for (const std::string& reason : r.verdict.reasons) text += line("", reason);
  for (const std::string& note : r.verdict.notes)
    text += line("", painted("note: ", k_yellow, color) + note);
  return text;
}

std::string outcome_line(const Outcome& outcome, client::Color color) {
  const Threshold& t = outcome.threshold;
  std::string word =
      outcome.passed ? painted("PASS", k_green, color) : painted("FAIL", k_red, color);
  word += std::string(6, ' ');
  if (!outcome.why.empty()) return word + t.text() + ": " + outcome.why + "\n";
  std::string text = word + t.metric + " " + measured_text(outcome) + " " +
                     std::string(comparison_text(t.comparison)) + " " +
                     format_value(t.unit, t.limit);
  const bool has_margin =
      outcome.passed && t.unit == Unit::time && t.limit > 0 && outcome.value.value &&
      (t.comparison == Comparison::less || t.comparison == Comparison::less_equal);
  if (has_margin)
    text += " (margin " + decimal(100 - 100 * *outcome.value.value / t.limit, 0) + " %)";
  return text + "\n";
}

}  // namespace

std::string text_report(const BenchResult& result, client::Color color) {
  std::string text = plan_line(result) + connect_lines(result) + churn_lines(result) +
                     reconnect_lines(result) + delivery_lines(result) + ledger_lines(result) +
                     use_lines(result) + trust_lines(result, color);
  if (result.signal != 0)
    text += line("cut", "the run was interrupted: these are the events up to then");
  for (const Outcome& outcome : result.outcomes) text += outcome_line(outcome, color);
  return text;
}

std::string numbered_report(const BenchResult& result, std::size_t number, std::size_t of,
                            client::Color color) {
  const std::string heading =
      of == 1 ? "" : line("run", std::to_string(number) + " of " + std::to_string(of));
  return heading + text_report(result, color);
}

std::string runs_summary(std::span<const BenchResult> runs) {
  if (runs.size() < 2) return {};
  const auto valid = std::count_if(runs.begin(), runs.end(),
                                   [](const BenchResult& run) { return run.verdict.valid; });
  std::string text = line("runs", std::to_string(runs.size()) + ", valid " + std::to_string(valid) +
                                      "; of each metric the median and the extremes");
  for (RunValues& row : run_values(runs)) {
    if (row.values.empty()) continue;
    std::sort(row.values.begin(), row.values.end());
    const std::size_t half = row.values.size() / 2;
    const double median = row.values.size() % 2 == 1
                              ? row.values[half]
                              : (row.values[half - 1] + row.values[half]) / 2;
    text += line("", client::pad(row.metric, 26) + format_value(row.unit, median) + "  (" +
                         format_value(row.unit, row.values.front()) + " … " +
                         format_value(row.unit, row.values.back()) + ")");
  }
  return text;
}

}  // namespace clawws::bench
