#include "clawws/server/dotenv.hpp"

#include <algorithm>
#include <cstddef>

#include "clawws/base/text.hpp"

namespace clawws::server {
namespace {

constexpr auto npos = std::string_view::npos;

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Only blanks and a comment stand between `at` and the end of its line.
bool rest_of_line_is_empty(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at == text.size() || text[at] == '\n' || text[at] == '\r' || text[at] == '#';
}

// Where the quote that opens at `open` closes: one behind which the line ends. A quote with a
// backslash before it is part of the value if another one can close it.
std::size_t closing_quote(std::string_view text, std::size_t open) {
  const char quote = text[open];
  std::size_t escaped_candidate = npos;
  for (std::size_t i = open + 1; i < text.size(); ++i) {
    if (text[i] != quote) continue;
    const bool escaped = text[i - 1] == '\\';
    if (!escaped) return rest_of_line_is_empty(text, i + 1) ? i : npos;
    if (escaped_candidate == npos && rest_of_line_is_empty(text, i + 1)) escaped_candidate = i;
  }
  return escaped_candidate;
}

// In double quotes, and only there, \n and \r stand for the control characters.
std::string with_line_ends(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && (next == 'n' || next == 'r')) {
      out += next == 'n' ? '\n' : '\r';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "\r\n" and "\r" end a line like "\n".
std::string with_unix_line_ends(std::string_view content) {
  std::string out;
  out.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] != '\r') {
      out += content[i];
    } else if (i + 1 == content.size() || content[i + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

// Takes the key of an assignment off the front of `line`, '=' included; empty: no assignment.
std::string_view take_key(std::string_view& line) {
  std::string_view rest = base::trim(line);
  if (rest.starts_with("export") && rest.size() > 6 && is_blank(rest[6])) {
    rest = base::trim(rest.substr(6));
  }
  std::size_t length = 0;
  while (length < rest.size() && is_key_character(rest[length])) ++length;
  const std::string_view key = rest.substr(0, length);
  rest = base::trim(rest.substr(length));
  if (!rest.starts_with('=')) return {};
  line = rest.substr(1);
  return key;
}

}  // namespace

std::map<std::string, std::string, std::less<>> parse_dotenv(std::string_view content) {
  const std::string unix_text = with_unix_line_ends(content);
  std::string_view rest = unix_text;
  std::map<std::string, std::string, std::less<>> values;
  while (!rest.empty()) {
    const std::size_t line_end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, line_end);
    std::size_t used = line_end;
    const std::string_view key = take_key(line);
    if (!key.empty()) {
      // A quoted value may go on over the next lines, so it is looked for in all that is left.
      std::size_t at = static_cast<std::size_t>(line.data() - rest.data());
      while (at < rest.size() && is_blank(rest[at])) ++at;
      const char quote = at < line_end ? rest[at] : '\0';
      const bool opens = quote == '"' || quote == '\'' || quote == '`';
      const std::size_t close = opens ? closing_quote(rest, at) : npos;
      std::string value;
      if (close != npos) {
        const std::string_view inner = rest.substr(at + 1, close - at - 1);
        value = quote == '"' ? with_line_ends(inner) : std::string(inner);
        used = std::min(rest.find('\n', close), rest.size());
      } else {
        value = base::trim(line.substr(0, line.find('#')));
      }
      values.insert_or_assign(std::string(key), std::move(value));
    }
    rest.remove_prefix(std::min(used + 1, rest.size()));
  }
  return values;
}

}  // namespace clawws::server
