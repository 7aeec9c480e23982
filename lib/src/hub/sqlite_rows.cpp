#include "clawws/hub/sqlite_rows.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "clawws/base/crc32c.hpp"

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;
using Step = SqliteStatement::Step;

namespace {

constexpr std::int64_t k_application_id = 0x636c7773;  // "clws", as file(1) can see

struct Table {
  std::string_view name;
  std::string_view sql;
};

// SQLite keeps the text of each CREATE as it is given, so it can be compared with this.
constexpr std::array<Table, 5> k_tables{{
    {"epochs", "CREATE TABLE epochs (first INTEGER PRIMARY KEY, epoch TEXT NOT NULL) STRICT"},
    {"events",
     "CREATE TABLE events (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, unix_millis INTEGER NOT "
     "NULL, "
     "body TEXT NOT NULL, total INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT"},
    {"idempotency",
     "CREATE TABLE idempotency (id INTEGER PRIMARY KEY, user TEXT NOT NULL, key TEXT NOT NULL, "
     "fingerprint BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, expires INTEGER "
     "NOT NULL, "
     "crc INTEGER NOT NULL) STRICT"},
    {"log",
     "CREATE TABLE log (id INTEGER PRIMARY KEY CHECK (id = 1), oldest INTEGER NOT NULL, total "
     "INTEGER NOT NULL) STRICT"},
    {"state",
     "CREATE TABLE state (kind TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, record TEXT NOT NULL, "
     "crc INTEGER NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID"},
}};

// In the order of wire::StateKind.
constexpr std::string_view k_state_names[] = {"session", "agent", "cron_job", "gateway"};
static_assert(std::size(k_state_names) == wire::k_state_kinds);

// Little-endian whatever the machine, so that a file may move.
std::uint32_t add(std::uint32_t crc, std::uint64_t value) noexcept {
  std::array<char, 8> bytes;
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  return base::crc32c({bytes.data(), bytes.size()}, crc);
}

// The length keeps "ab" + "c" apart from "a" + "bc".
std::uint32_t add(std::uint32_t crc, std::string_view text) noexcept {
  return base::crc32c(text, add(crc, static_cast<std::uint64_t>(text.size())));
}

std::uint64_t unsigned_of(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(value);
}
std::int64_t signed_of(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value);
}

std::string place(const EpochList& epochs, std::uint64_t seq) {
  const std::string_view epoch = epochs.at(seq);
  return std::string(epoch.empty() ? "?" : epoch) + ":" + std::to_string(seq);
}

Result<void> make_tables(SqliteConnection& connection) {
  // auto_vacuum is decided with the first page, which the change to WAL writes.
  if (const Result<void> set =
          connection.run("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL");
      !set)
    return set;
  std::string sql = "BEGIN IMMEDIATE;";
  for (const Table& table : k_tables) sql += std::string(table.sql) + ";";
  sql +=
      "INSERT INTO log VALUES (1, 1, 0);PRAGMA application_id=" + std::to_string(k_application_id) +
      ";PRAGMA user_version=" + std::to_string(k_schema_version) + ";COMMIT";
  Result<void> made = connection.run(sql.c_str());
  if (!made) connection.roll_back();
  return made;
}

Result<void> check_tables(SqliteConnection& connection, const std::filesystem::path& file) {
  const Result<std::int64_t> application = connection.ask_integer("PRAGMA application_id");
  if (!application) return application.error();
  const Result<std::int64_t> version = connection.ask_integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*application != k_application_id) {
    return Error(
        Errc::config,
        file.string() +
            " is an SQLite database, but no event store of clawws; give another --state-dir");
  }
  if (*version != k_schema_version) {
    return Error(Errc::config, file.string() + " has format " + std::to_string(*version) +
                                   ", and this clawws knows format " +
                                   std::to_string(k_schema_version) +
                                   "; use the clawws that wrote it");
  }
  Result<SqliteStatement> tables =
      connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name");
  if (!tables) return tables.error();
  for (const Table& table : k_tables) {
    const Result<Step> stepped = tables->step();
    if (!stepped) return stepped.error();
    if (*stepped != Step::row || tables->bytes(0) != table.name || tables->bytes(1) != table.sql) {
      return Error(Errc::store_damaged,
                   "its table " + std::string(table.name) + " is not as it was made");
    }
  }
  const Result<Step> more = tables->step();
  if (!more) return more.error();
  if (*more == Step::row) {
    return Error(Errc::store_damaged,
                 "it has a table that is not its own: " + std::string(tables->bytes(0)));
  }
  tables->reset();
  // Without it the file could never shrink; and no bit of the file's head may change how text is
  // read.
  for (const auto& [pragma, wanted] : {std::pair{"PRAGMA auto_vacuum", "2"},
                                       {"PRAGMA encoding", "UTF-8"},
                                       {"PRAGMA journal_mode", "wal"}}) {
    const Result<std::string> value = connection.ask_text(pragma);
    if (!value) return value.error();
    if (*value != wanted)
      return Error(Errc::store_damaged,
                   std::string(pragma + 7) + " is " + *value + ", not " + wanted);
  }
  return {};
}

}  // namespace

std::string_view EpochList::at(std::uint64_t seq) const noexcept {
  const auto next = std::upper_bound(
      begins_.begin(), begins_.end(), seq,
      [](std::uint64_t wanted, const EpochBegin& begin) { return wanted < begin.first; });
  return next == begins_.begin() ? std::string_view() : std::string_view(std::prev(next)->epoch);
}

std::uint32_t EventRow::expected_crc(std::string_view epoch) const noexcept {
  std::uint32_t sum = add(0, epoch);
  sum = add(sum, seq);
  sum = add(sum, type);
  sum = add(sum, unsigned_of(unix_millis));
  sum = add(sum, total);
  return add(sum, body);
}

Result<EventRow> row_of(const SqliteStatement& statement, const EpochList& epochs) {
  EventRow row;
  row.seq = unsigned_of(statement.integer(0));
  row.type = statement.bytes(1);
  row.unix_millis = statement.integer(2);
  row.body = statement.bytes(3);
  row.total = unsigned_of(statement.integer(4));
  row.crc = static_cast<std::uint32_t>(statement.integer(5));
  if (row.crc != row.expected_crc(epochs.at(row.seq))) {
    return Error(Errc::store_damaged,
                 "event " + place(epochs, row.seq) + " is not what was written (checksum)");
  }
  return row;
}

void bind_event(SqliteStatement& insert, EventRow row, std::string_view epoch) {
  insert.bind(1, signed_of(row.seq)).bind(2, row.type).bind(3, row.unix_millis).bind(4, row.body);
  insert.bind(5, signed_of(row.total)).bind(6, static_cast<std::int64_t>(row.expected_crc(epoch)));
}

Error missing_events(const EpochList& epochs, std::uint64_t from, std::uint64_t to) {
  return Error(Errc::store_damaged,
               "events are missing from " + place(epochs, from) + " to " + std::to_string(to));
}

Result<void> prepare_schema(SqliteConnection& connection, const std::filesystem::path& file) {
  const Result<std::int64_t> pages = connection.ask_integer("PRAGMA page_count");
  if (!pages) return pages.error();
  const Result<std::int64_t> tables =
      *pages == 0 ? Result<std::int64_t>(0)
                  : connection.ask_integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  // A start that ended between the first page and the tables left an empty database.
  if (*tables == 0) {
    if (const Result<void> made = make_tables(connection); !made) return made;
  }
  return check_tables(connection, file);
}

Result<EpochList> load_epochs(SqliteConnection& connection) {
  Result<SqliteStatement> rows =
      connection.prepare("SELECT first, epoch FROM epochs ORDER BY first");
  if (!rows) return rows.error();
  std::vector<EpochBegin> begins;
  while (true) {
    const Result<Step> stepped = rows->step();
    if (!stepped) return stepped.error();
    if (*stepped == Step::done) return EpochList(std::move(begins));
    begins.push_back({unsigned_of(rows->integer(0)), std::string(rows->bytes(1))});
  }
}

Result<StoreExtent> load_extent(SqliteConnection& connection, const EpochList& epochs) {
  StoreExtent extent;
  {
    Result<SqliteStatement> log = connection.prepare("SELECT oldest, total FROM log");
    if (!log) return log.error();
    const Result<Step> stepped = log->step();
    if (!stepped) return stepped.error();
    if (*stepped == Step::done || log->integer(0) < 1 || log->integer(1) < 0) {
      return Error(Errc::store_damaged, "its table log does not say where the events begin");
    }
    extent.oldest = unsigned_of(log->integer(0));
    extent.total_before = extent.total = unsigned_of(log->integer(1));
    extent.newest = extent.oldest - 1;
  }
  const std::string select =
      "SELECT " + std::string(k_event_columns) + " FROM events ORDER BY seq ";
  Result<SqliteStatement> first = connection.prepare(select + "LIMIT 1");
  if (!first) return first.error();
  Result<Step> stepped = first->step();
  if (!stepped) return stepped.error();
  if (*stepped == Step::done) return extent;
  const Result<EventRow> oldest = row_of(*first, epochs);
  if (!oldest) return oldest.error();
  if (oldest->seq != extent.oldest) {
    return oldest->seq > extent.oldest
               ? missing_events(epochs, extent.oldest, oldest->seq - 1)
               : Error(Errc::store_damaged, "its table log does not say where the events begin");
  }
  if (oldest->total != extent.total_before + oldest->body.size()) {
    return Error(Errc::store_damaged,
                 "the bytes before event " + place(epochs, oldest->seq) + " do not add up");
  }
  Result<SqliteStatement> last = connection.prepare(select + "DESC LIMIT 1");
  if (!last) return last.error();
  stepped = last->step();
  if (!stepped) return stepped.error();
  if (*stepped == Step::done) return missing_events(epochs, extent.oldest, extent.oldest);
  const Result<EventRow> newest = row_of(*last, epochs);
  if (!newest) return newest.error();
  extent.newest = newest->seq;
  extent.newest_millis = newest->unix_millis;
  extent.total = newest->total;
  return extent;
}

std::uint32_t key_crc(const RememberedKey& key) noexcept {
  std::uint32_t crc = add(0, key.key.user);
  crc = add(crc, key.key.key);
  crc = add(crc, key.key.fingerprint);
  crc = add(crc, key.first);
  crc = add(crc, key.last);
  return add(crc, unsigned_of(key.expires_millis));
}

Result<std::vector<RememberedKey>> load_keys(SqliteConnection& connection,
                                             std::int64_t now_millis) {
  Result<SqliteStatement> rows = connection.prepare(
      "SELECT id, user, key, fingerprint, first, last, expires, crc FROM idempotency ORDER BY id");
  if (!rows) return rows.error();
  std::vector<RememberedKey> keys;
  while (true) {
    const Result<Step> stepped = rows->step();
    if (!stepped) return stepped.error();
    if (*stepped == Step::done) return keys;
    RememberedKey key{
        {std::string(rows->bytes(1)), std::string(rows->bytes(2)), std::string(rows->bytes(3))},
        unsigned_of(rows->integer(4)),
        unsigned_of(rows->integer(5)),
        rows->integer(6)};
    if (key_crc(key) != static_cast<std::uint32_t>(rows->integer(7))) {
      return Error(Errc::store_damaged, "idempotency key " + std::to_string(rows->integer(0)) +
                                            " is not what was written (checksum)");
    }
    if (key.expires_millis > now_millis) keys.push_back(std::move(key));
  }
}

namespace {

std::string_view name_of(wire::StateKind kind) noexcept {
  return k_state_names[static_cast<std::size_t>(kind)];
}

std::uint32_t state_crc(const wire::StateRow& row) noexcept {
  return add(add(add(add(0, name_of(row.kind)), row.key), row.seq), row.record);
}

}  // namespace

Result<std::vector<wire::StateRow>> load_state(SqliteConnection& connection) {
  Result<SqliteStatement> rows = connection.prepare("SELECT kind, key, seq, record, crc FROM state");
  if (!rows) return rows.error();
  std::vector<wire::StateRow> state;
  while (true) {
    const Result<Step> stepped = rows->step();
    if (!stepped) return stepped.error();
    if (*stepped == Step::done) return state;
    const auto name = std::find(std::begin(k_state_names), std::end(k_state_names), rows->bytes(0));
    wire::StateRow row{{}, std::string(rows->bytes(1)), unsigned_of(rows->integer(2)), std::string(rows->bytes(3))};
    if (name != std::end(k_state_names)) row.kind = static_cast<wire::StateKind>(name - std::begin(k_state_names));
    if (name == std::end(k_state_names) || row.record.empty() ||
        state_crc(row) != static_cast<std::uint32_t>(rows->integer(4))) {
      return Error(Errc::store_damaged, "the state record " + std::string(rows->bytes(0)) + " " + row.key + " of event " +
                                            std::to_string(row.seq) + " is not what was written (checksum)");
    }
    state.push_back(std::move(row));
  }
}

void bind_state(SqliteStatement& statement, const wire::StateRow& row) {
  statement.bind(1, name_of(row.kind)).bind(2, row.key);
  if (row.record.empty()) return;
  statement.bind(3, signed_of(row.seq)).bind(4, row.record).bind(5, static_cast<std::int64_t>(state_crc(row)));
}

Result<std::uint64_t> verify_rows(SqliteConnection& connection, const EpochList& epochs,
                                  std::uint64_t after, std::uint64_t to, std::size_t limit_bytes) {
  if (after >= to) return after;
  Result<SqliteStatement> rows =
      connection.prepare("SELECT " + std::string(k_event_columns) +
                         " FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq");
  if (!rows) return rows.error();
  rows->bind(1, signed_of(after)).bind(2, signed_of(to));
  std::size_t bytes = 0;
  while (after < to && bytes < limit_bytes) {
    const Result<Step> stepped = rows->step();
    if (!stepped)
      return Error(stepped.error().code,
                   stepped.error().message() + ", behind event " + place(epochs, after));
    if (*stepped == Step::done) return missing_events(epochs, after + 1, to);
    const Result<EventRow> row = row_of(*rows, epochs);
    if (!row) return row.error();
    if (row->seq != after + 1) return missing_events(epochs, after + 1, row->seq - 1);
    bytes += row->body.size();
    after = row->seq;
  }
  return after;
}

}  // namespace clawws::hub
