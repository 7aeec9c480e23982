// What flags.cpp, flags_file.cpp and flags_help.cpp share: the whole table of a tool, with the
// flags that every tool has, and values with the place that they came from. Not installed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/flags.hpp"

namespace clawws::base::detail {

// One value and where it stands: "/etc/clawws.conf:12", "CLAWWS_LISTEN", "--listen".
struct SourcedValue {
  std::string value;
  std::string where;
};

// Values by flag name, from one source.
using SourcedValues = std::map<std::string, std::vector<SourcedValue>, std::less<>>;

// The spec's flags and behind them --config, --print-config, --version and --help.
std::vector<Flag> whole_table(const FlagSpec& spec);

const Flag* find_flag(const std::vector<Flag>& table, std::string_view name);

// "; did you mean X?" with `prefix` and `suffix` around the nearest name, or nothing.
std::string did_you_mean(const std::vector<Flag>& table, std::string_view name,
                         std::string_view prefix, std::string_view suffix);

// "CLAWWS_PING_INTERVAL" for "ping-interval".
std::string environment_name(std::string_view flag_name);

// Reads `key = value` lines. A value may stand in quotes; '#' begins a comment at the start of a
// line and behind a space. Errors name file and line.
Result<SourcedValues> read_config_file(const std::vector<Flag>& table, const std::string& path);

}  // namespace clawws::base::detail
