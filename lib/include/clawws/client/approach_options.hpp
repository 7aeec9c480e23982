// The flags that say which server, how its certificate is judged and as whom: the same in every
// tool that connects. Filling them in touches nothing outside.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "clawws/base/flags.hpp"
#include "clawws/client/approach.hpp"

namespace clawws::client {

struct ApproachOptions {
  ApproachConfig approach;
  // What was given but may not be shown in an error that quotes its value.
  std::optional<base::Error> refused;
};

// Rows of the table; their setters fill `options`, which must outlive it.
void add_server_flags(std::vector<base::Flag>& flags, ApproachOptions& options);
void add_credential_flags(std::vector<base::Flag>& flags, ApproachOptions& options);
// For a URL that stands among the positional arguments.
base::Result<void> set_server_url(ApproachOptions& options, std::string_view text,
                                  std::string_view name);
bool may_hold_secret(std::string_view url);

// After parse_flags: what no flag can check alone, and the order of the credentials' places.
// Errc::usage.
base::Result<void> validate_approach(ApproachOptions& options, const base::FlagOutcome& outcome,
                                     const Environment& environment);

}  // namespace clawws::client
