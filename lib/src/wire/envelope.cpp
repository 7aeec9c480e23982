#include "envelope.hpp"

#include <charconv>
#include <cstring>

namespace clawws::wire {
namespace {

constexpr unsigned k_max_nesting = 64;  // one bit each

// Every function moves over what it names and returns false where that is not what stands there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept
      : at_(text.data()), end_(text.data() + text.size()) {}

  bool at_end() const noexcept { return at_ == end_; }
  char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }
  void skip_space() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  bool take(char c) noexcept {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  // A string with its escapes as they stand, without the quotes.
  bool string(std::string_view& inside) noexcept {
    if (!take('"')) return false;
    const char* const start = at_;
    for (;;) {
      const auto* quote =
          static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
      if (quote == nullptr) return false;
      // The quote ends the string unless an odd number of backslashes stands before it. Each run of
      // them is counted once, so this stays linear.
      std::size_t backslashes = 0;
      while (quote - backslashes != start && *(quote - backslashes - 1) == '\\') ++backslashes;
      at_ = quote + 1;
      if (backslashes % 2 == 0) {
        inside = {start, static_cast<std::size_t>(quote - start)};
        return true;
      }
    }
  }

  bool count(std::uint64_t& value) noexcept {
    const auto read = std::from_chars(at_, end_, value);
    if (read.ec != std::errc()) return false;
    at_ = read.ptr;
    return at_ == end_ || *at_ == ',' || *at_ == '}' || *at_ == ' ' || *at_ == '\t' ||
           *at_ == '\n' || *at_ == '\r';
  }

  // Any value. A scalar ends where a comma or a closing bracket stands.
  bool skip_value() noexcept {
    std::string_view inside;
    if (peek() == '"') return string(inside);
    if (peek() != '{' && peek() != '[') return skip_scalar();
    // The kinds of the open brackets, so that `{]` is found: everything else inside is not looked
    // at.
    std::uint64_t objects = 0;  // bit set: the bracket of that depth is a brace
    unsigned depth = 0;
    do {
      if (at_ == end_) return false;
      switch (*at_) {
        case '"':
          if (!string(inside)) return false;
          continue;
        case '{':
        case '[':
          if (depth == k_max_nesting) return false;
          objects = (objects << 1) | (*at_ == '{' ? 1U : 0U);
          ++depth;
          break;
        case '}':
        case ']':
          if ((objects & 1U) != (*at_ == '}' ? 1U : 0U)) return false;
          objects >>= 1;
          --depth;
          break;
        default:
          break;
      }
      ++at_;
    } while (depth > 0);
    return true;
  }

 private:
  bool skip_scalar() noexcept {
    const char* const start = at_;
    while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && *at_ != '"' && *at_ != '{' &&
           *at_ != '[') {
      ++at_;
    }
    return at_ != start;
  }

  const char* at_;
  const char* end_;
};

// Escapes are not decoded here; a type or a time that has one is none of ours.
bool is_plain(std::string_view text) noexcept {
  return text.find('\\') == std::string_view::npos;
}

// One member of the top object, from its value on. False: the text is not what it should be.
bool scan_member(Scanner& scanner, std::string_view name, Envelope& envelope,
                 unsigned& seen) noexcept {
  const auto once = [&seen](unsigned bit) {
    const bool is_first = (seen & bit) == 0;
    seen |= bit;
    return is_first;
  };
  if (name == "type") {
    return once(1) && scanner.string(envelope.type) && is_plain(envelope.type);
  }
  if (name == "timestamp") {
    if (!once(2)) return false;
    if (scanner.peek() != '"') return scanner.skip_value();
    if (!scanner.string(envelope.timestamp)) return false;
    if (!is_plain(envelope.timestamp)) envelope.timestamp = {};
    return true;
  }
  if (name == "seq" || name == "prev") {
    std::uint64_t value = 0;
    if (!once(name == "seq" ? 4 : 8) || !scanner.count(value)) return false;
    (name == "seq" ? envelope.seq : envelope.prev) = value;
    return true;
  }
  return scanner.skip_value();
}

}  // namespace

bool scan_envelope(std::string_view text, Envelope& envelope) noexcept {
  Scanner scanner(text);
  unsigned seen = 0;
  scanner.skip_space();
  if (!scanner.take('{')) return false;
  do {
    std::string_view name;
    scanner.skip_space();
    if (!scanner.string(name)) return false;
    scanner.skip_space();
    if (!scanner.take(':')) return false;
    scanner.skip_space();
    if (!scan_member(scanner, name, envelope, seen)) return false;
    scanner.skip_space();
  } while (scanner.take(','));
  if (!scanner.take('}')) return false;
  scanner.skip_space();
  return scanner.at_end() && (seen & 1U) != 0;
}

}  // namespace clawws::wire
