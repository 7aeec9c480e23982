// `clawws serve` around the server: the first lines, the signals, the exit code. Blocks the calling
// thread until a signal ends the server.
#pragma once

#include "clawws/base/error.hpp"
#include "clawws/server/config.hpp"

namespace clawws::server {

// Runs until SIGTERM or SIGINT. An error means that it could not start.
CLAWWS_API base::Result<void> serve(const ServerConfig& config);

}  // namespace clawws::server
