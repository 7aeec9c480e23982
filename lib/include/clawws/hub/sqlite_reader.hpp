// Reads of the SQLite store, on a connection of their own. Each read is a short transaction, so
// that checkpoints are not held up; every row is checked against its checksum, and a row that
// should be there and is not is an error, never a hole. Thread-safe: one read at a time.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "clawws/hub/sqlite_rows.hpp"

namespace clawws::hub {

// The ends of what the store holds, moved by its writer and by what prunes. `oldest` moves before
// the rows are deleted: what is from there on must be found.
struct StoreEnds {
  std::atomic<std::uint64_t> oldest{1};
  std::atomic<std::uint64_t> newest{0};
  std::atomic<std::uint64_t> total{0};         // of all bodies up to `newest`
  std::atomic<std::uint64_t> total_before{0};  // of those before `oldest`
};

class SqliteReader {
 public:
  SqliteReader(const StoreEnds& ends, const EpochList& epochs) : ends_(ends), epochs_(epochs) {}

  base::Result<void> open(const std::filesystem::path& file, const char* vfs);
  void close();

  // As EventStore has them.
  base::Result<std::vector<StoredEvent>> read(std::uint64_t after, std::size_t limit_bytes);
  base::Result<std::uint64_t> before_last(std::uint64_t count, const wire::Filter& filter);
  base::Result<std::uint64_t> before_time(std::int64_t unix_millis);

 private:
  // Rows from `first` to `last`, in that direction, until `take` says that it has enough. Less than
  // that is an error unless it was pruned meanwhile: then the seq where it stopped comes back.
  enum class More : std::uint8_t { yes, enough };
  base::Result<std::uint64_t> scan(std::uint64_t first, std::uint64_t last,
                                   const std::function<More(const EventRow&)>& take);
  base::Result<void> usable() const;

  const StoreEnds& ends_;
  const EpochList& epochs_;
  std::mutex mutex_;  // guards what follows
  SqliteConnection connection_;
  SqliteStatement forward_, backward_;
};

}  // namespace clawws::hub
