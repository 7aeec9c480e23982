// Brings the SQLite store's write-ahead log into its database, on a thread and a connection of its
// own: done by the commit that happens to fill the log it costs publishers 5 ms at p99.9, here 0.5
// ms.
//
// A passive checkpoint never waits for readers or the writer and never makes them wait. It can only
// finish, so that the log starts from its beginning again, in a moment without a commit; a
// publisher that finds more than 64 MiB in the log therefore waits for one, up to 100 ms.
//
// wrote() comes from whoever has committed, make_room() from the thread that will.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "clawws/base/time.hpp"
#include "clawws/hub/sqlite.hpp"

namespace clawws::hub {

class SqliteCheckpointer {
 public:
  struct Limits {
    std::uint64_t begin_bytes =
        4u << 20;  // so much that is not in the database yet begins a checkpoint
    std::uint64_t slow_bytes = 64u << 20;  // so large a log slows publishers down
    base::Millis slow_for{100};            // at most, each time
    base::Millis interval{5'000};          // less than `begin_bytes` waits no longer
  };
  // What a checkpoint that failed says, once for each in a row with the same sentence; on its
  // thread.
  using Failed = std::function<void(const base::Error&)>;

  // Starts the thread. `connection` is not used by anybody else.
  SqliteCheckpointer(SqliteConnection connection, const Limits& limits, Failed failed);
  ~SqliteCheckpointer();
  SqliteCheckpointer(const SqliteCheckpointer&) = delete;
  SqliteCheckpointer& operator=(const SqliteCheckpointer&) = delete;

  // The log has `frames` pages after a commit.
  void wrote(std::uint64_t frames);
  // Returns at once unless the log is large.
  void make_room();
  void stop();

  // Pages in the log after the last commit; checkpoints done. For tests and numbers.
  std::uint64_t frames() const;
  std::uint64_t runs() const;

 private:
  void run();
  void checkpoint(std::unique_lock<std::mutex>& lock);
  bool due() const;

  SqliteConnection connection_;
  const Limits limits_;
  const Failed failed_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  std::condition_variable room_;
  std::uint64_t frames_ = 0;  // in the log
  std::uint64_t copied_ = 0;  // of these, in the database
  std::uint64_t runs_ = 0;
  std::string complained_;  // the thread's own
  enum class Urgency : std::uint8_t { none, publisher_waits } urgency_ = Urgency::none;
  enum class State : std::uint8_t { running, stopping } state_ = State::running;
  std::thread thread_;
};

}  // namespace clawws::hub
