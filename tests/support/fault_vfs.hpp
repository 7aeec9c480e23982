// An SQLite VFS that is the system's, but for what a test lets fail: writes and syncs can meet a
// full or broken disk, or wait as if the disk stood still. Register it before a store is opened
// with its name, or as everybody's; it outlives every store that uses it. Any thread.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace clawws::test {

class FaultVfs {
 public:
  enum class Reach : std::uint8_t { by_name, everybody };
  explicit FaultVfs(Reach reach = Reach::by_name);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }
  // SQLite result codes for writes (SQLITE_FULL, SQLITE_IOERR_WRITE, …) and syncs; 0: they succeed.
  std::atomic<int> write_code{0};
  std::atomic<int> sync_code{0};
  // While set, writes and syncs wait.
  std::atomic<bool> stalled{false};
  // What was called.
  std::atomic<int> syncs{0};
  std::atomic<int> waiting{0};

  // For the functions that SQLite calls.
  int before_write();
  int before_sync();

 private:
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace clawws::test
