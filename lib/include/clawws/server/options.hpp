// The flag table of `clawws serve`: the one place that names its options. Help, man page, completions
// and --print-config are made from it or held against it by tests.
#pragma once

#include "clawws/base/flags.hpp"
#include "clawws/server/config.hpp"

namespace clawws::server {

struct ServeOptions {
  ServerConfig config;
  enum class Action : std::uint8_t { serve, check } action = Action::serve;
};

// The table, filling `options`, which must outlive it.
CLAWWS_API base::FlagSpec serve_flags(ServeOptions& options);

}  // namespace clawws::server
