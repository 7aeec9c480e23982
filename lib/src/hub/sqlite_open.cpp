// How the SQLite store starts: the file and its tables, what was acknowledged and what is there,
// the newest events' checksums, and only then the threads. Whatever is not as it was left either
// begins a new epoch, so that each client is told, or refuses the start and names the place.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "clawws/base/posix.hpp"
#include "clawws/hub/memory_store.hpp"
#include "clawws/hub/sqlite_store.hpp"

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;

namespace {

// SQLite calls it after each commit with the pages that the log then has.
int on_commit(void* checkpointer, sqlite3*, const char*, int frames) {
  static_cast<SqliteCheckpointer*>(checkpointer)->wrote(static_cast<std::uint64_t>(frames));
  return SQLITE_OK;
}

// The seq behind which the newest `check_bytes` begin; 0 where a row on the way cannot be read,
// so that all of them are looked at.
std::uint64_t check_from(SqliteConnection& connection, const StoreExtent& extent,
                         std::uint64_t check_bytes) {
  std::uint64_t low = extent.oldest - 1;
  std::uint64_t high = extent.newest;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const Result<std::int64_t> total = connection.ask_integer(
        "SELECT total FROM events WHERE seq = " + std::to_string(middle + 1));
    if (!total) return 0;
    if (extent.total - std::min(extent.total, static_cast<std::uint64_t>(*total)) > check_bytes) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

Error SqliteStore::refuse_start(const Error& why) const {
  const std::string file = database_file().string();
  if (why.code == Errc::config) return why;
  if (why.code == Errc::store_damaged) {
    return Error(why.code,
                 "the event store " + file + " is damaged: " + why.message() +
                     "; restore it from a copy, or begin anew without what it holds: mv " + file +
                     " " + file + ".damaged");
  }
  return Error(why.code == Errc::unavailable ? Errc::io : why.code,
               "cannot use the event store " + file + ": " + why.message());
}

Result<SqliteStore::FileState> SqliteStore::make_file() {
  const std::string file = database_file().string();
  // Made by hand for its mode; SQLite gives -wal and -shm the same one. Closed before SQLite opens
  // it, since closing any descriptor of a file takes away the whole process's locks on it.
  const base::UniqueFd made(
      ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made && errno != EEXIST)
    return Error(Errc::unavailable, "cannot make it: " + base::errno_text(errno));
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0)
    return Error(Errc::unavailable, "cannot look at it: " + base::errno_text(errno));
  if (!S_ISREG(facts.st_mode)) return Error(Errc::unavailable, "it is not a file");
  if ((facts.st_mode & 077) != 0 && ::chmod(file.c_str(), 0600) != 0) {
    return Error(Errc::unavailable, "others can read it: " + base::errno_text(errno));
  }
  device_ = facts.st_dev;
  inode_ = facts.st_ino;
  return made || facts.st_size == 0 ? FileState::made : FileState::found;
}

Result<SqliteConnection> SqliteStore::connect(const char* synchronous) {
  const char* vfs = config_.vfs.empty() ? nullptr : config_.vfs.c_str();
  Result<SqliteConnection> connection =
      SqliteConnection::open(database_file(), SqliteConnection::Access::write, vfs);
  if (!connection) return connection;
  const std::string pragmas =
      std::string("PRAGMA synchronous=") + synchronous + "; PRAGMA journal_size_limit=67108864";
  if (const Result<void> set = connection->run(pragmas.c_str()); !set) return set.error();
  return connection;
}

Result<void> SqliteStore::open(Sink sink) {
  sink_ = std::move(sink);
  const Result<FileState> state = make_file();
  Result<void> opened = state ? open_database(*state) : Result<void>(state.error());
  if (opened) return {};
  // Nothing is left behind that a later close() would take for a clean end.
  keeper_.reset();
  checkpointer_.reset();
  reader_.close();
  epoch_file_ = {};
  insert_event_ = {};
  insert_key_ = {};
  set_state_ = {};
  remove_state_ = {};
  begin_ = {};
  commit_ = {};
  writer_.close();
  return refuse_start(opened.error());
}

Result<void> SqliteStore::open_database(FileState state) {
  Result<SqliteConnection> connection =
      connect(config_.durability == Durability::fsync ? "FULL" : "NORMAL");
  if (!connection) return connection.error();
  writer_ = std::move(*connection);
  if (const Result<void> prepared = prepare_schema(writer_, database_file()); !prepared)
    return prepared;
  Result<EpochList> epochs = load_epochs(writer_);
  if (!epochs) return epochs.error();
  epochs_ = std::move(*epochs);
  const Result<StoreExtent> extent = load_extent(writer_, epochs_);
  if (!extent) return extent.error();
  if (const Result<void> checked = check_newest(*extent); !checked) return checked;
  Result<std::vector<RememberedKey>> keys = load_keys(writer_, clock_());
  if (!keys) return keys.error();
  keys_ = std::move(*keys);
  Result<std::vector<wire::StateRow>> kept = load_state(writer_);
  if (!kept) return kept.error();
  state_ = std::move(*kept);

  ends_.oldest = extent->oldest;
  ends_.newest = extent->newest;
  ends_.total = extent->total;
  ends_.total_before = extent->total_before;
  newest_millis_ = extent->newest_millis;
  if (const Result<void> settled = settle_epoch(state, *extent); !settled) return settled;
  if (const Result<void> prepared = prepare_statements(); !prepared) return prepared;
  struct stat wal {};
  wal_inode_ = ::stat(wal_file_.c_str(), &wal) == 0 ? wal.st_ino : 0;
  return start_helpers(checked_from_);
}

Result<void> SqliteStore::check_newest(const StoreExtent& extent) {
  // A small file is looked at as a whole, its trees, free pages and maps included; in a large one
  // what this start needs, and the keeper looks at the other events later.
  const Result<std::int64_t> pages = writer_.ask_integer("PRAGMA page_count");
  if (!pages) return pages.error();
  if (static_cast<std::uint64_t>(*pages) * 4096 <= config_.check_bytes) {
    const Result<std::string> verdict = writer_.ask_text("PRAGMA quick_check(1)");
    if (!verdict) return verdict.error();
    if (*verdict != "ok") return Error(Errc::store_damaged, *verdict);
  }
  checked_from_ = std::max(check_from(writer_, extent, config_.check_bytes), extent.oldest - 1);
  const Result<std::uint64_t> checked = verify_rows(writer_, epochs_, checked_from_, extent.newest,
                                                    std::numeric_limits<std::size_t>::max());
  if (!checked) return checked.error();
  return {};
}

Result<void> SqliteStore::settle_epoch(FileState state, const StoreExtent& extent) {
  const std::filesystem::path file = config_.directory / "events.epoch";
  const Result<std::optional<EpochFacts>> before = EpochFile::read(file);
  if (!before) return before.error();
  EpochNow now;
  now.epoch = epochs_.newest();
  now.boot_id = config_.boot_id.empty() ? current_boot_id() : config_.boot_id;
  now.device = device_;
  now.inode = inode_;
  now.newest = extent.newest;
  epoch_ = now.epoch;
  if (const std::optional<std::string> why = why_new_epoch(*before, now)) {
    epoch_ = make_epoch();
    // Events that are still there keep their seqs and are served in the new epoch; the list of
    // epochs says which one each row was sealed with. One that no row was written in is replaced.
    const std::string sql =
        "BEGIN IMMEDIATE; INSERT OR REPLACE INTO epochs VALUES (" +
        std::to_string(extent.newest + 1) + ", '" + epoch_ +
        "'); DELETE FROM epochs WHERE first < (SELECT max(first) FROM epochs WHERE first <= " +
        std::to_string(extent.oldest) + "); COMMIT";
    if (const Result<void> begun = writer_.run(sql.c_str()); !begun) {
      writer_.roll_back();
      return begun;
    }
    Result<EpochList> epochs = load_epochs(writer_);
    if (!epochs) return epochs.error();
    epochs_ = std::move(*epochs);
    const bool first_ever = state == FileState::made && !*before;
    tell(first_ever ? base::LogLevel::info : base::LogLevel::warning,
         "a new epoch, " + epoch_ + ", begins: " + *why);
  }
  EpochFacts facts;
  facts.epoch = epoch_;
  facts.boot_id = now.boot_id;
  facts.device = device_;
  facts.inode = inode_;
  facts.durability = config_.durability;
  facts.acknowledged = extent.newest;
  Result<EpochFile> made = EpochFile::create(file, facts);
  if (!made) return made.error();
  epoch_file_ = std::move(*made);
  return {};
}

Result<void> SqliteStore::prepare_statements() {
  struct Wanted {
    SqliteStatement& statement;
    std::string sql;
  };
  for (const Wanted& wanted :
       {Wanted{begin_, "BEGIN IMMEDIATE"}, Wanted{commit_, "COMMIT"},
        Wanted{insert_event_, "INSERT INTO events (" + std::string(k_event_columns) +
                                  ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
        Wanted{insert_key_,
               "INSERT INTO idempotency (user, key, fingerprint, first, last, expires, crc) VALUES "
               "(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
        Wanted{set_state_, "INSERT OR REPLACE INTO state (kind, key, seq, record, crc) VALUES (?1, ?2, ?3, ?4, ?5)"},
        Wanted{remove_state_, "DELETE FROM state WHERE kind = ?1 AND key = ?2"}}) {
    Result<SqliteStatement> statement = writer_.prepare(wanted.sql);
    if (!statement) return statement.error();
    wanted.statement = std::move(*statement);
  }
  return {};
}

Result<void> SqliteStore::start_helpers(std::uint64_t checked_from) {
  const char* vfs = config_.vfs.empty() ? nullptr : config_.vfs.c_str();
  if (const Result<void> opened = reader_.open(database_file(), vfs); !opened) return opened;
  Result<SqliteConnection> checkpoints = connect("NORMAL");
  if (!checkpoints) return checkpoints.error();
  Result<SqliteConnection> upkeep = connect("NORMAL");
  if (!upkeep) return upkeep.error();
  sqlite3* upkeep_raw = upkeep->get();

  checkpointer_ = std::make_unique<SqliteCheckpointer>(
      std::move(*checkpoints), config_.checkpoints, [this](const Error& why) {
        if (why.code == Errc::store_full) disk_.give_up_reserve();
        tell(base::LogLevel::warning, why.message());
      });
  sqlite3_wal_hook(writer_.get(), on_commit, checkpointer_.get());
  sqlite3_wal_hook(upkeep_raw, on_commit, checkpointer_.get());

  keeper_ = std::make_unique<SqliteKeeper>(
      std::move(*upkeep),
      SqliteKeeper::Surroundings{
          ends_, epochs_, write_mutex_, disk_, config_.retention, clock_, [this] { probe(); },
          [this](base::LogLevel level, std::string_view text) { tell(level, text); }});
  keeper_->verify_later(ends_.oldest - 1, checked_from);
  keeper_->round();
  if (config_.upkeep == SqliteStoreConfig::Upkeep::own_thread) keeper_->start();
  return {};
}

}  // namespace clawws::hub
