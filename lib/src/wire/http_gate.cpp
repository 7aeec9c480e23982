// One pass over the lines of a head. Each whole line is judged before the next is looked for, and a
// limit is judged where the byte that passes it stands; so a verdict depends on the bytes alone.
// Rejected: letting Beast parse first and looking at its fields afterwards. By then obs-fold, empty
// values and doubled lengths are gone, and these are what request smuggling is made of.
#include "clawws/wire/http_gate.hpp"

#include <algorithm>
#include <array>

#include "clawws/base/text.hpp"

namespace clawws::wire {

namespace {

using Kind = GateVerdict::Kind;

GateVerdict refuse(std::uint16_t status, std::string_view reason) noexcept {
  return {Kind::refuse, 0, status, reason};
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_alnum(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// RFC 9110, section 5.6.2.
constexpr bool is_tchar(char c) noexcept {
  return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_tchar);
}
bool is_field_value(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}
bool is_target_char(char c) noexcept {
  return c > 0x20 && c < 0x7F && c != '#';
}

bool is_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return false;
  }
  unsigned value = 0;
  for (const char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
  return value <= 65535;
}

// A name, an IPv4 address or a bracketed IPv6 address, and maybe a port. Narrower than RFC 3986:
// no escapes, no sub-delimiters, no user part.
bool is_host(std::string_view text) noexcept {
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    const std::string_view address = text.substr(1, close - 1);
    const bool fine = std::all_of(address.begin(), address.end(), [](char c) {
      return c == ':' || c == '.' || is_digit(c) || (c >= 'a' && c <= 'f') ||
             (c >= 'A' && c <= 'F');
    });
    if (!fine || address.find(':') == std::string_view::npos) return false;
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (name.empty() || name.size() > 255) return false;
    const bool fine = std::all_of(name.begin(), name.end(), [](char c) {
      return is_alnum(c) || c == '-' || c == '.' || c == '_';
    });
    if (!fine) return false;
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

// The fields of which a second one is a contradiction or an attack.
enum Single : std::size_t { host, content_length, transfer_encoding, k_others };
constexpr std::array<std::string_view, 11> k_single_fields = {
    "host",          "content-length",    "transfer-encoding",     "authorization",
    "origin",        "sec-websocket-key", "sec-websocket-version", "content-type",
    "content-range", "idempotency-key",   "last-event-id"};

struct Head {
  bool is_1_1 = false;
  std::size_t fields = 0;
  std::array<bool, k_single_fields.size()> seen = {};
};

// RFC 9112, section 3. An accepted one gives status 0.
GateVerdict check_request_line(std::string_view line, Head& head) noexcept {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return refuse(400, "the request line is not METHOD TARGET VERSION");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method)) return refuse(400, "the method is not a token");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other = version.size() == 8 && version.substr(0, 5) == "HTTP/" &&
                       is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
    return other ? refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
                 : refuse(400, "the HTTP version is malformed");
  }
  head.is_1_1 = version == "HTTP/1.1";
  const bool asterisk = target == "*" && method == "OPTIONS";
  if (method == "CONNECT" || target.empty() || (target.front() != '/' && !asterisk)) {
    return refuse(400, "the request target must begin with '/'");
  }
  if (!std::all_of(target.begin(), target.end(), is_target_char)) {
    return refuse(400, "the request target has a character that must be percent-encoded");
  }
  return {};
}

GateVerdict check_single(std::size_t which, std::string_view value, const Head& head) noexcept {
  if (which == host && !is_host(value)) return refuse(400, "the Host field is malformed");
  if (which == content_length) {
    const bool number =
        !value.empty() && value.size() <= 19 && std::all_of(value.begin(), value.end(), is_digit);
    if (!number) return refuse(400, "Content-Length is not a number of 1 to 19 digits");
    if (head.seen[transfer_encoding]) {
      return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
    }
  }
  if (which == transfer_encoding) {
    if (!head.is_1_1) return refuse(400, "Transfer-Encoding needs HTTP/1.1");
    if (!base::iequals(value, "chunked")) {
      return refuse(400, "the only Transfer-Encoding is 'chunked'");
    }
    if (head.seen[content_length]) {
      return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
    }
  }
  return {};
}

GateVerdict check_field(std::string_view line, Head& head, const HeadLimits& limits) noexcept {
  if (line.front() == ' ' || line.front() == '\t') {
    return refuse(400, "a header field must not be folded over lines");
  }
  if (++head.fields > limits.max_fields) return refuse(431, "too many header fields");
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) {
    return refuse(400, "a header field is not NAME: VALUE");
  }
  const std::string_view value = base::trim(line.substr(colon + 1));
  if (!is_field_value(value)) return refuse(400, "a header field holds a control character");
  for (std::size_t i = 0; i < k_single_fields.size(); ++i) {
    if (!base::iequals(name, k_single_fields[i])) continue;
    if (head.seen[i]) return refuse(400, "a header field that may stand once stands twice");
    const GateVerdict verdict = check_single(i, value, head);
    head.seen[i] = true;
    return verdict;
  }
  return {};
}

}  // namespace

GateVerdict check_head(std::string_view bytes, const HeadLimits& limits) {
  Head head;
  const std::string_view within = bytes.substr(0, limits.max_head_bytes);
  for (std::size_t start = 0;;) {
    const bool request_line = start == 0;
    std::size_t end = start;
    while (end < within.size() && within[end] != '\r' && within[end] != '\n') ++end;
    if (end < within.size() && within[end] == '\n') {
      return refuse(400, "a line ends with a bare line feed");
    }
    if (end + 1 >= within.size()) {
      if (within.size() < limits.max_head_bytes) return {};
      return request_line ? refuse(414, "the request line is too long")
                          : refuse(431, "the request head is too large");
    }
    if (within[end + 1] != '\n') return refuse(400, "a bare carriage return");

    const std::string_view line = within.substr(start, end - start);
    start = end + 2;
    if (line.empty() && !request_line) {
      if (head.is_1_1 && !head.seen[host]) return refuse(400, "the Host field is missing");
      return {Kind::pass, start, 0, {}};
    }
    const GateVerdict verdict =
        request_line ? check_request_line(line, head) : check_field(line, head, limits);
    if (verdict.kind == Kind::refuse) return verdict;
  }
}

std::vector<std::string_view> header_list(std::string_view value) {
  std::vector<std::string_view> tokens;
  while (!value.empty()) {
    const std::string_view part = value.substr(0, value.find(','));
    value.remove_prefix(std::min(part.size() + 1, value.size()));
    const std::string_view token = base::trim(part);
    if (!token.empty()) tokens.push_back(token);
  }
  return tokens;
}

// 16 bytes are 21 characters and 2 bits of another one, which therefore is one of four.
bool is_websocket_key(std::string_view value) noexcept {
  if (value.size() != 24 || value.substr(22) != "==") return false;
  const auto in_alphabet = [](char c) { return is_alnum(c) || c == '+' || c == '/'; };
  return std::all_of(value.begin(), value.begin() + 21, in_alphabet) &&
         std::string_view("AQgw").find(value[21]) != std::string_view::npos;
}

}  // namespace clawws::wire
