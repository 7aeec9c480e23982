// The report as one page that needs nothing else: no script, no other file, no network. Charts are
// inline SVG (chart.hpp); colours are variables, so light and dark differ in one place. All text
// that a server could have had a word in is escaped twice: for terminals, which makes control and
// bidi characters visible, and for markup.
//
// Its size is bounded by the number of points of a line and of runs with charts.
#include <algorithm>
#include <cmath>
#include <limits>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/chart.hpp"
#include "clawws/bench/markup.hpp"
#include "clawws/bench/numbers.hpp"
#include "clawws/bench/report.hpp"
#include "page_style.hpp"

namespace clawws::bench {
namespace {

constexpr int k_points = 240;
constexpr std::size_t k_runs_with_charts = 10;
constexpr double k_gap = std::numeric_limits<double>::quiet_NaN();

std::string safe(std::string_view text) {
  return escape_markup(base::escape_terminal(text));
}

double in_millis(Nanos value) {
  return static_cast<double>(value.count()) / 1e6;
}

std::string section(std::string_view title, const std::string& content,
                    std::string_view note = "") {
  return "<section><h3>" + std::string(title) + "</h3>" + content +
         (note.empty() ? "" : "<p class=\"note\">" + std::string(note) + "</p>") + "</section>\n";
}

std::string row(const std::vector<std::string>& cells, const char* tag = "td") {
  std::string out = "<tr>";
  for (const std::string& cell : cells)
    out += std::string("<") + tag + ">" + cell + "</" + tag + ">";
  return out + "</tr>";
}

std::string word(bool is_good, const char* good, const char* bad) {
  return std::string("<span class=\"word ") + (is_good ? "good\">" : "bad\">") +
         (is_good ? good : bad) + "</span>";
}

// ---- charts -------------------------------------------------------------------------------------

void set_y(Chart& chart, double highest) {
  chart.y_ticks = round_ticks(highest, 4);
  chart.y_high = chart.y_ticks.back().at;
}

// Percentiles on the axis that gives each nine the same room: x is the number of nines.
std::string percentile_chart(const BenchResult& r) {
  Chart chart;
  chart.title = "Delivery latency by percentile";
  chart.x_label = "percentile";
  chart.y_label = "ms";
  const double samples = static_cast<double>(std::max<std::uint64_t>(r.delivery.samples(), 10));
  chart.x_high = std::clamp(std::ceil(std::log10(samples)), 1.0, 6.0);
  chart.x_ticks = {{0, "0"}, {std::log10(2.0), "50"}, {1, "90"}};
  for (int nines = 2; nines <= static_cast<int>(chart.x_high); ++nines)
    chart.x_ticks.push_back({static_cast<double>(nines),
                             decimal(100 - std::pow(10, 2 - nines), std::max(nines - 2, 0))});
  double highest = 0;
  const auto add = [&](const char* name, const Distribution& d) {
    if (d.values.count() == 0) return;
    ChartLine line{name, {}};
    for (int i = 0; i <= k_points; ++i) {
      const double nines = chart.x_high * i / k_points;
      const auto value = d.values.percentile(100 * (1 - std::pow(10, -nines)), d.beyond);
      if (!value) break;
      line.points.emplace_back(nines, in_millis(*value));
      highest = std::max(highest, in_millis(*value));
    }
    chart.lines.push_back(std::move(line));
  };
  add("every delivery", r.delivery);
  add("last receiver", r.to_all);
  add("first receiver", r.first);
  if (r.delivery.beyond > 0) {
    const double lost =
        static_cast<double>(r.delivery.beyond) / static_cast<double>(r.delivery.samples());
    chart.mark_at = std::min(-std::log10(lost), chart.x_high);
    chart.mark = "lost";
  }
  set_y(chart, highest);
  return chart_svg(chart);
}

std::string time_chart(const BenchResult& r) {
  Chart chart;
  chart.title = "Delivery latency over time";
  chart.x_label = "seconds, by when an event was due";
  chart.y_label = "ms";
  std::vector<const SeriesRow*> rows;
  for (const SeriesRow& row : r.series)
    if (row.phase == Phase::measure) rows.push_back(&row);
  if (rows.size() < 2) return {};
  // Of rows that share a point the worst is shown.
  const std::size_t width = (rows.size() + k_points - 1) / k_points;
  chart.lines = {{"p50", {}}, {"p99", {}}, {"max", {}}};
  double highest = 0;
  for (std::size_t i = 0; i < rows.size(); i += width) {
    const double x = static_cast<double>((rows[i]->at - rows[0]->at).count()) / 1e9;
    std::optional<Nanos> worst[3];
    for (std::size_t k = i; k < std::min(i + width, rows.size()); ++k) {
      worst[0] = std::max(worst[0], rows[k]->p50);
      worst[1] = std::max(worst[1], rows[k]->p99);
      worst[2] = std::max(worst[2], rows[k]->max);
    }
    for (std::size_t l = 0; l < 3; ++l) {
      chart.lines[l].points.emplace_back(x, worst[l] ? in_millis(*worst[l]) : k_gap);
      if (worst[l]) highest = std::max(highest, in_millis(*worst[l]));
    }
    chart.x_high = std::max(x, 1.0);
  }
  chart.x_ticks = round_ticks(chart.x_high, 8);
  if (chart.x_ticks.back().at > chart.x_high) chart.x_ticks.pop_back();
  set_y(chart, highest);
  return chart_svg(chart);
}

std::string connect_chart(const BenchResult& r) {
  const Histogram& live = r.fleet.live_at;
  if (live.count() < 2) return {};
  Chart chart;
  chart.title = "Clients connected over time";
  chart.x_label = "ms from the first attempt";
  chart.y_label = "clients";
  ChartLine line{"live", {{0, 0}}};
  const auto steps =
      static_cast<int>(std::min<std::uint64_t>(live.count(), static_cast<std::uint64_t>(k_points)));
  for (int i = 1; i <= steps; ++i) {
    const double part = static_cast<double>(i) / steps;
    if (const auto at = live.percentile(100 * part))
      line.points.emplace_back(in_millis(*at), part * static_cast<double>(live.count()));
  }
  chart.x_ticks = round_ticks(in_millis(live.max()), 6);
  chart.x_high = chart.x_ticks.back().at;
  chart.lines.push_back(std::move(line));
  set_y(chart, static_cast<double>(r.plan.connections));
  return chart_svg(chart);
}

// ---- words --------------------------------------------------------------------------------------

std::string tile(std::string_view name, const std::string& value) {
  return "<div><dt>" + std::string(name) + "</dt><dd>" + value + "</dd></div>";
}

std::string percentile_text(const Distribution& d, double percent) {
  const auto value = d.values.percentile(percent, d.beyond);
  return value ? time_text(*value) : d.samples() == 0 ? "–" : "lost";
}

std::string tiles(const BenchResult& r) {
  std::string out = "<dl class=\"tiles\">";
  out += tile("delivery p50", percentile_text(r.delivery, 50));
  out += tile("delivery p99", percentile_text(r.delivery, 99));
  out += tile("to all, p99", percentile_text(r.to_all, 99));
  out += tile("lost", base::format_count(r.fleet.ledger.lost));
  out += tile("connected",
              base::format_count(r.live) + " / " + base::format_count(r.plan.connections));
  if (r.server) {
    out += tile("server CPU", decimal(r.server->cores, 2) + " cores");
    const auto each = r.server->memory.bytes_per_connection();
    out += each ? tile("RSS per client", format_value(Unit::bytes, *each))
                : tile("server RSS", base::format_size(r.server->memory.peak));
  }
  return out + "</dl>";
}

std::string threshold_table(const BenchResult& r) {
  if (r.outcomes.empty()) return {};
  std::string out = "<table>" + row({"", "threshold", "measured"}, "th");
  for (const Outcome& outcome : r.outcomes) {
    out += row({word(outcome.passed, "PASS", "FAIL"), safe(outcome.threshold.text()),
                safe(measured_text(outcome))});
  }
  return section("Thresholds", out + "</table>");
}

std::string ledger_table(const BenchResult& r) {
  const LedgerCounts& ledger = r.fleet.ledger;
  std::string out = "<table class=\"numbers\">";
  const auto add = [&](const char* name, std::uint64_t count) {
    out += row({name, base::format_count(count)});
  };
  add("expected", ledger.expected);
  add("delivered", ledger.delivered);
  add("lost", ledger.lost);
  add("came twice", ledger.duplicated);
  add("out of order", ledger.reordered);
  add("corrupt", r.fleet.corrupt);
  add("connections cut", r.fleet.cut);
  add("events not accepted", r.publish.refused + r.publish.failed);
  if (r.fleet.comeback) {
    add("clients never back", r.fleet.comeback->not_back);
    add("of delivered, replayed", r.fleet.comeback->replayed.count());
    add("gaps", r.fleet.comeback->gaps);
  }
  out += "</table>";
  for (const auto* reasons :
       {&r.fleet.connect_failures, &r.fleet.return_failures, &r.fleet.cut_reasons})
    for (const auto& [what, times] : *reasons)
      out += "<p class=\"note\">" + base::format_count(times) + " times: " + safe(what) + "</p>";
  return section("Ledger", out, "expected = delivered + lost, over all clients");
}

std::string connect_table(const BenchResult& r) {
  std::string out = "<table class=\"numbers\">" + row({"", "p50", "p99", "max"}, "th");
  const auto add = [&](const char* name, const Histogram& histogram) {
    const Distribution d{histogram, 0};
    out += row({name, percentile_text(d, 50), percentile_text(d, 99), percentile_text(d, 100)});
  };
  add("TCP", r.fleet.tcp);
  add("TLS", r.fleet.tls);
  add("upgrade", r.fleet.upgrade);
  add("first frame", r.fleet.first_frame);
  add("whole", r.fleet.connect);
  if (r.plan.scenario == Scenario::churn) add("coming back", r.fleet.returns);
  if (r.fleet.comeback) {
    add("connecting again", r.fleet.returns);
    add("live again, from the loss", r.fleet.comeback->live_again);
    add("of that, catching up", r.fleet.comeback->catch_up);
  }
  return section("Connecting", out + "</table>");
}

std::string trust_part(const BenchResult& r) {
  std::string out = "<p>" + word(r.verdict.valid, "VALID", "INVALID") + " schedule lag p99 " +
                    percentile_text({r.publish.lag, 0}, 99) + ", canary p99 " +
                    percentile_text(r.canary, 99) + "</p>";
  for (const auto* list : {&r.verdict.reasons, &r.verdict.notes})
    for (const std::string& text : *list) out += "<p class=\"note\">" + safe(text) + "</p>";
  return section("Trust", out, "whether the generator was strong enough for what it was to see");
}

std::string run_part(const BenchResult& r) {
  std::string out = tiles(r) + threshold_table(r) + "<div class=\"columns\">";
  const auto chart = [&](const char* title, const std::string& svg) {
    if (!svg.empty()) out += section(title, svg);
  };
  chart("Latency by percentile", percentile_chart(r));
  chart("Latency over time", time_chart(r));
  chart("Connect curve", connect_chart(r));
  return out + connect_table(r) + ledger_table(r) + trust_part(r) + "</div>\n";
}

std::string runs_table(std::span<const BenchResult> runs) {
  std::string out =
      "<table class=\"numbers\">" +
      row({"run", "delivery p50", "delivery p99", "to all, p99", "lost", "trust"}, "th");
  for (std::size_t i = 0; i < runs.size(); ++i)
    out += row({std::to_string(i + 1), percentile_text(runs[i].delivery, 50),
                percentile_text(runs[i].delivery, 99), percentile_text(runs[i].to_all, 99),
                base::format_count(runs[i].fleet.ledger.lost),
                word(runs[i].verdict.valid, "VALID", "INVALID")});
  return section("Runs", out + "</table>");
}

std::string heading(std::span<const BenchResult> runs) {
  const BenchResult& r = runs.front();
  const int code = exit_code(runs);
  const bool is_valid = std::all_of(runs.begin(), runs.end(),
                                    [](const BenchResult& run) { return run.verdict.valid; });
  std::string out = "<header><h1>clawws bench " +
                    word(code == 0, "PASS", is_valid ? "FAIL" : "INVALID") + "</h1>";
  out += "<p>" + std::string(scenario_name(r.plan.scenario)) + " · " +
         base::format_count(r.plan.connections) + " clients · " +
         base::format_count(r.plan.events) + " events at " + decimal(r.plan.rate, 0) + "/s · " +
         base::format_size(r.plan.size_bytes) + " · " + safe(r.tls) + "</p>";
  out += "<p>" + safe(r.url) + " (" + safe(r.server_source) + "), " +
         base::format_rfc3339(r.started_millis) + ", run " + safe(r.run) + "</p>";
  if (runs.back().signal != 0) out += "<p class=\"note\">The run was interrupted.</p>";
  return out + "</header>\n";
}

}  // namespace

std::string html_report(std::span<const BenchResult> runs) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">"
      "<title>clawws bench</title><style>";
  out += k_page_style;
  out += "</style></head><body><main>\n" + heading(runs);
  if (runs.size() > 1) out += runs_table(runs);
  std::string text;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    text += numbered_report(runs[i], i + 1, runs.size(), client::Color::off);
    if (i >= k_runs_with_charts) continue;
    if (runs.size() > 1) out += "<h2>Run " + std::to_string(i + 1) + "</h2>\n";
    out += run_part(runs[i]);
  }
  out += "<details><summary>As text</summary><pre>" + escape_markup(text + runs_summary(runs)) +
         "</pre></details>\n";
  return out + "</main></body></html>\n";
}

}  // namespace clawws::bench
