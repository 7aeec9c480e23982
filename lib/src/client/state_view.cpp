#include "clawws/client/state_view.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/client/summary.hpp"

namespace clawws::client {

namespace {

using nlohmann::json;

constexpr std::size_t k_widest_cell = 40;
constexpr std::string_view k_indent = "  ";

struct Cell {
  std::string text;
  Mood mood = Mood::plain;
};
using Row = std::vector<Cell>;

std::string_view color_of(Mood mood) {
  switch (mood) {
    case Mood::good:
      return "\x1b[32m";
    case Mood::warning:
      return "\x1b[33m";
    case Mood::bad:
      return "\x1b[31m";
    case Mood::plain:
      break;
  }
  return {};
}

Cell text_cell(const json& record, const char* name) {
  const auto member = record.find(name);
  if (member == record.end() || member->is_null()) return {"-"};
  if (!member->is_string()) return {member->dump()};
  const std::string text = base::escape_terminal(member->get<std::string>());
  return {text.empty() ? "-" : text};
}

Cell age_cell(const json& record, const char* name, std::int64_t now_millis) {
  const auto member = record.find(name);
  if (member == record.end() || !member->is_string()) return {"-"};
  const auto at = base::parse_rfc3339(member->get<std::string>());
  return {at ? age_text(now_millis - *at) : "-"};
}

Cell status_cell(const json& record) {
  Cell cell = text_cell(record, "status");
  if (cell.text == "error") cell.mood = Mood::bad;
  if (cell.text == "running") cell.mood = Mood::good;
  if (cell.text == "stopped") cell.mood = Mood::warning;
  return cell;
}

Cell exit_cell(const json& record) {
  Cell cell = text_cell(record, "exitCode");
  cell.mood = cell.text == "0" ? Mood::good : Mood::bad;
  return cell;
}

Cell took_cell(const json& record) {
  const auto took = record.find("durationMs");
  if (took == record.end() || !took->is_number_unsigned()) return {"-"};
  return {base::format_duration(base::Millis(static_cast<std::int64_t>(std::min<std::uint64_t>(took->get<std::uint64_t>(), 1ULL << 40))))};
}

class Lines {
 public:
  explicit Lines(const StateViewConfig& config) : config_(config) {}

  void add(std::string_view line) { lines_.push_back(config_.width > 0 ? fit(line, config_.width) : std::string(line)); }

  // A heading, and the rows aligned below; the last column takes what is left.
  void table(std::string_view name, const Row& heading, const std::vector<Row>& rows) {
    add("");
    add(std::string(name) + " (" + base::format_count(rows.size()) + ")");
    if (rows.empty()) return;
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < heading.size(); ++column) {
      std::size_t widest = display_width(heading[column].text);
      for (const Row& row : rows) widest = std::max(widest, display_width(row[column].text));
      widths.push_back(std::min(widest, k_widest_cell));
    }
    row(heading, widths);
    for (const Row& each : rows) row(each, widths);
  }

  std::string text() && {
    if (config_.rows > 1 && lines_.size() > config_.rows) {
      const std::size_t left = lines_.size() - (config_.rows - 1);
      lines_.resize(config_.rows - 1);
      add("... and " + base::format_count(left) + " more lines");
    }
    std::string all;
    for (const std::string& line : lines_) all.append(line).append("\n");
    return all;
  }

 private:
  void row(const Row& cells, const std::vector<std::size_t>& widths) {
    std::string line(k_indent);
    std::size_t used = k_indent.size();
    for (std::size_t column = 0; column < cells.size(); ++column) {
      const bool is_last = column + 1 == cells.size();
      std::size_t width = widths[column];
      if (config_.width > 0) {
        if (used + 1 >= config_.width) break;
        width = std::min(width, config_.width - used);
      }
      std::string text = fit(cells[column].text, width);
      if (!is_last) text = pad(text, width);
      used += width + 2;
      const std::string_view color = config_.color == Color::on ? color_of(cells[column].mood) : std::string_view();
      line.append(color).append(text).append(color.empty() ? "" : "\x1b[0m").append(is_last ? "" : "  ");
    }
    while (line.ends_with(' ')) line.pop_back();
    lines_.push_back(std::move(line));  // fits already, and holds what takes no column
  }

  const StateViewConfig config_;
  std::vector<std::string> lines_;
};

template <class Make>
std::vector<Row> rows_of(const wire::State& state, wire::StateKind kind, Make make) {
  std::vector<Row> rows;
  for (const std::string& text : state.records(kind)) rows.push_back(make(json::parse(text, nullptr, false)));
  return rows;
}

}  // namespace

std::string age_text(std::int64_t millis) {
  const std::int64_t seconds = millis / 1'000;
  if (seconds < 1) return "now";
  if (seconds < 100) return std::to_string(seconds) + " s";
  if (seconds < 100 * 60) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3'600) return std::to_string(seconds / 3'600) + " h";
  return std::to_string(seconds / 86'400) + " d";
}

std::string state_table(const wire::State& state, std::string_view headline, std::int64_t now_millis,
                        const StateViewConfig& config) {
  Lines lines(config);
  lines.add(headline);
  const auto gateway = rows_of(state, wire::StateKind::gateway, [&](const json& record) {
    Cell up = record.contains("uptime") && record["uptime"].is_number()
                  ? Cell{base::format_duration(std::chrono::seconds(static_cast<std::int64_t>(std::clamp(record["uptime"].get<double>(), 0.0, 1e9))))}
                  : Cell{"-"};
    return Row{status_cell(record), text_cell(record, "version"), std::move(up), age_cell(record, "timestamp", now_millis)};
  });
  if (gateway.empty()) {
    lines.add("");
    lines.add("gateway: nothing known yet");
  } else {
    lines.table("gateway", {{"STATUS"}, {"VERSION"}, {"UP"}, {"SINCE"}}, gateway);
  }
  lines.table("agents", {{"AGENT"}, {"STATUS"}, {"SESSIONS"}, {"TASKS"}, {"SINCE"}},
              rows_of(state, wire::StateKind::agent, [&](const json& record) {
                return Row{text_cell(record, "agentId"), status_cell(record), text_cell(record, "activeSessionCount"),
                           text_cell(record, "taskCount"), age_cell(record, "timestamp", now_millis)};
              }));
  lines.table("sessions", {{"SESSION"}, {"AGENT"}, {"KIND"}, {"AGE"}, {"LABEL"}},
              rows_of(state, wire::StateKind::session, [&](const json& record) {
                return Row{text_cell(record, "sessionKey"), text_cell(record, "agentId"), text_cell(record, "kind"),
                           age_cell(record, "timestamp", now_millis), text_cell(record, "label")};
              }));
  lines.table("cron jobs", {{"JOB"}, {"EXIT"}, {"TOOK"}, {"AGO"}, {"COMMAND"}},
              rows_of(state, wire::StateKind::cron_job, [&](const json& record) {
                return Row{text_cell(record, "jobId"), exit_cell(record), took_cell(record),
                           age_cell(record, "timestamp", now_millis), text_cell(record, "command")};
              }));
  if (state.truncated()) {
    lines.add("");
    lines.add("There may be more: a list is as long as the server keeps it.");
  }
  return std::move(lines).text();
}

}  // namespace clawws::client
