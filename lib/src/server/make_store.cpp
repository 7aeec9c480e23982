#include "clawws/server/make_store.hpp"

#include "clawws/hub/memory_store.hpp"
#include "clawws/hub/sqlite_store.hpp"

namespace clawws::server {

std::unique_ptr<hub::EventStore> make_store(const ServerConfig& config, const std::filesystem::path& state_dir,
                                            base::Logger& log) {
  if (config.store == ServerConfig::Store::memory) return std::make_unique<hub::MemoryStore>(effective_retention(config));
  hub::SqliteStoreConfig store;
  store.directory = state_dir;
  store.retention = effective_retention(config);
  store.durability = config.durability;
  store.tell = [&log](base::LogLevel level, std::string_view text) {
    switch (level) {
      case base::LogLevel::error:
        return log.error("event store", {{"what", text}});
      case base::LogLevel::warning:
        return log.warning("event store", {{"what", text}});
      case base::LogLevel::info:
      case base::LogLevel::debug:
        return log.info("event store", {{"what", text}});
    }
  };
  return std::make_unique<hub::SqliteStore>(std::move(store));
}

}  // namespace clawws::server
