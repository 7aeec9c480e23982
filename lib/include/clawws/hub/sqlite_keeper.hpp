// What the SQLite store does beside its commits: retention in small steps, giving pages back,
// forgetting expired keys, tending the disk's reserve, looking through older rows for damage, and
// finding out when a store that failed works again. On a thread and a connection of its own; each
// write is a short transaction under the store's write lock, so that a publisher waits for one step
// at most.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "clawws/base/log.hpp"
#include "clawws/hub/disk_space.hpp"
#include "clawws/hub/sqlite_reader.hpp"

namespace clawws::hub {

// Where the store says what it noticed and what it did about it.
using StoreTell = std::function<void(base::LogLevel level, std::string_view text)>;

class SqliteKeeper {
 public:
  struct Surroundings {
    StoreEnds& ends;
    const EpochList& epochs;
    std::mutex& write_mutex;
    DiskSpace& disk;
    const Retention& retention;
    std::function<std::int64_t()> clock;
    std::function<void()>
        probe;  // called in each round, without the lock: is the store still well?
    StoreTell tell;
  };

  SqliteKeeper(SqliteConnection connection, Surroundings surroundings);
  ~SqliteKeeper();
  SqliteKeeper(const SqliteKeeper&) = delete;
  SqliteKeeper& operator=(const SqliteKeeper&) = delete;

  // Rows after `from` up to `to` still have to be looked through. Before start().
  void verify_later(std::uint64_t from, std::uint64_t to);
  void start();
  void stop();
  // More is kept than retention allows; any thread.
  void wake();
  // One round of everything that is due; the thread's own, or a test's in place of it.
  void round();
  // A transaction that changes nothing: whether the database can be written to.
  base::Result<void> try_to_write();
  // Empties the write-ahead log into the database and gives its space back.
  base::Result<void> empty_log();

 private:
  void run();
  base::Result<std::uint64_t> rows_to_prune(std::uint64_t& total_before);
  base::Result<bool> prune_step();
  base::Result<bool> vacuum_step();
  base::Result<void> forget_keys();
  void verify_step();
  base::Result<void> in_transaction(const std::function<base::Result<void>()>& body);
  void complain(const base::Result<void>& outcome);

  SqliteConnection connection_;
  const Surroundings in_;
  std::mutex round_mutex_;  // the connection, and what follows
  std::uint64_t verified_ = 0;
  std::uint64_t verify_to_ = 0;
  bool left_over_ = false;  // rows before `oldest` that a failed step could not delete
  std::string complained_;  // the last thing said, not to be said each second

  std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  enum class State : std::uint8_t { idle, running, woken, stopping } state_ = State::idle;
  std::thread thread_;
};

}  // namespace clawws::hub
