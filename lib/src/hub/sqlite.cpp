#include "clawws/hub/sqlite.hpp"

#include <sqlite3.h>

#include <cerrno>

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;

namespace {

// How long a write waits for another program that writes, such as a person's sqlite3.
constexpr int k_busy_millis = 1'000;

// The kernel's reason. Of a write within a step sqlite3_system_errno() knows nothing (seen
// with 3.40), but the file that was written to does: in WAL mode the log, during a checkpoint the
// database.
int errno_of(sqlite3* connection, int code) {
  if (connection == nullptr) return 0;
  int value = sqlite3_system_errno(connection);
  if (value != 0 || code != SQLITE_IOERR_WRITE) return value;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != nullptr && log->pMethods != nullptr)
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &value);
  if (value == 0) sqlite3_file_control(connection, "main", SQLITE_FCNTL_LAST_ERRNO, &value);
  return value;
}

Errc errc_of(int code, int system_errno) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Errc::store_full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return Errc::store_damaged;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      // SQLite itself says SQLITE_FULL for ENOSPC alone.
      return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG
                 ? Errc::store_full
                 : Errc::unavailable;
    default:
      return Errc::unavailable;
  }
}

}  // namespace

Error sqlite_error(sqlite3* connection, int code, std::string_view what) {
  const int system_errno = errno_of(connection, code);
  std::string text = "cannot " + std::string(what) + ": " + sqlite3_errstr(code);
  const int plain = code & 0xff;
  if (system_errno != 0 && (plain == SQLITE_IOERR || plain == SQLITE_CANTOPEN)) {
    text += " (" + base::errno_text(system_errno) + ")";
  }
  return Error(errc_of(code, system_errno), std::move(text));
}

// ---- statements ---------------------------------------------------------------------------------

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

// A failed bind leaves NULL behind, which the tables' NOT NULL refuses; so only step() is looked
// at.
SqliteStatement& SqliteStatement::bind(int parameter, std::int64_t value) noexcept {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, std::string_view text) noexcept {
  sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  return *this;
}

SqliteStatement& SqliteStatement::bind_bytes(int parameter, std::string_view bytes) noexcept {
  sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<SqliteStatement::Step> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return Step::row;
  if (code == SQLITE_DONE) return Step::done;
  sqlite3* connection = sqlite3_db_handle(statement_.get());
  return sqlite_error(connection, sqlite3_extended_errcode(connection), "use the event store");
}

Result<void> SqliteStatement::run() {
  const Result<Step> stepped = step();
  reset();
  if (!stepped) return stepped.error();
  return {};
}

void SqliteStatement::reset() noexcept {
  sqlite3_reset(statement_.get());
}

std::int64_t SqliteStatement::integer(int column) const noexcept {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::bytes(int column) const noexcept {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

// ---- connections --------------------------------------------------------------------------------

void SqliteConnection::Close::operator()(sqlite3* connection) const noexcept {
  sqlite3_close_v2(connection);
}

Result<SqliteConnection> SqliteConnection::open(const std::filesystem::path& file, Access access,
                                                const char* vfs) {
  SqliteConnection out;
  sqlite3* raw = nullptr;
  const int flags = (access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags, vfs);
  out.connection_.reset(raw);
  if (code != SQLITE_OK) return sqlite_error(raw, code, "open " + file.string());
  sqlite3_busy_timeout(raw, k_busy_millis);
  // What comes from a file that somebody else may have changed is not trusted further than it must
  // be.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (const Result<void> set = out.run(
          "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0");
      !set) {
    return set.error();
  }
  return out;
}

Error SqliteConnection::failure(std::string_view what) const {
  return sqlite_error(connection_.get(), sqlite3_extended_errcode(connection_.get()), what);
}

Result<void> SqliteConnection::run(const char* sql) {
  if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure("use the event store");
  return {};
}

Result<SqliteStatement> SqliteConnection::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code == SQLITE_ERROR) {
    // The statements are the library's own: one that does not compile means that a table is not
    // what it was.
    return Error(Errc::store_damaged, std::string("the event store has other tables: ") +
                                          sqlite3_errmsg(connection_.get()));
  }
  if (code != SQLITE_OK) return failure("read the event store");
  return SqliteStatement(raw);
}

Result<std::int64_t> SqliteConnection::ask_integer(std::string_view sql) {
  Result<SqliteStatement> statement = prepare(sql);
  if (!statement) return statement.error();
  const Result<SqliteStatement::Step> stepped = statement->step();
  if (!stepped) return stepped.error();
  return *stepped == SqliteStatement::Step::row ? statement->integer(0) : 0;
}

Result<std::string> SqliteConnection::ask_text(std::string_view sql) {
  Result<SqliteStatement> statement = prepare(sql);
  if (!statement) return statement.error();
  const Result<SqliteStatement::Step> stepped = statement->step();
  if (!stepped) return stepped.error();
  return *stepped == SqliteStatement::Step::row ? std::string(statement->bytes(0)) : std::string();
}

void SqliteConnection::roll_back() noexcept {
  if (connection_ != nullptr && sqlite3_get_autocommit(connection_.get()) == 0) {
    // Its own failure leaves the transaction to the next BEGIN, which then says so.
    sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace clawws::hub
