// A SQLite store in a directory of a test's, opened, closed and opened again. Upkeep by hand.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clawws/hub/sqlite_store.hpp"
#include "support/hub_events.hpp"
#include "support/temp_dir.hpp"

namespace clawws::test {

class SqliteEvents {
 public:
  SqliteEvents() {
    config.directory = dir.path();
    config.clock = [this] { return now.load(); };
    config.upkeep = hub::SqliteStoreConfig::Upkeep::by_hand;
    config.tell = [this](base::LogLevel, std::string_view text) {
      const std::lock_guard lock(mutex);
      said_ += std::string(text) + "\n";
    };
  }

  // Opens with `config`; the error's text, or "".
  std::string try_open() {
    store.reset();
    store = std::make_unique<hub::SqliteStore>(config);
    const auto opened =
        store->open([this](std::uint64_t first, std::span<const wire::Event> events) {
          EXPECT_EQ(first, sunk + 1);
          sunk += events.size();
        });
    if (opened) {
      sunk = store->facts().newest;
      return "";
    }
    code = opened.error().code;
    store.reset();
    return opened.error().message();
  }
  hub::SqliteStore& open() {
    EXPECT_EQ(try_open(), "");
    return *store;
  }
  void close() { store.reset(); }
  // Events numbered as the seqs that they get.
  std::uint64_t append(std::size_t count, std::size_t padding = 0) {
    std::vector<wire::Event> events;
    for (std::size_t i = 0; i < count; ++i) {
      events.push_back(numbered_event(store->facts().newest + 1 + i, "agent.status", padding));
    }
    const auto first = store->append(events);
    EXPECT_TRUE(first.has_value()) << (first ? "" : first.error().message());
    return first ? *first : 0;
  }
  std::string epoch() const { return store->facts().epoch; }
  std::uint64_t newest() const { return store->facts().newest; }
  std::string said() const {
    const std::lock_guard lock(mutex);
    return said_;
  }
  std::filesystem::path file(const char* name = "events.db") const { return dir.path() / name; }

  TempDir dir;
  hub::SqliteStoreConfig config;
  std::atomic<std::int64_t> now{1'700'000'000'000};
  std::uint64_t sunk = 0;
  base::Errc code = base::Errc::internal;  // of the last open that failed
  std::unique_ptr<hub::SqliteStore> store;

 private:
  mutable std::mutex mutex;
  std::string said_;
};

// Reads everything that is kept, in chunks; each event must be numbered with its seq. Counts them,
// or says why not.
inline std::string read_all(const hub::EventStore& store, std::size_t padding = 0) {
  std::uint64_t position = store.facts().oldest - 1;
  while (true) {
    const auto events = store.read(position, 16 * 1024);
    if (!events) return events.error().message();
    if (events->empty()) break;
    for (const hub::StoredEvent& event : *events) {
      if (event.seq != ++position) return "a hole before " + std::to_string(event.seq);
      if (event.body != numbered_event(event.seq, event.type, padding).body)
        return "another text at " + std::to_string(event.seq);
    }
  }
  return position == store.facts().newest ? "" : "ends at " + std::to_string(position);
}

}  // namespace clawws::test
