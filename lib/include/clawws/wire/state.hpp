// The state that events add up to: which sessions are open, what each agent does, how each cron job
// ended last, how the gateway is. One fold, the same on the server and in clients:
//
//   session.created   sets the session `sessionKey`
//   session.killed    removes the session `sessionKey`
//   agent.status      sets the agent `agentId`
//   cron.executed     sets the cron job `jobId`
//   gateway.status    sets the gateway
//
// To set is to replace: a record has those members of the payload that the table of types names (a
// cron job's without its output), the event's timestamp and its seq. The newest event alone decides,
// so what the state holds does not depend on when one began to look. An event whose key has more
// than 256 bytes has no part in it, and members of more than 1,024 bytes are left out, so that the
// whole has a bound. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clawws/base/export.hpp"
#include "clawws/wire/event.hpp"
#include "clawws/wire/position.hpp"

namespace clawws::wire {

enum class StateKind : std::uint8_t { session, agent, cron_job, gateway };
inline constexpr std::size_t k_state_kinds = 4;

// One record as an event leaves it.
struct StateRow {
  StateKind kind = StateKind::session;
  std::string key;
  std::uint64_t seq = 0;
  std::string record;  // a JSON object without seq and without the last brace; empty: it is gone
};

// What the event does to the state; nothing when its type has no part in it. `body` is a canonical
// event's (see Event), with or without what follows its payload.
CLAWWS_API std::optional<StateRow> fold_event(std::uint64_t seq, std::string_view type, std::string_view body);

class CLAWWS_API State {
 public:
  // How many records of each kind are kept.
  using Limits = std::array<std::size_t, k_state_kinds>;
  static constexpr Limits k_limits{10'000, 1'000, 10'000, 1};
  explicit State(const Limits& limits = k_limits) : limits_(limits) {}

  // What the events change: one row for each record, and removals of those that the limits have no
  // room for, longest silent first. Changes nothing yet.
  std::vector<StateRow> plan(std::uint64_t first, std::span<const Event> events) const;
  // Takes rows that plan() made, or that were kept, into the state.
  void apply(std::span<const StateRow> rows);

  std::size_t count(StateKind kind) const noexcept { return part(kind).by_key.size(); }
  // Whether a kind but the gateway has as many records as it may have: there may be more.
  bool truncated() const noexcept;
  // {"position":"EPOCH:SEQ","sessions":[…],"agents":[…],"cronJobs":[…],"gateway":{…},"truncated":false},
  // each array in order of seq; the gateway is null when nothing is known of it.
  std::string to_json(std::string_view epoch, std::uint64_t seq) const;
  // The records of a kind as JSON objects, the newest first.
  std::vector<std::string> records(StateKind kind) const;

 private:
  struct Record {
    std::uint64_t seq;
    std::string text;
  };
  struct Part {
    std::unordered_map<std::string, Record> by_key;
    std::map<std::uint64_t, const std::string*> by_seq;  // keys; an event sets one record at most
  };
  void make_room(StateKind kind, std::vector<StateRow>& rows) const;
  const Part& part(StateKind kind) const noexcept { return parts_[static_cast<std::size_t>(kind)]; }

  Limits limits_;
  std::array<Part, k_state_kinds> parts_;
};

struct ToldState {
  Position position;
  State state;
};
// What a server answers with. Errc::protocol when it is no such thing.
CLAWWS_API base::Result<ToldState> parse_state(std::string_view json);

}  // namespace clawws::wire
