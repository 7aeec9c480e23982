#include "clawws/client/summary.hpp"

#include <nlohmann/json.hpp>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"

namespace clawws::client {
namespace {

using Json = nlohmann::ordered_json;

// A member as text: strings escaped, numbers as they are; "" when it is absent or something else.
std::string text_of(const Json& payload, const char* name) {
  const auto member = payload.find(name);
  if (member == payload.end()) return {};
  if (member->is_string()) return base::escape_terminal(member->get_ref<const std::string&>());
  if (member->is_number()) return member->dump();
  return {};
}

void add(Summary& summary, Weight weight, std::string text, Mood mood = Mood::plain) {
  if (!text.empty()) summary.details.push_back({std::move(text), mood, weight});
}

std::string counted(const Json& payload, const char* name, const char* singular) {
  const auto member = payload.find(name);
  if (member == payload.end() || !member->is_number_integer()) return {};
  const std::string number = member->dump();
  return number + " " + singular + (number == "1" ? "" : "s");
}

// Milliseconds in a JSON number, as people read them.
std::string duration_of(const Json& payload, const char* name, double millis_each) {
  const auto member = payload.find(name);
  if (member == payload.end() || !member->is_number()) return {};
  const double millis = member->get<double>() * millis_each;
  // Up to a century; beyond, the number itself is the clearer text.
  if (!(millis >= 0 && millis < 3.2e12)) return member->dump();
  return base::format_duration(std::chrono::microseconds(static_cast<std::int64_t>(millis * 1000)));
}

// The first line of a long text that has something in it.
std::string first_line(const Json& payload, const char* name) {
  const auto member = payload.find(name);
  if (member == payload.end() || !member->is_string()) return {};
  for (const auto line : base::split(member->get_ref<const std::string&>(), '\n')) {
    std::string_view text = base::trim(line);
    while (text.ends_with('\r')) text.remove_suffix(1);
    if (!text.empty()) return base::escape_terminal(text);
  }
  return {};
}

Mood status_mood(std::string_view status) {
  if (status == "error") return Mood::bad;
  if (status == "stopped") return Mood::warning;
  return status == "running" ? Mood::good : Mood::plain;
}

void session_created(const Json& payload, Summary& summary) {
  summary.subject = text_of(payload, "agentId");
  add(summary, Weight::id, text_of(payload, "sessionKey"));
  add(summary, Weight::key, text_of(payload, "kind"));
  add(summary, Weight::text, text_of(payload, "label"));
}

void session_killed(const Json& payload, Summary& summary) {
  summary.subject = text_of(payload, "agentId");
  add(summary, Weight::id, text_of(payload, "sessionKey"));
}

void agent_status(const Json& payload, Summary& summary) {
  summary.subject = text_of(payload, "agentId");
  const std::string status = text_of(payload, "status");
  summary.mood = status_mood(status) == Mood::bad ? Mood::bad : Mood::plain;
  add(summary, Weight::key, status, status_mood(status));
  add(summary, Weight::key, counted(payload, "taskCount", "task"));
  add(summary, Weight::key, counted(payload, "activeSessionCount", "session"));
}

void cron_executed(const Json& payload, Summary& summary) {
  summary.subject = text_of(payload, "jobId");
  add(summary, Weight::text, text_of(payload, "command"));
  const std::string code = text_of(payload, "exitCode");
  const bool is_good = code == "0";
  summary.mood = is_good ? Mood::plain : Mood::bad;
  add(summary, Weight::key, is_good ? "ok" : "exit " + code, is_good ? Mood::good : Mood::bad);
  add(summary, Weight::key, duration_of(payload, "durationMs", 1));
  if (is_good) return;
  const std::string said = first_line(payload, "stderr");
  add(summary, Weight::text, said.empty() ? first_line(payload, "stdout") : said, Mood::bad);
}

void gateway_status(const Json& payload, Summary& summary) {
  summary.subject = "gateway";
  const std::string status = text_of(payload, "status");
  summary.mood = status_mood(status) == Mood::bad ? Mood::bad : Mood::plain;
  add(summary, Weight::key, status, status_mood(status));
  const std::string version = text_of(payload, "version");
  add(summary, Weight::text, version.empty() ? "" : "version " + version);
  const std::string uptime = duration_of(payload, "uptime", 1000);
  add(summary, Weight::key, uptime.empty() ? "" : "up " + uptime);
}

struct Form {
  std::string_view type;
  const char* required;  // without it the form has nothing to say
  void (*fill)(const Json&, Summary&);
};
constexpr Form k_forms[] = {{"session.created", "sessionKey", session_created},
                            {"session.killed", "sessionKey", session_killed},
                            {"agent.status", "agentId", agent_status},
                            {"cron.executed", "jobId", cron_executed},
                            {"gateway.status", "status", gateway_status}};

}  // namespace

Summary summarize(std::string_view type, std::string_view text) {
  Summary summary;
  const Json event = Json::parse(text, nullptr, false);
  const auto payload = event.is_object() ? event.find("payload") : event.end();
  if (!event.is_object() || payload == event.end()) return summary;
  for (const Form& form : k_forms) {
    if (form.type != type || !payload->is_object() || text_of(*payload, form.required).empty())
      continue;
    form.fill(*payload, summary);
    return summary;
  }
  add(summary, Weight::text,
      base::escape_terminal(payload->dump(-1, ' ', false, Json::error_handler_t::replace)));
  return summary;
}

}  // namespace clawws::client
