// The envelope of a server's message, found without reading its payload: type, timestamp, seq,
// prev. This is what a client does for every event, so it is one pass over the bytes with no
// allocation; the payload is only passed over (quotes and brackets). Pure function; internal to
// wire.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace clawws::wire {

// The views are parts of the text that was scanned.
struct Envelope {
  std::string_view type;       // never holds an escape: a type name has no character that needs one
  std::string_view timestamp;  // empty: none, or not a plain string
  std::optional<std::uint64_t> seq;
  std::optional<std::uint64_t> prev;
};

// False for what is not one JSON object with a plain string "type" at its top, for unbalanced or
// more than 64 nested brackets, for a seq or prev that is no integer of 0 to 2^64-1, for a second
// member of one of the four names. Members in any order; others are passed over.
bool scan_envelope(std::string_view text, Envelope& envelope) noexcept;

}  // namespace clawws::wire
