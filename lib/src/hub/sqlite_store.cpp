#include "clawws/hub/sqlite_store.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "clawws/base/time.hpp"

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;

SqliteStore::SqliteStore(SqliteStoreConfig config)
    : config_(std::move(config)),
      database_file_(config_.directory / "events.db"),
      wal_file_(config_.directory / "events.db-wal"),
      clock_(config_.clock ? config_.clock : base::unix_millis),
      disk_(config_.directory / "events.reserve", config_.free_bytes) {}

SqliteStore::~SqliteStore() {
  close();
}

StoreFacts SqliteStore::facts() const {
  return {epoch_, ends_.oldest, ends_.newest};
}

std::string_view SqliteStore::durability() const noexcept {
  return config_.durability == Durability::fsync ? "fsynced" : "written";
}

Result<std::vector<RememberedKey>> SqliteStore::remembered_keys() {
  return std::exchange(keys_, {});
}

Result<std::vector<wire::StateRow>> SqliteStore::kept_state() {
  return std::exchange(state_, {});
}

void SqliteStore::tell(base::LogLevel level, std::string_view text) const {
  if (config_.tell) config_.tell(level, text);
}

// ---- appending ----------------------------------------------------------------------------------

// SQLite goes on writing to a file that was renamed or removed, and what it acknowledges goes with
// it.
Result<void> SqliteStore::in_place() const {
  struct stat there {};
  if (::stat(database_file().c_str(), &there) != 0) {
    return Error(Errc::unavailable,
                 database_file().string() + " is gone (" + base::errno_text(errno) +
                     "); put it back, or restart the server, which begins a new log");
  }
  if (there.st_dev != device_ || there.st_ino != inode_) {
    return Error(Errc::unavailable,
                 database_file().string() + " is another file than the one that was opened; put that back, or restart the server");
  }
  // A removed log still takes events, which a regular stop brings into the database and a kill loses.
  if (wal_inode_ != 0 && (::stat(wal_file_.c_str(), &there) != 0 || there.st_ino != wal_inode_)) {
    return Error(Errc::unavailable,
                 wal_file_.string() + " was removed or replaced; stop the server (SIGTERM keeps all events) and start it again");
  }
  return {};
}

Error SqliteStore::failed_here(const Error& why) const {
  return Error(why.code, "event " + epoch_ + ":" + std::to_string(ends_.newest + 1) +
                             " was not stored: " + why.message());
}

Result<std::uint64_t> SqliteStore::append(std::span<const wire::Event> events,
                                          const Alongside& alongside) {
  if (!writer_) return Error(Errc::unavailable, "the event store is closed");
  Result<void> may = in_place();
  if (may) may = disk_.room();
  if (!may) {
    set_failure(failed_here(may.error()));
    return failed_here(may.error());
  }
  checkpointer_->make_room();
  const Result<std::uint64_t> first = commit(events, alongside);
  if (!first) {
    set_failure(failed_here(first.error()));
    return failed_here(first.error());
  }
  set_failure(std::nullopt);
  sink_(*first, events);

  const std::uint64_t kept = ends_.newest - ends_.oldest + 1;
  const std::uint64_t kept_bytes = ends_.total - ends_.total_before;
  // Some slack, so that retention goes in steps worth a transaction.
  if (kept > config_.retention.events + config_.retention.events / 100 + 1'000 ||
      kept_bytes / 101 > config_.retention.bytes / 100) {
    keeper_->wake();
  }
  return *first;
}

Result<std::uint64_t> SqliteStore::commit(std::span<const wire::Event> events,
                                          const Alongside& alongside) {
  const std::lock_guard lock(write_mutex_);
  const std::uint64_t first = ends_.newest + 1;
  Result<void> done = begin_.run();
  if (done) done = insert_events(first, events);
  if (done) done = insert_keys(first, alongside.keys);
  if (done) done = write_state(alongside.state);
  if (done) done = commit_.run();
  if (!done) {
    writer_.roll_back();
    return done.error();
  }
  std::uint64_t bytes = 0;
  for (const wire::Event& event : events) bytes += event.body.size();
  ends_.total += bytes;
  ends_.newest = first + events.size() - 1;
  // They are stored, so they are acknowledged; only a later look at what is missing knows less.
  if (const Result<void> noted = epoch_file_.note(ends_.newest); !noted) {
    if (!std::exchange(note_failed_, true)) tell(base::LogLevel::error, noted.error().message());
  } else {
    note_failed_ = false;
  }
  return first;
}

Result<void> SqliteStore::insert_events(std::uint64_t first, std::span<const wire::Event> events) {
  // Times in the store never go back, though the machine's clock may: before_time relies on it.
  newest_millis_ = std::max(clock_(), newest_millis_);
  EventRow row;
  row.seq = first;
  row.unix_millis = newest_millis_;
  row.total = ends_.total;
  for (const wire::Event& event : events) {
    row.type = event.type;
    row.body = event.body;
    row.total += event.body.size();
    bind_event(insert_event_, row, epoch_);
    if (const Result<void> inserted = insert_event_.run(); !inserted) return inserted;
    ++row.seq;
  }
  return {};
}

Result<void> SqliteStore::insert_keys(std::uint64_t first, std::span<const KeyedEvents> keys) {
  if (keys.empty()) return {};
  const std::int64_t expires = clock_() + k_key_lifetime.count();
  for (const KeyedEvents& keyed : keys) {
    const RememberedKey key{*keyed.key, first + keyed.offset,
                            first + keyed.offset + keyed.count - 1, expires};
    insert_key_.bind(1, key.key.user).bind(2, key.key.key).bind_bytes(3, key.key.fingerprint);
    insert_key_.bind(4, static_cast<std::int64_t>(key.first))
        .bind(5, static_cast<std::int64_t>(key.last));
    insert_key_.bind(6, key.expires_millis).bind(7, static_cast<std::int64_t>(key_crc(key)));
    if (const Result<void> inserted = insert_key_.run(); !inserted) return inserted;
  }
  return {};
}

Result<void> SqliteStore::write_state(std::span<const wire::StateRow> rows) {
  for (const wire::StateRow& row : rows) {
    SqliteStatement& statement = row.record.empty() ? remove_state_ : set_state_;
    bind_state(statement, row);
    if (const Result<void> written = statement.run(); !written) return written;
  }
  return {};
}

// ---- health -------------------------------------------------------------------------------------

void SqliteStore::set_failure(std::optional<Error> failure) const {
  std::string said;
  bool well_again = false;
  {
    const std::lock_guard lock(health_mutex_);
    if (failure && (!failure_ || failure_->code != failure->code)) said = failure->message();
    well_again = !failure && failure_;
    failure_ = std::move(failure);
  }
  if (!said.empty()) tell(base::LogLevel::error, "publishing is refused: " + said);
  if (well_again) tell(base::LogLevel::info, "the event store takes events again");
}

Result<void> SqliteStore::writable() const {
  const std::lock_guard lock(health_mutex_);
  if (failure_) return *failure_;
  return {};
}

// The keeper's look at whether events could be stored now, when nobody publishes.
void SqliteStore::probe() {
  Result<void> well = in_place();
  if (well) well = disk_.room();
  const Result<void> before = writable();
  if (!well) {
    set_failure(failed_here(well.error()));
    // The log holds up to 64 MiB that the database has too, or could have.
    if (well.error().code == Errc::store_full && checkpointer_->frames() > 0) {
      const Result<void> emptied = keeper_->empty_log();
      if (emptied) {
        checkpointer_->wrote(0);
      } else {
        disk_.give_up_reserve();
      }
    }
  } else if (!before && before.error().code != Errc::store_damaged) {
    // Damage does not pass: only an append that succeeds shows that there is none where it matters.
    well = keeper_->try_to_write();
    set_failure(well ? std::nullopt : std::optional(failed_here(well.error())));
  }
}

// ---- reading ------------------------------------------------------------------------------------

Result<std::vector<StoredEvent>> SqliteStore::read(std::uint64_t after,
                                                   std::size_t limit_bytes) const {
  return reader_.read(after, limit_bytes);
}

Result<std::uint64_t> SqliteStore::before_last(std::uint64_t count,
                                               const wire::Filter& filter) const {
  return reader_.before_last(count, filter);
}

Result<std::uint64_t> SqliteStore::before_time(std::int64_t unix_millis) const {
  return reader_.before_time(unix_millis);
}

// ---- the end ------------------------------------------------------------------------------------

void SqliteStore::close() {
  if (keeper_) keeper_->stop();
  if (checkpointer_) checkpointer_->stop();
  reader_.close();
  if (!writer_) return;
  const std::lock_guard lock(write_mutex_);
  const int code = sqlite3_wal_checkpoint_v2(writer_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  const Error failed = writer_.failure("bring the write-ahead log into the database");
  begin_ = {};
  commit_ = {};
  insert_event_ = {};
  insert_key_ = {};
  set_state_ = {};
  remove_state_ = {};
  writer_.close();
  // Without the mark the next start finds out by itself what is there; so a failure here loses
  // nothing.
  Result<void> clean = code == SQLITE_OK ? Result<void>() : Result<void>(failed);
  if (clean && epoch_file_) clean = epoch_file_.mark_clean();
  if (!clean)
    tell(base::LogLevel::warning,
         "the event store did not end cleanly: " + clean.error().message());
}

}  // namespace clawws::hub
