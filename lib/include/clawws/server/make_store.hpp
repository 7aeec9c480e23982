// The event store that a server's configuration asks for, not opened yet. What it notices while it runs
// goes to the log, which outlives it.
#pragma once

#include <memory>

#include "clawws/base/log.hpp"
#include "clawws/server/config.hpp"

namespace clawws::server {

std::unique_ptr<hub::EventStore> make_store(const ServerConfig& config, const std::filesystem::path& state_dir,
                                            base::Logger& log);

}  // namespace clawws::server
