// The tables of the SQLite store, and how their rows are sealed. Every row carries a CRC-32C over
// all that it says and the epoch it was written in, so a changed bit is noticed when the row is
// read.
//
//   events       one row an event. `total` counts the bytes of all bodies up to and with this one,
//   so
//                that what is kept is a difference of two rows, and retention by bytes needs no sum
//   log          one row: `oldest`, the seq from which on every event must be there, and the
//   `total`
//                before it. It moves in the transaction that prunes
//   epochs       which epoch began at which seq
//   idempotency  publishers' keys, in the transaction of their events; rows come in order of expiry
//   state        what the events add up to (wire::State), in their transaction, so that it outlives
//                those that retention takes
//
// Functions over one connection each; that connection's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/hub/event_store.hpp"
#include "clawws/hub/sqlite.hpp"

namespace clawws::hub {

inline constexpr std::int64_t k_schema_version = 1;

struct EpochBegin {
  std::uint64_t first = 1;
  std::string epoch;
};

// The epochs that rows of the store were written in, oldest first. Immutable while the store is
// open.
class EpochList {
 public:
  EpochList() = default;
  explicit EpochList(std::vector<EpochBegin> begins) : begins_(std::move(begins)) {}
  // Of the row `seq`; empty when there is none.
  std::string_view at(std::uint64_t seq) const noexcept;
  std::string_view newest() const noexcept {
    return begins_.empty() ? std::string_view() : begins_.back().epoch;
  }

 private:
  std::vector<EpochBegin> begins_;
};

// One row of `events`; text lives as long as the statement stands on the row.
struct EventRow {
  std::uint64_t seq = 0;
  std::string_view type;
  std::int64_t unix_millis = 0;
  std::string_view body;
  std::uint64_t total = 0;
  std::uint32_t crc = 0;

  std::uint32_t expected_crc(std::string_view epoch) const noexcept;
};

// The columns in the order that row_of() and insert_event() have them.
inline constexpr std::string_view k_event_columns = "seq, type, unix_millis, body, total, crc";

// What the statement (SELECT k_event_columns …) stands on, checked: Errc::store_damaged names its
// position.
base::Result<EventRow> row_of(const SqliteStatement& statement, const EpochList& epochs);
// Binds all columns of `INSERT INTO events (k_event_columns) VALUES (?1 … ?6)`, crc filled in.
void bind_event(SqliteStatement& insert, EventRow row, std::string_view epoch);

// What the store begins and ends with.
struct StoreExtent {
  std::uint64_t oldest = 1;
  std::uint64_t newest = 0;
  std::uint64_t total_before = 0;  // of the bodies before `oldest`
  std::uint64_t total = 0;         // of all bodies, up to `newest`
  std::int64_t newest_millis = 0;
};

// Makes the tables in an empty file and turns on WAL and incremental vacuum, or sees to it that the
// tables there are those. Errc::config when another program's, or a newer clawws', file is there.
base::Result<void> prepare_schema(SqliteConnection& connection, const std::filesystem::path& file);
base::Result<EpochList> load_epochs(SqliteConnection& connection);
// Errc::store_damaged when the two ends are not as they were left.
base::Result<StoreExtent> load_extent(SqliteConnection& connection, const EpochList& epochs);
// Errc::store_damaged, naming the row.
base::Result<std::vector<RememberedKey>> load_keys(SqliteConnection& connection,
                                                   std::int64_t now_millis);
std::uint32_t key_crc(const RememberedKey& key) noexcept;
// Errc::store_damaged, naming the record.
base::Result<std::vector<wire::StateRow>> load_state(SqliteConnection& connection);
// Binds kind and key, and unless the record is gone, seq, record and crc. The row must live until reset().
void bind_state(SqliteStatement& statement, const wire::StateRow& row);

// Every row newer than `after` up to `to`, until `limit_bytes` of bodies were looked at: checked,
// without a hole. The seq of the last that was looked at. Errc::store_damaged names the position.
base::Result<std::uint64_t> verify_rows(SqliteConnection& connection, const EpochList& epochs,
                                        std::uint64_t after, std::uint64_t to,
                                        std::size_t limit_bytes);
// The error for events that should be there and are not.
base::Error missing_events(const EpochList& epochs, std::uint64_t from, std::uint64_t to);

}  // namespace clawws::hub
