// A comparison as a table for people and as JSON.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "clawws/base/flags.hpp"
#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/compare.hpp"
#include "clawws/bench/numbers.hpp"

namespace clawws::bench {
namespace {

using nlohmann::ordered_json;

constexpr int k_compare_schema = 1;
constexpr std::size_t k_word_columns = 14, k_metric_columns = 25, k_value_columns = 11;

std::string signed_percent(const std::optional<double>& part) {
  if (!part) return "-";
  return (*part >= 0 ? "+" : "") + decimal(*part * 100, 1) + " %";
}

std::string right(std::string text, std::size_t columns) {
  const std::size_t width = client::display_width(text);
  return width >= columns ? text : std::string(columns - width, ' ') + text;
}

std::string painted_word(Judgement judgement, client::Color color) {
  const std::string word(judgement_word(judgement));
  const std::string rest(k_word_columns - word.size(), ' ');
  if (color == client::Color::off) return word + rest;
  const char* const paint = judgement == Judgement::regression     ? "\x1b[31m"
                            : judgement == Judgement::inconclusive ? "\x1b[33m"
                                                                   : "\x1b[32m";
  return paint + word + "\x1b[0m" + rest;
}

std::string side(const std::string& name, std::size_t runs, const std::string& tool) {
  return base::escape_terminal(name) + " (" + std::to_string(runs) +
         (runs == 1 ? " run, " : " runs, ") + base::escape_terminal(tool) + ")";
}

std::string plan_text(const BenchPlan& plan) {
  return std::string(scenario_name(plan.scenario)) + " · " + base::format_count(plan.connections) +
         " conns · " + base::format_count(plan.events) + (plan.events == 1 ? " event" : " events") +
         " · " + decimal(plan.rate, 0) + "/s · " + base::format_size(plan.size_bytes);
}

std::string effect_text(const MinEffect& least) {
  std::string percent = decimal(least.relative * 100, 1);
  if (percent.ends_with(".0")) percent.resize(percent.size() - 2);
  return "more than " + percent + " %, for latencies also more than " + time_text(least.absolute) +
         ", and more than the noise";
}

std::string change_line(const Change& change, client::Color color) {
  const auto value = [&](double number) {
    return right(format_value(change.unit, number), k_value_columns);
  };
  std::string line = painted_word(change.judgement, color) +
                     client::pad(change.metric, k_metric_columns) + value(change.old_value) +
                     value(change.new_value) + right(signed_percent(change.change), 10);
  if (change.low && change.high)
    line += right(signed_percent(change.low) + " … " + signed_percent(change.high), 22);
  else
    line += right("-", 22);
  line += right(change.noise ? "±" + decimal(*change.noise * 100, 1) + " %" : "-", 10);
  if (!change.why.empty()) line += "   " + change.why;
  return line + "\n";
}

ordered_json number_or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json change_json(const Change& change) {
  const char* const units[] = {"ms", "count", "bytes", "cores"};
  const double scale = change.unit == Unit::time ? 1e-6 : 1;
  const auto scaled = [scale](std::vector<double> values) {
    for (double& value : values) value *= scale;
    return values;
  };
  return {{"metric", change.metric},
          {"unit", units[static_cast<std::size_t>(change.unit)]},
          {"verdict", judgement_word(change.judgement)},
          {"why", change.why.empty() ? ordered_json(nullptr) : ordered_json(change.why)},
          {"old", change.old_value * scale},
          {"new", change.new_value * scale},
          {"change", number_or_null(change.change)},
          {"low", number_or_null(change.low)},
          {"high", number_or_null(change.high)},
          {"noise", number_or_null(change.noise)},
          {"oldRuns", scaled(change.before)},
          {"newRuns", scaled(change.after)}};
}

}  // namespace

std::string compare_text(const Compared& compared, client::Color color) {
  std::string text = "compare       " +
                     side(compared.old_name, compared.old_runs, compared.old_tool) + " → " +
                     side(compared.new_name, compared.new_runs, compared.new_tool) + "\n";
  text += "plan          " + plan_text(compared.plan) + "\n";
  text += "counts        " + effect_text(compared.least) + "\n";
  text += std::string(k_word_columns, ' ') + client::pad("metric", k_metric_columns) +
          right("old", k_value_columns) + right("new", k_value_columns) + right("change", 10) +
          right("95 % interval", 22) + right("noise", 10) + "\n";
  for (const Change& change : compared.changes) text += change_line(change, color);
  for (const std::string& what : compared.left_out) text += "left out      " + what + "\n";
  for (const std::string& note : compared.notes) text += "note          " + note + "\n";
  return text;
}

std::string compare_json(const Compared& compared) {
  ordered_json metrics = ordered_json::array();
  for (const Change& change : compared.changes) metrics.push_back(change_json(change));
  const auto file = [](const std::string& name, const std::string& tool, std::size_t runs) {
    return ordered_json{{"file", name}, {"tool", tool}, {"runs", runs}};
  };
  const ordered_json report = {
      {"schema", k_compare_schema},
      {"tool", "clawws/" + std::string(base::version())},
      {"old", file(compared.old_name, compared.old_tool, compared.old_runs)},
      {"new", file(compared.new_name, compared.new_tool, compared.new_runs)},
      {"confidence", 0.95},
      {"minEffect",
       {{"relative", compared.least.relative},
        {"absolute", static_cast<double>(compared.least.absolute.count()) / 1e6}}},
      {"metrics", std::move(metrics)},
      {"leftOut", compared.left_out},
      {"notes", compared.notes},
      {"exitCode", compared.exit_code()}};
  // A file's name may be anything.
  return report.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace clawws::bench
