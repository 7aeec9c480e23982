// Events: the one list of types, the validation of what publishers send, and the canonical JSON
// that is stored and sent. Pure functions over bytes; no thread, no I/O, no clock of its own.
//
// Canonical form of an event, ready but for its place in the log (the "body"):
//   {"type":"session.created","timestamp":"2026-02-21T14:30:00.000Z","payload":{…}
// The frame's text is the body, then `,"seq":N}`, or `,"seq":N,"prev":M}` in a filtered view.
// The timestamp is written as UTC with milliseconds, whatever offset and precision it came with; an
// alias of a type as the type itself; numbers keep their value, not their spelling; everything else
// is kept, in order, and members besides type, timestamp and payload are refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "clawws/base/error.hpp"
#include "clawws/base/export.hpp"

namespace clawws::wire {

inline constexpr std::size_t k_max_type_bytes = 64;
inline constexpr std::string_view k_bench_type = "bench.sample";

// The canonical name of a built-in type or of one of its aliases (`agent.status_changed` is
// `agent.status`); any other name comes back unchanged.
CLAWWS_API std::string_view canonical_type(std::string_view name) noexcept;
// [a-z][a-z0-9_]*(\.[a-z0-9_]+)+ with at most 64 characters.
CLAWWS_API bool is_type_name(std::string_view name) noexcept;
// `auth.*`, `clawws.*`, `ping`, `pong`, `error`, `position`, `subscribed`: the protocol's own.
CLAWWS_API bool is_reserved_type(std::string_view name) noexcept;
// The built-in types in canonical form, in the order of clawws-protocol(7), bench.sample last.
CLAWWS_API const std::vector<std::string>& builtin_types();

// `*` matches any run of characters, dots included; everything else is literal. At most
// |glob| * |text| steps.
CLAWWS_API bool glob_match(std::string_view glob, std::string_view text) noexcept;

struct EventRules {
  std::size_t max_event_bytes = 64 * 1024;   // of the canonical text
  std::size_t max_depth = 32;                // nesting of the event, its own object being 1
  std::size_t max_batch = 1000;              // events in one request
  std::vector<std::string> allowed_globs;    // --allow-type: further types
};

struct Event {
  std::string type;      // canonical
  std::string body;      // canonical JSON without seq and without the last brace
};

// Why a request's events were refused. `code` is invalid_json (400), invalid_event (422) or
// too_large (413); `path` is a JSON pointer from the request's root ("/2/payload/status"; for
// NDJSON the first part is the line's index counted from 0 without empty lines), "" for the whole.
struct EventProblem {
  base::Errc code;
  std::string path;
  std::string message;
};

struct ParsedEvents {
  std::vector<Event> events;
  // Accepted, but ClawPanel's own reducers would drop it: "/0/payload/agentId: …".
  std::vector<std::string> warnings;
};

using ParseResult = boost::system::result<ParsedEvents, EventProblem>;
[[noreturn]] CLAWWS_API void throw_exception_from_error(const EventProblem& problem,
                                                        const boost::source_location& where);

// One event or an array of them. `now_millis` is the timestamp of events that bring none.
CLAWWS_API ParseResult parse_events_json(std::string_view bytes, const EventRules& rules,
                                         std::int64_t now_millis);
// One event a line; empty lines are passed over; CRLF is fine.
CLAWWS_API ParseResult parse_events_ndjson(std::string_view bytes, const EventRules& rules,
                                           std::int64_t now_millis);

// Appends `text` as a JSON string with its quotes. Input must be UTF-8.
CLAWWS_API void append_json_string(std::string& out, std::string_view text);
CLAWWS_API std::string json_string(std::string_view text);

}  // namespace clawws::wire
