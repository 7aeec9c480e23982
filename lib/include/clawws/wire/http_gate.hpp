// The strict gate before Beast's HTTP parser: looks at the raw bytes of a request head and refuses
// what Beast 1.81 lets through though it is ambiguous or dangerous (rows H-1 to H-16 of the hostile
// input catalogue in tests/conformance). What it lets through is unambiguous HTTP/1.x.
// Pure functions; linear time; what a verdict says is a literal.
//
// Stricter than RFC 9112 where leniency has no user here: no empty line before the request line, no
// absolute-form or authority-form target, no byte outside printable ASCII in a target, no field
// twice whose value decides something (Host, lengths, credentials, Origin, the WebSocket key).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "clawws/base/export.hpp"

namespace clawws::wire {

struct HeadLimits {
  std::size_t max_head_bytes = 8 * 1024;  // 431; a request line over it is 414
  std::size_t max_fields = 64;            // 431
};

struct GateVerdict {
  enum class Kind : std::uint8_t { need_more, pass, refuse } kind = Kind::need_more;
  std::size_t head_bytes = 0;  // pass: the length of the head, blank line included
  std::uint16_t status = 0;    // refuse: 400, 414, 431 or 505; the connection ends after it
  std::string_view reason;     // refuse: a literal, for the body and the log
};

// `bytes` is what has been read of a request so far, from its first byte. Lines are judged in their
// order as they become whole, so the verdict does not depend on how the bytes were cut.
CLAWWS_API GateVerdict check_head(std::string_view bytes, const HeadLimits& limits = {});

// Whose a request target is. `invalid` (400): it would become one of ours only by normalising
// (`..`, any percent escape, however often encoded, `//`, backslash), holds a NUL (`%00` too) or a
// control character, or does not begin with '/'. `*`, the target of OPTIONS, is `other`.
enum class PathOwner : std::uint8_t { websocket, clawws, other, invalid };
// `target` as it stands in the request line; only its path counts. Compared as raw bytes.
CLAWWS_API PathOwner path_owner(std::string_view target);

struct Target {
  std::string_view path;
  std::string_view query;  // without '?'
};
CLAWWS_API Target split_target(std::string_view target) noexcept;

// The comma-separated tokens of a header's value, trimmed, empty ones dropped; linear time.
CLAWWS_API std::vector<std::string_view> header_list(std::string_view value);

// Sec-WebSocket-Key: 24 characters that decode to 16 bytes.
CLAWWS_API bool is_websocket_key(std::string_view value) noexcept;

}  // namespace clawws::wire
