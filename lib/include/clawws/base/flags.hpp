// The flag table: the one place that says which options a tool has. From it come the parsing of
// argv (CLI11), the environment and the config file, the order of precedence, --help,
// --print-config, and the tests that hold man pages and completions against it.
//
// Precedence: flag, then environment (CLAWWS_<NAME>, upper case, '-' as '_'), then config file
// (`key = value` lines, `#` comments, the same names), then default. CLI11 2.1.2 lets a file beat
// the environment, ignores unknown keys and keeps no origins, so files and environment are read in
// a pass of our own and CLI11 parses argv alone.
//
// Used from main's thread before anything else runs. Knows no tool.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"

namespace clawws::base {

enum class FlagKind : std::uint8_t { value, toggle, repeat, optional_value };
enum class Secrecy : std::uint8_t { open, secret };  // secret: shown as "(set)" in --print-config

// One option. `set` is called once per value, in precedence order, and says what is wrong with it
// (without naming the flag: the table adds name and origin). For a toggle the value is "true".
// For optional_value (`--wait[=DUR]`) without a value it is "". A toggle that is switched off
// ("false" in file or environment) is not told.
struct Flag {
  std::string name;  // long name without dashes
  char letter = 0;   // short name, or 0
  FlagKind kind = FlagKind::value;
  std::string value_name;    // "FILE", "DUR"; empty for a toggle
  std::string group;         // heading in --help
  std::string help;          // one sentence, lower case, no stop
  std::string default_text;  // as --help and --print-config show it; empty: none
  std::function<Result<void>(std::string_view value)> set;
  Secrecy secrecy = Secrecy::open;
  bool from_environment = true;
  bool from_file = true;
};

// Positional arguments: `set` is called for each in order; the last one takes all that follow.
struct Positional {
  std::string name;  // "URL"
  std::string help;
  std::function<Result<void>(std::string_view value)> set;
};

struct FlagSpec {
  std::string program;      // "clawws serve"
  std::string summary;      // what --help says first
  std::string usage;        // "clawws serve [OPTIONS]"
  std::vector<Flag> flags;  // --help, --version, --config, --print-config are added by the table
  std::vector<Positional> positionals;
  // A flag of this tool and a value for it: how --help says the environment's and the file's names.
  std::string example_flag, example_value;
  std::string epilog;  // after the options in --help: examples, exit codes
};

enum class Origin : std::uint8_t { unset, config_file, environment, flag };

struct FlagValue {
  std::vector<std::string> values;
  Origin origin = Origin::unset;
  std::string where;  // "/etc/clawws.conf:12", "CLAWWS_LISTEN", "--listen"; of the last value
  std::vector<std::string> places;  // the same for each of `values`
};

// What main does next.
struct FlagOutcome {
  enum class Next : std::uint8_t { run, print_and_exit } next = Next::run;
  std::string output;                      // for print_and_exit: goes to stdout, exit 0
  bool print_config = false;               // asked for; print after validation
  std::map<std::string, FlagValue> given;  // only what was given anywhere
};

// Parses and applies. `args` are argv[1..]; `environment` looks a name up (nullptr when unset).
// Error: Errc::usage for argv, Errc::config for file and environment; the context is the whole
// sentence: name, origin (file and line), reason, the nearest name.
CLAWWS_API Result<FlagOutcome> parse_flags(
    const FlagSpec& spec, const std::vector<std::string>& args,
    const std::function<const char*(const char*)>& environment);

// `key = value  # origin` lines, one per value. It is a config file that says the same: defaults
// and what a file cannot set stand in comments, a secret as "(set)".
CLAWWS_API std::string print_config(const FlagSpec& spec, const FlagOutcome& outcome);

CLAWWS_API std::string help_text(const FlagSpec& spec);

// The project's version, "0.1.0".
CLAWWS_API std::string_view version() noexcept;

}  // namespace clawws::base
