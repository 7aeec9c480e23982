// The table of event types: which members a type's payload needs and what they must be. The only
// such list; clawws-protocol(7) shows the same one. Constants; internal to wire.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace clawws::wire {

// Payload members that some type has a rule for, as an index into k_member_names.
enum class Member : std::uint8_t {
  session_key,
  agent_id,
  kind,
  label,
  status,
  active_session_count,
  task_count,
  last_activity,
  job_id,
  exit_code,
  command,
  stdout_text,
  stderr_text,
  duration_ms,
  version,
  uptime,
};
inline constexpr std::array<std::string_view, 16> k_member_names = {
    "sessionKey", "agentId",      "kind",    "label",    "status",  "activeSessionCount",
    "taskCount",  "lastActivity", "jobId",   "exitCode", "command", "stdout",
    "stderr",     "durationMs",   "version", "uptime"};

constexpr std::string_view name_of(Member member) noexcept {
  return k_member_names[static_cast<std::size_t>(member)];
}

enum class Need : std::uint8_t {
  required,
  optional,
  expected,  // optional, but ClawPanel's own reducers drop the event without it: a warning
};
enum class Want : std::uint8_t { string, word, integer, count, number, time };

struct MemberRule {
  Member member;
  Need need;
  Want want;
  std::span<const std::string_view> words = {};  // Want::word
};

struct TypeRule {
  std::string_view name;
  std::string_view alias;  // empty: none
  std::span<const MemberRule> members;
};

// In the order of the protocol's table, bench.sample last.
std::span<const TypeRule> type_rules() noexcept;
// The rule of a canonical name, nullptr for a type that only --allow-type names.
const TypeRule* find_type(std::string_view canonical_name) noexcept;

}  // namespace clawws::wire
