#include "clawws/base/flags.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <optional>

#include "clawws/base/text.hpp"
#include "flags_detail.hpp"

namespace clawws::base {
namespace detail {

std::vector<Flag> whole_table(const FlagSpec& spec) {
  std::vector<Flag> table = spec.flags;
  const auto letter_is_free = [&](char letter) {
    return std::none_of(table.begin(), table.end(),
                        [letter](const Flag& flag) { return flag.letter == letter; });
  };
  const auto add = [&](const char* name, char letter, FlagKind kind, const char* value_name,
                       const char* help) {
    Flag flag;
    flag.name = name;
    flag.letter = letter != 0 && letter_is_free(letter) ? letter : '\0';
    flag.kind = kind;
    flag.value_name = value_name;
    flag.group = "General";
    flag.help = help;
    flag.from_environment = false;
    flag.from_file = false;
    table.push_back(std::move(flag));
  };
  add("config", 0, FlagKind::value, "FILE", "read options from FILE, lines of `name = value`");
  table.back().from_environment = true;
  add("print-config", 0, FlagKind::toggle, "",
      "print every option with its value and where that came from, and exit");
  add("version", 'V', FlagKind::toggle, "", "print the version and exit");
  add("help", 'h', FlagKind::toggle, "", "print this text and exit");
  return table;
}

const Flag* find_flag(const std::vector<Flag>& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [name](const Flag& flag) { return flag.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string did_you_mean(const std::vector<Flag>& table, std::string_view name,
                         std::string_view prefix, std::string_view suffix) {
  std::vector<std::string> names;
  names.reserve(table.size());
  for (const Flag& flag : table) names.push_back(flag.name);
  const auto best = nearest(name, names);
  if (!best) return {};
  return "; did you mean " + std::string(prefix) + *best + std::string(suffix) + "?";
}

std::string environment_name(std::string_view flag_name) {
  std::string name = "CLAWWS_";
  for (const char c : flag_name) {
    if (c == '-') {
      name += '_';
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

}  // namespace detail

namespace {

using detail::did_you_mean;
using detail::find_flag;
using detail::SourcedValue;
using detail::SourcedValues;

bool takes_value(const Flag& flag) {
  return flag.kind == FlagKind::value || flag.kind == FlagKind::repeat;
}

struct CommandLine {
  SourcedValues flags;
  std::vector<std::string> positionals;
};

// CLI11 gives `--flag=` the next word as its value. Made "--flag" and "" here, it is the empty
// value that was written.
Result<std::vector<std::string>> without_empty_values(const std::vector<Flag>& table,
                                                      const std::vector<std::string>& args) {
  std::vector<std::string> out;
  auto arg = args.begin();
  for (; arg != args.end() && *arg != "--"; ++arg) {
    const bool empty = arg->size() > 3 && arg->starts_with("--") && arg->ends_with('=') &&
                       std::count(arg->begin(), arg->end(), '=') == 1;
    const Flag* flag =
        empty ? find_flag(table, std::string_view(*arg).substr(2, arg->size() - 3)) : nullptr;
    if (flag == nullptr) {
      out.push_back(*arg);
    } else if (takes_value(*flag)) {
      out.push_back("--" + flag->name);
      out.emplace_back();
    } else {
      return Error(Errc::usage, "--" + flag->name + "= has nothing behind '='");
    }
  }
  out.insert(out.end(), arg, args.end());
  return out;
}

// "-x" or "--name" of an argument, without its value, which may be a secret.
std::string flag_part(const std::string& arg) {
  return escape_terminal(arg.starts_with("--") ? arg.substr(0, arg.find('=')) : arg.substr(0, 2));
}

// The words that no flag took: positional arguments, or flags that do not exist.
Result<std::vector<std::string>> positionals_of(const FlagSpec& spec,
                                                const std::vector<Flag>& table,
                                                const std::vector<std::string>& words) {
  std::vector<std::string> found;
  bool only_positionals = false;
  for (const std::string& word : words) {
    if (!only_positionals && word == "--") {
      only_positionals = true;
    } else if (!only_positionals && word.size() > 1 && word.front() == '-') {
      const std::string flag = flag_part(word);
      std::string hint;
      if (flag.starts_with("--")) hint = did_you_mean(table, flag.substr(2), "--", "");
      return Error(Errc::usage, "unknown flag " + flag + (hint.empty() ? "; see --help" : hint));
    } else {
      found.push_back(word);
    }
  }
  if (spec.positionals.empty() && !found.empty()) {
    return Error(Errc::usage,
                 "unexpected argument \"" + escape_terminal(found.front()) + "\"; see --help");
  }
  return found;
}

// CLI11 fails this way only where a flag at the very end lacks its value.
Error missing_value(const std::vector<Flag>& table, const std::string& last_word) {
  const auto flag = std::find_if(table.begin(), table.end(), [&](const Flag& f) {
    if (last_word.starts_with("--")) return f.name == last_word.substr(2);
    return f.letter != 0 && f.letter == last_word.back();
  });
  if (flag == table.end()) return Error(Errc::usage, flag_part(last_word) + " needs a value");
  return Error(Errc::usage, "--" + flag->name + " needs a value: " + flag->value_name);
}

Result<CommandLine> parse_command_line(const FlagSpec& spec, const std::vector<Flag>& table,
                                       const std::vector<std::string>& given_args) {
  auto args = without_empty_values(table, given_args);
  if (!args) return args.error();
  CommandLine line;
  try {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<CLI::Option*> options;
    for (const Flag& flag : table) {
      std::string names = "--" + flag.name;
      if (flag.letter != 0) names += std::string(",-") + flag.letter;
      CLI::Option* option = takes_value(flag) ? app.add_option(names) : app.add_flag(names);
      options.push_back(option);
      if (takes_value(flag)) option->expected(1);
      option->allow_extra_args(false);
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    app.parse(std::vector<std::string>(args->rbegin(), args->rend()));
    for (std::size_t i = 0; i < table.size(); ++i) {
      for (const std::string& value : options[i]->results()) {
        line.flags[table[i].name].push_back({value, "--" + table[i].name});
      }
    }
    // Who asks for help is given it, whatever else is wrong.
    if (line.flags.contains("help")) return line;
    auto positionals = positionals_of(spec, table, app.remaining());
    if (!positionals) return positionals.error();
    line.positionals = std::move(*positionals);
  } catch (const CLI::ArgumentMismatch&) {
    return missing_value(table, args->back());
  } catch (const CLI::Error& error) {
    return Error(Errc::usage, error.what());
  }
  return line;
}

// An empty variable counts as unset. A repeatable flag's values are split at commas.
SourcedValues read_environment(const std::vector<Flag>& table,
                               const std::function<const char*(const char*)>& environment) {
  SourcedValues values;
  for (const Flag& flag : table) {
    if (!flag.from_environment) continue;
    const std::string name = detail::environment_name(flag.name);
    const char* text = environment(name.c_str());
    if (text == nullptr || *text == '\0') continue;
    if (flag.kind != FlagKind::repeat) {
      values[flag.name].push_back({text, name});
      continue;
    }
    for (const std::string_view part : split(text, ',')) {
      const std::string_view value = trim(part);
      if (!value.empty()) values[flag.name].push_back({std::string(value), name});
    }
  }
  return values;
}

std::optional<bool> parse_toggle(const Flag& flag, std::string_view text) {
  for (const char* yes : {"true", "yes", "on"}) {
    if (iequals(text, yes)) return true;
  }
  for (const char* no : {"false", "no", "off"}) {
    if (iequals(text, no)) return false;
  }
  // For an optional value these may be a number.
  if (flag.kind == FlagKind::toggle && text == "1") return true;
  if (flag.kind == FlagKind::toggle && text == "0") return false;
  return std::nullopt;
}

// `/etc/clawws.conf:12: listen "x": must be HOST:PORT`
Error bad_value(const Flag& flag, Origin origin, const SourcedValue& given,
                std::string_view reason) {
  std::string text = given.where;
  if (origin == Origin::config_file) text += ": " + flag.name;
  if (flag.secrecy == Secrecy::open) {
    constexpr std::size_t k_shown_bytes = 120;
    const std::string_view shown = utf8_prefix(given.value, k_shown_bytes);
    text += " \"" + escape_terminal(shown) + (shown.size() < given.value.size() ? "…\"" : "\"");
  }
  text += ": " + std::string(reason);
  return Error(origin == Origin::flag ? Errc::usage : Errc::config, std::move(text));
}

// Brings the values of toggles and optional values into the form that `set` expects; a value that
// says "off" also takes back what the same source said before it.
Result<std::vector<SourcedValue>> normalized(const Flag& flag, Origin origin,
                                             const std::vector<SourcedValue>& given) {
  if (takes_value(flag)) {
    if (flag.kind == FlagKind::value) return std::vector<SourcedValue>{given.back()};
    return given;
  }
  std::vector<SourcedValue> out;
  for (const SourcedValue& one : given) {
    const std::optional<bool> on = parse_toggle(flag, one.value);
    if (!on && flag.kind == FlagKind::toggle) {
      return bad_value(flag, origin, one, "must be true or false");
    }
    if (on && !*on) {
      out.clear();
    } else if (flag.kind == FlagKind::toggle) {
      out.push_back({"true", one.where});
    } else {
      out.assign(1, {on ? "" : one.value, one.where});
    }
  }
  return out;
}

struct Sources {
  SourcedValues arguments;
  SourcedValues environment;
  SourcedValues file;
};

// Takes the values of the strongest source that has any, and hands them to `set`.
Result<void> apply(const Flag& flag, const Sources& sources, FlagOutcome& outcome) {
  const std::pair<const SourcedValues*, Origin> by_strength[] = {
      {&sources.arguments, Origin::flag},
      {&sources.environment, Origin::environment},
      {&sources.file, Origin::config_file}};
  for (const auto& [source, origin] : by_strength) {
    const auto found = source->find(flag.name);
    if (found == source->end()) continue;
    const auto values = normalized(flag, origin, found->second);
    if (!values) return values.error();
    FlagValue& entry = outcome.given[flag.name];
    entry.origin = origin;
    entry.where = found->second.back().where;
    for (const SourcedValue& one : *values) {
      if (flag.set) {
        const auto done = flag.set(one.value);
        if (!done) return bad_value(flag, origin, one, done.error().message());
      }
      entry.values.push_back(one.value);
      entry.places.push_back(one.where);
    }
    // A toggle that was switched off is given, too: it hides what a weaker source says.
    if (values->empty()) {
      entry.values.emplace_back("false");
      entry.places.push_back(entry.where);
    }
    return {};
  }
  return {};
}

Result<void> apply_positionals(const FlagSpec& spec, const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Positional& positional = spec.positionals[std::min(i, spec.positionals.size() - 1)];
    const auto done = positional.set(values[i]);
    if (!done) {
      return Error(Errc::usage, positional.name + " \"" + escape_terminal(values[i]) +
                                    "\": " + done.error().message());
    }
  }
  return {};
}

FlagOutcome print_and_exit(std::string text) {
  FlagOutcome outcome;
  outcome.next = FlagOutcome::Next::print_and_exit;
  outcome.output = std::move(text);
  return outcome;
}

}  // namespace

Result<FlagOutcome> parse_flags(const FlagSpec& spec, const std::vector<std::string>& args,
                                const std::function<const char*(const char*)>& environment) {
  const std::vector<Flag> table = detail::whole_table(spec);
  auto line = parse_command_line(spec, table, args);
  if (!line) return line.error();
  Sources sources;
  sources.arguments = std::move(line->flags);
  if (sources.arguments.contains("help")) return print_and_exit(help_text(spec));
  if (sources.arguments.contains("version")) {
    return print_and_exit(spec.program + " " + std::string(version()) + "\n");
  }

  sources.environment = read_environment(table, environment);
  FlagOutcome outcome;
  const auto config = apply(*find_flag(table, "config"), sources, outcome);
  if (!config) return config.error();
  if (const auto path = outcome.given.find("config"); path != outcome.given.end()) {
    auto file = detail::read_config_file(table, path->second.values.front());
    if (!file) return file.error();
    sources.file = std::move(*file);
  }
  for (const Flag& flag : table) {
    if (flag.name == "config") continue;
    const auto done = apply(flag, sources, outcome);
    if (!done) return done.error();
  }
  const auto positionals = apply_positionals(spec, line->positionals);
  if (!positionals) return positionals.error();
  outcome.print_config = sources.arguments.contains("print-config");
  return outcome;
}

std::string_view version() noexcept {
  return CLAWWS_VERSION;
}

}  // namespace clawws::base
