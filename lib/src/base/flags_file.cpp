// The config file. CLI11's own reader ignores unknown keys, keeps no line numbers and lets a file
// beat the environment, so this one is small and strict instead.

#include <algorithm>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "flags_detail.hpp"

namespace clawws::base::detail {
namespace {

constexpr std::size_t k_limit_bytes = 1u << 20;

// What stands in front of a comment; '#' inside quotes belongs to the value.
std::string_view without_comment(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
      continue;
    }
    const char before = i == 0 ? ' ' : line[i - 1];
    const bool behind_space = before == ' ' || before == '\t';
    if (c == '#' && behind_space) return line.substr(0, i);
    // An apostrophe inside a word opens nothing.
    if ((c == '"' || c == '\'') && (behind_space || before == '=')) quote = c;
  }
  return line;
}

// The value itself. In double quotes \" and \\ stand for one character.
Result<std::string> unquoted(std::string_view text) {
  const char quote = text.empty() ? '\0' : text.front();
  if (quote != '"' && quote != '\'') return std::string(text);
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      if (i + 1 != text.size()) return Error(Errc::config, "text behind the closing quote");
      return value;
    }
    const bool escape = quote == '"' && text[i] == '\\' && i + 1 < text.size() &&
                        (text[i + 1] == '"' || text[i + 1] == '\\');
    if (escape) ++i;
    value += text[i];
  }
  return Error(Errc::config, "the closing quote is missing");
}

// Checks the key of a line against the table.
Result<const Flag*> known_key(const std::vector<Flag>& table, std::string_view key) {
  const Flag* flag = find_flag(table, key);
  if (flag == nullptr) {
    return Error(Errc::config, "unknown key \"" + escape_terminal(utf8_prefix(key, 120)) + "\"" +
                                   did_you_mean(table, key, "\"", "\""));
  }
  if (!flag->from_file) {
    return Error(Errc::config,
                 "\"" + flag->name + "\" cannot be set in a file; use the flag --" + flag->name);
  }
  return flag;
}

Result<void> read_line(const std::vector<Flag>& table, std::string_view text,
                       const std::string& where, SourcedValues& values) {
  const std::string_view line = trim(without_comment(text));
  if (line.empty()) return {};
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) {
    return Error(Errc::config, "must be `name = value` or a comment that begins with #");
  }
  const auto flag = known_key(table, trim(line.substr(0, equals)));
  if (!flag) return flag.error();
  const std::string_view written = trim(line.substr(equals + 1));
  if (written.empty()) {
    return Error(Errc::config, "\"" + (*flag)->name +
                                   "\" has no value; remove the line, or write "
                                   "\"\" for an empty one");
  }
  auto value = unquoted(written);
  if (!value) return value.error();
  std::vector<SourcedValue>& entries = values[(*flag)->name];
  if (!entries.empty() && (*flag)->kind != FlagKind::repeat) {
    return Error(Errc::config,
                 "\"" + (*flag)->name + "\" is already set at " + entries.front().where);
  }
  entries.push_back({std::move(*value), where});
  return {};
}

}  // namespace

Result<SourcedValues> read_config_file(const std::vector<Flag>& table, const std::string& path) {
  const auto content = read_file(path, k_limit_bytes);
  if (!content) return Error(Errc::config, "config file: " + content.error().message());
  std::string_view rest = *content;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);

  SourcedValues values;
  std::size_t number = 0;
  for (std::string_view line : split(rest, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = path + ":" + std::to_string(number);
    const auto done = read_line(table, line, where, values);
    if (!done) return Error(Errc::config, where + ": " + done.error().message());
  }
  return values;
}

}  // namespace clawws::base::detail
