// The strict gate before Beast's HTTP parser: looks at the raw bytes of a request head and refuses
// what Beast 1.81 lets through though it is ambiguous or dangerous (rows H-1 to H-16 of the hostile
// input catalogue in tests/conformance). What it lets through is unambiguous HTTP/1.x.
// Pure functions; linear time; no allocation but the answer's text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"

namespace clawws::wire {

struct HeadLimits {
  std::size_t max_head_bytes = 8 * 1024;   // 431; a request line over it is 414
  std::size_t max_fields = 64;             // 431
};

struct GateVerdict {
  enum class Kind : std::uint8_t { need_more, pass, refuse } kind = Kind::need_more;
  std::size_t head_bytes = 0;    // pass: the length of the head, blank line included
  std::uint16_t status = 0;      // refuse: 400, 414, 431, 501, 505
  std::string_view reason;       // refuse: a literal, for the body and the log
};

// `bytes` is what has been read of a request so far, from its first byte.
CLAWWS_API GateVerdict check_head(std::string_view bytes, const HeadLimits& limits = {});

// Whose a request target is. `invalid` (400): it would become one of ours only by normalising
// (`..`, `%2e`, `%2f`, `//`, backslash), or holds a NUL or control character.
enum class PathOwner : std::uint8_t { websocket, clawws, other, invalid };
// `target` as it stands in the request line; only its path counts. Compared as raw bytes.
CLAWWS_API PathOwner path_owner(std::string_view target) noexcept;

struct Target {
  std::string_view path;
  std::string_view query;  // without '?'
};
CLAWWS_API Target split_target(std::string_view target) noexcept;

struct QueryParameter {
  std::string name, value;  // percent-decoded, '+' is a space
};
// application/x-www-form-urlencoded. Errc::bad_request: a broken escape, not UTF-8, more than 32.
CLAWWS_API base::Result<std::vector<QueryParameter>> parse_query(std::string_view query);

// What the query of GET /ws says. Names that it does not know are ignored (a cache buster, an old
// client's), those it knows must parse: bad_position, bad_filter or bad_request, naming the parameter.
struct SubscribeQuery {
  std::optional<std::string> since;
  std::optional<std::uint64_t> last;           // 1 to 100,000
  std::optional<std::vector<std::string>> types;
  std::optional<std::string> ticket;
};
CLAWWS_API base::Result<SubscribeQuery> parse_subscribe_query(std::string_view query);

// The comma-separated tokens of a header's value, trimmed, empty ones dropped; linear time.
CLAWWS_API std::vector<std::string_view> header_list(std::string_view value);

// Sec-WebSocket-Key: 24 characters that decode to 16 bytes.
CLAWWS_API bool is_websocket_key(std::string_view value) noexcept;

}  // namespace clawws::wire
