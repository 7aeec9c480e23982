#include "clawws/wire/event.hpp"

#include <algorithm>
#include <stdexcept>

#include "event_table.hpp"

namespace clawws::wire {
namespace {

// The order of members is the one in which problems are told.
constexpr std::string_view k_session_kinds[] = {"direct", "cron", "subagent"};
constexpr std::string_view k_agent_words[] = {"running", "idle", "error"};
constexpr std::string_view k_gateway_words[] = {"running", "stopped", "error"};

constexpr MemberRule k_session_created[] = {
    {Member::session_key, Need::required, Want::string},
    {Member::agent_id, Need::optional, Want::string},
    {Member::kind, Need::optional, Want::word, k_session_kinds},
    {Member::label, Need::optional, Want::string},
};
constexpr MemberRule k_session_killed[] = {
    {Member::session_key, Need::required, Want::string},
    {Member::agent_id, Need::expected, Want::string},
};
constexpr MemberRule k_agent_status[] = {
    {Member::agent_id, Need::required, Want::string},
    {Member::status, Need::required, Want::word, k_agent_words},
    {Member::active_session_count, Need::optional, Want::count},
    {Member::task_count, Need::optional, Want::count},
    {Member::last_activity, Need::optional, Want::time},
};
constexpr MemberRule k_cron_executed[] = {
    {Member::job_id, Need::required, Want::string},
    {Member::exit_code, Need::required, Want::integer},
    {Member::command, Need::expected, Want::string},
    {Member::stdout_text, Need::optional, Want::string},
    {Member::stderr_text, Need::optional, Want::string},
    {Member::duration_ms, Need::optional, Want::count},
};
constexpr MemberRule k_gateway_status[] = {
    {Member::status, Need::required, Want::word, k_gateway_words},
    {Member::version, Need::expected, Want::string},
    {Member::uptime, Need::optional, Want::number},
};

constexpr TypeRule k_types[] = {
    {"session.created", "", k_session_created},
    {"session.killed", "", k_session_killed},
    {"agent.status", "agent.status_changed", k_agent_status},
    {"cron.executed", "cron.job_executed", k_cron_executed},
    {"gateway.status", "gateway.status_changed", k_gateway_status},
    {k_bench_type, "", {}},
};

constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_name_char(char c) noexcept {
  return is_lower(c) || (c >= '0' && c <= '9') || c == '_';
}

// 0: as it is; 'u': \u00XX; else the letter after the backslash.
constexpr char escape_of(unsigned char c) noexcept {
  switch (c) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return c < 0x20 ? 'u' : 0;
  }
}

}  // namespace

std::span<const TypeRule> type_rules() noexcept {
  return k_types;
}

const TypeRule* find_type(std::string_view canonical_name) noexcept {
  const auto found =
      std::find_if(std::begin(k_types), std::end(k_types),
                   [&](const TypeRule& rule) { return rule.name == canonical_name; });
  return found == std::end(k_types) ? nullptr : found;
}

std::string_view canonical_type(std::string_view name) noexcept {
  for (const TypeRule& rule : k_types) {
    if (!rule.alias.empty() && rule.alias == name) return rule.name;
  }
  return name;
}

bool is_type_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > k_max_type_bytes || !is_lower(name.front())) return false;
  bool dotted = false;
  char previous = 0;
  for (const char c : name) {
    if (c == '.') {
      if (previous == '.') return false;
      dotted = true;
    } else if (!is_name_char(c)) {
      return false;
    }
    previous = c;
  }
  return dotted && previous != '.';
}

bool is_reserved_type(std::string_view name) noexcept {
  constexpr std::string_view k_words[] = {"ping", "pong", "error", "position", "subscribed"};
  return name.substr(0, 5) == "auth." || name.substr(0, 7) == "clawws." ||
         std::find(std::begin(k_words), std::end(k_words), name) != std::end(k_words);
}

const std::vector<std::string>& builtin_types() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const TypeRule& rule : k_types) list.emplace_back(rule.name);
    return list;
  }();
  return names;
}

bool glob_match(std::string_view glob, std::string_view text) noexcept {
  constexpr auto k_none = std::string_view::npos;
  std::size_t g = 0, t = 0, star = k_none, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (star != k_none) {
      // Only the last star ever has to take more: what matched before it can stay as it is.
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

// Copies the runs between two escapes at once: most text needs none.
void append_json_string(std::string& out, std::string_view text) {
  constexpr char k_hex[] = "0123456789abcdef";
  out += '"';
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const char escape = escape_of(c);
    if (escape == 0) continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      out += "00";
      out += k_hex[c >> 4];
      out += k_hex[c & 15];
    }
  }
  out.append(text, copied, text.size() - copied);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

void throw_exception_from_error(const EventProblem& problem, const boost::source_location&) {
  throw std::logic_error("value() taken of refused events: " + problem.message);
}

}  // namespace clawws::wire
