// The event store that outlives the process: one SQLite file, which anybody may open with
// `sqlite3`.
//
//   hub's writer --> append() --> one transaction a group --> epoch file --> sink
//   hub's reader --> read(), before_last(), before_time(): a connection of their own
//   checkpointer (thread): the write-ahead log into the database
//   keeper (thread): retention, free pages, expired keys, reserve, looking for damage
//
// In its directory: events.db (with -wal and -shm, SQLite's own), events.epoch, events.reserve, all
// 0600. Whoever opens it holds a lock on the directory already: there is one writing process.
// Inside it, `write_mutex_` is the one place where writers wait for each other, so that SQLite's
// own sleeping retries are not needed.
//
// With `written` the commit thread does not sync, but for one page each time that the log begins
// anew: without it a loss of power could mix the log's old and new pages (SQLite, check-in
// ff5be73dee). append() is the writer thread's; the rest any thread's.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "clawws/hub/epoch_file.hpp"
#include "clawws/hub/sqlite_checkpointer.hpp"
#include "clawws/hub/sqlite_keeper.hpp"

namespace clawws::hub {

struct SqliteStoreConfig {
  std::filesystem::path directory;
  Retention retention;
  Durability durability = Durability::written;
  StoreTell tell;  // empty: nobody listens
  // For tests; empty: the system's own.
  std::function<std::int64_t()> clock;  // milliseconds since 1970
  DiskSpace::FreeBytes free_bytes;
  std::string boot_id;
  std::string vfs;
  enum class Upkeep : std::uint8_t {
    own_thread,
    by_hand
  } upkeep = Upkeep::own_thread;  // by_hand: keeper().round()
  SqliteCheckpointer::Limits checkpoints;
  std::uint64_t check_bytes = 64ull << 20;  // of the newest events, looked at by each start
};

class SqliteStore final : public EventStore {
 public:
  explicit SqliteStore(SqliteStoreConfig config);
  ~SqliteStore() override;

  base::Result<void> open(Sink sink) override;
  using EventStore::append;
  base::Result<std::uint64_t> append(std::span<const wire::Event> events,
                                     const Alongside& alongside) override;
  base::Result<std::vector<RememberedKey>> remembered_keys() override;
  base::Result<std::vector<wire::StateRow>> kept_state() override;
  base::Result<void> writable() const override;
  StoreFacts facts() const override;
  std::string_view durability() const noexcept override;
  base::Result<std::vector<StoredEvent>> read(std::uint64_t after,
                                              std::size_t limit_bytes) const override;
  base::Result<std::uint64_t> before_last(std::uint64_t count,
                                          const wire::Filter& filter) const override;
  base::Result<std::uint64_t> before_time(std::int64_t unix_millis) const override;
  void close() override;

  SqliteKeeper& keeper() noexcept { return *keeper_; }
  const SqliteCheckpointer& checkpointer() const noexcept { return *checkpointer_; }
  const std::filesystem::path& database_file() const noexcept { return database_file_; }

 private:
  enum class FileState : std::uint8_t { made, found };
  base::Result<FileState> make_file();
  base::Result<void> open_database(FileState state);
  base::Result<void> check_newest(const StoreExtent& extent);
  base::Result<void> settle_epoch(FileState state, const StoreExtent& extent);
  base::Result<SqliteConnection> connect(const char* synchronous);
  base::Result<void> prepare_statements();
  base::Result<void> start_helpers(std::uint64_t checked_from);
  base::Error refuse_start(const base::Error& why) const;

  base::Result<std::uint64_t> commit(std::span<const wire::Event> events,
                                     const Alongside& alongside);
  base::Result<void> insert_events(std::uint64_t first, std::span<const wire::Event> events);
  base::Result<void> insert_keys(std::uint64_t first, std::span<const KeyedEvents> keys);
  base::Result<void> write_state(std::span<const wire::StateRow> rows);
  base::Result<void> in_place() const;
  void probe();
  void set_failure(std::optional<base::Error> failure) const;
  void tell(base::LogLevel level, std::string_view text) const;
  base::Error failed_here(const base::Error& why) const;

  const SqliteStoreConfig config_;
  const std::filesystem::path database_file_, wal_file_;
  const std::function<std::int64_t()> clock_;
  Sink sink_;
  EpochList epochs_;
  std::string epoch_;
  std::uint64_t device_ = 0, inode_ = 0;  // of the database file
  std::uint64_t wal_inode_ = 0;           // of the write-ahead log beside it; 0: not known
  mutable DiskSpace disk_;
  StoreEnds ends_;
  std::uint64_t checked_from_ = 0;  // events behind it were looked at by open()
  std::vector<RememberedKey> keys_;
  std::vector<wire::StateRow> state_;

  std::mutex write_mutex_;  // held for each write transaction of this process
  SqliteConnection writer_;
  SqliteStatement begin_, commit_, insert_event_, insert_key_, set_state_, remove_state_;
  std::int64_t newest_millis_ = 0;
  EpochFile epoch_file_;
  bool note_failed_ = false;  // and it was said

  mutable SqliteReader reader_{ends_, epochs_};
  std::unique_ptr<SqliteCheckpointer> checkpointer_;
  std::unique_ptr<SqliteKeeper> keeper_;

  mutable std::mutex health_mutex_;  // guards what follows
  mutable std::optional<base::Error>
      failure_;  // why the last append failed, until one succeeds or the keeper could write
};

}  // namespace clawws::hub
