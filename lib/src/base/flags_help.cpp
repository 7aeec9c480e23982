// What the flag table looks like to a person: --help and --print-config.

#include <algorithm>

#include "clawws/base/text.hpp"
#include "flags_detail.hpp"

namespace clawws::base {
namespace {

constexpr std::size_t k_width = 100;
constexpr std::size_t k_widest_left_column = 32;

// "  -v, --verbose" and "      --listen HOST:PORT", so that long names stand below each other.
std::string left_column(const Flag& flag) {
  std::string text = "      --";
  if (flag.letter != 0) text = std::string("  -") + flag.letter + ", --";
  text += flag.name;
  if (flag.kind == FlagKind::optional_value) {
    text += "[=" + flag.value_name + "]";
  } else if (flag.kind != FlagKind::toggle) {
    text += " " + flag.value_name;
  }
  return text;
}

std::string right_column(const Flag& flag) {
  std::string notes;
  if (flag.kind == FlagKind::repeat) notes = "repeatable";
  if (!flag.default_text.empty()) {
    notes += (notes.empty() ? "default: " : "; default: ") + flag.default_text;
  }
  return notes.empty() ? flag.help : flag.help + " (" + notes + ")";
}

// Columns, not bytes: a continuation byte of UTF-8 takes no room.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Words of `text` in lines of at most k_width columns; lines after the first begin at `indent`.
// `used` columns of the first line are taken.
void append_wrapped(std::string& out, std::string_view text, std::size_t used, std::size_t indent) {
  std::size_t column = used;
  bool line_is_empty = true;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const std::size_t room = columns(word) + (line_is_empty ? 0 : 1);
    if (!line_is_empty && column + room > k_width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      line_is_empty = true;
    }
    if (!line_is_empty) out += ' ';
    out += word;
    column += columns(word) + (line_is_empty ? 0 : 1);
    line_is_empty = false;
  }
  out += '\n';
}

void append_row(std::string& out, const std::string& left, std::string_view right,
                std::size_t indent) {
  out += left;
  if (columns(left) + 2 > indent) {
    out += '\n';
    out.append(indent, ' ');
  } else {
    out.append(indent - columns(left), ' ');
  }
  append_wrapped(out, right, indent, indent);
}

// A value as the config file takes it.
std::string quoted_where_needed(const std::string& value) {
  const bool plain = !value.empty() && trim(value).size() == value.size() &&
                     value.find_first_of("#\"'\\") == std::string::npos;
  if (plain) return escape_terminal(value);
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return escape_terminal(out + '"');
}

struct ConfigLine {
  std::string text;
  std::string origin;
};

void append_lines_of(const Flag& flag, const FlagOutcome& outcome, std::vector<ConfigLine>& out) {
  const auto given = outcome.given.find(flag.name);
  if (given == outcome.given.end()) {
    std::string value = flag.default_text;
    if (value.empty() && flag.kind == FlagKind::toggle) value = "false";
    out.push_back({"# " + flag.name + " =" + (value.empty() ? "" : " " + value),
                   value.empty() ? "not set" : "default"});
    return;
  }
  std::vector<std::string> values = given->second.values;
  if (flag.kind == FlagKind::toggle) values.resize(1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string& value = values[i];
    const bool secret = flag.secrecy == Secrecy::secret;
    const bool optional_alone = flag.kind == FlagKind::optional_value && value.empty();
    std::string shown = quoted_where_needed(value);
    if (optional_alone) shown = "true";
    if (secret) shown = "(set)";
    const bool fit_for_a_file = flag.from_file && !secret;
    out.push_back(
        {(fit_for_a_file ? "" : "# ") + flag.name + " = " + shown, given->second.places[i]});
  }
}

}  // namespace

std::string help_text(const FlagSpec& spec) {
  const std::vector<Flag> table = detail::whole_table(spec);
  std::size_t indent = 0;
  for (const Flag& flag : table) indent = std::max(indent, columns(left_column(flag)));
  for (const Positional& p : spec.positionals) indent = std::max(indent, columns(p.name) + 2);
  indent = std::min(indent, k_widest_left_column) + 2;

  std::string out;
  append_wrapped(out, spec.summary, 0, 0);
  out += "\nUsage: " + spec.usage + "\n";
  if (!spec.positionals.empty()) out += "\nArguments:\n";
  for (const Positional& p : spec.positionals) append_row(out, "  " + p.name, p.help, indent);

  std::vector<std::string> groups;
  const auto group_of = [](const Flag& flag) {
    return flag.group.empty() ? "Options" : flag.group;
  };
  for (const Flag& flag : table) {
    const std::string group = group_of(flag);
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  // The table's own flags stand last, with those that the tool puts into the same group.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != "General"; });
  for (const std::string& group : groups) {
    out += "\n" + group + ":\n";
    for (const Flag& flag : table) {
      if (group_of(flag) == group) append_row(out, left_column(flag), right_column(flag), indent);
    }
  }
  out += '\n';
  const std::string& name = spec.example_flag;
  append_wrapped(out,
                 "An option may also come from the environment (" +
                     (name.empty() ? "CLAWWS_NAME for --name"
                                   : detail::environment_name(name) + " for --" + name) +
                     ") or from the file of --config (`" +
                     (name.empty() ? "name = value" : name + " = " + spec.example_value) +
                     "`). A flag beats the environment, the environment beats the file, the file "
                     "beats the default.",
                 0, 0);
  if (!spec.epilog.empty()) {
    out += "\n" + spec.epilog;
    if (!out.ends_with('\n')) out += '\n';
  }
  return out;
}

std::string print_config(const FlagSpec& spec, const FlagOutcome& outcome) {
  std::vector<ConfigLine> lines;
  for (const Flag& flag : detail::whole_table(spec)) {
    if (flag.name == "help" || flag.name == "version" || flag.name == "print-config") continue;
    append_lines_of(flag, outcome, lines);
  }
  std::size_t width = 0;
  for (const ConfigLine& line : lines)
    width = std::max(width, std::min<std::size_t>(columns(line.text), 48));
  std::string out;
  for (const ConfigLine& line : lines) {
    const std::size_t used = columns(line.text);
    out += line.text;
    out.append(used < width ? width - used : 0, ' ');
    out += "  # " + line.origin + "\n";
  }
  return out;
}

}  // namespace clawws::base
