// SQLite behind values: a connection, a statement, and what went wrong as a base::Error. Each
// connection belongs to one thread at a time, which its owner sees to. Expected failures are
// results; nothing here throws. Knows no table.
//
// Codes of errors: store_full (no space, no quota), store_damaged (the file is not what SQLite
// wrote), unavailable (locked, read-only, the disk fails: it may pass).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace clawws::hub {

class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* statement) noexcept : statement_(statement) {}

  // Parameters count from 1. Text must live until reset().
  SqliteStatement& bind(int parameter, std::int64_t value) noexcept;
  SqliteStatement& bind(int parameter, std::string_view text) noexcept;
  SqliteStatement& bind_bytes(int parameter, std::string_view bytes) noexcept;

  enum class Step : std::uint8_t { row, done };
  base::Result<Step> step();
  // step() of what gives no rows, then reset().
  base::Result<void> run();
  void reset() noexcept;

  // Of the current row, columns from 0; text and bytes live until the next step or reset. The bytes
  // are as stored, whatever type the row says they have.
  std::int64_t integer(int column) const noexcept;
  std::string_view bytes(int column) const noexcept;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of a scope, so that no read transaction outlives it.
class SqliteReset {
 public:
  explicit SqliteReset(SqliteStatement& statement) noexcept : statement_(statement) {}
  ~SqliteReset() { statement_.reset(); }
  SqliteReset(const SqliteReset&) = delete;
  SqliteReset& operator=(const SqliteReset&) = delete;

 private:
  SqliteStatement& statement_;
};

class SqliteConnection {
 public:
  enum class Access : std::uint8_t { read, write };

  SqliteConnection() = default;
  // An existing file. `vfs` names a registered SQLite VFS; nullptr is the system's.
  static base::Result<SqliteConnection> open(const std::filesystem::path& file, Access access,
                                             const char* vfs);

  base::Result<void> run(const char* sql);
  base::Result<SqliteStatement> prepare(std::string_view sql);
  // First column of the first row; 0 and "" when there is none.
  base::Result<std::int64_t> ask_integer(std::string_view sql);
  base::Result<std::string> ask_text(std::string_view sql);
  // Ends a transaction that failed, if SQLite has not done so itself.
  void roll_back() noexcept;
  void close() noexcept { connection_.reset(); }

  // The last failure as an error: "cannot WHAT: database disk image is malformed".
  base::Error failure(std::string_view what) const;
  sqlite3* get() const noexcept { return connection_.get(); }
  explicit operator bool() const noexcept { return connection_ != nullptr; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

// An error for an SQLite result code, the last one of `connection` unless it is null.
base::Error sqlite_error(sqlite3* connection, int code, std::string_view what);

}  // namespace clawws::hub
