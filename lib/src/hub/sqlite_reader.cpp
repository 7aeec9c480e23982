#include "clawws/hub/sqlite_reader.hpp"

#include <algorithm>
#include <unordered_map>

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;
using Step = SqliteStatement::Step;

namespace {
constexpr std::uint64_t k_rows_at_once = 2'000;  // of a search, in one read transaction
}

Result<void> SqliteReader::open(const std::filesystem::path& file, const char* vfs) {
  const std::lock_guard lock(mutex_);
  Result<SqliteConnection> connection =
      SqliteConnection::open(file, SqliteConnection::Access::read, vfs);
  if (!connection) return connection.error();
  connection_ = std::move(*connection);
  const std::string select = "SELECT " + std::string(k_event_columns) +
                             " FROM events WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq";
  Result<SqliteStatement> forward = connection_.prepare(select);
  if (!forward) return forward.error();
  Result<SqliteStatement> backward = connection_.prepare(select + " DESC");
  if (!backward) return backward.error();
  forward_ = std::move(*forward);
  backward_ = std::move(*backward);
  return {};
}

void SqliteReader::close() {
  const std::lock_guard lock(mutex_);
  forward_ = {};
  backward_ = {};
  connection_.close();
}

Result<void> SqliteReader::usable() const {
  if (!connection_) return Error(Errc::unavailable, "the event store is closed");
  return {};
}

Result<std::uint64_t> SqliteReader::scan(std::uint64_t first, std::uint64_t last,
                                         const std::function<More(const EventRow&)>& take) {
  const bool up = first <= last;
  SqliteStatement& rows = up ? forward_ : backward_;
  const SqliteReset reset(rows);
  rows.bind(1, static_cast<std::int64_t>(std::min(first, last)))
      .bind(2, static_cast<std::int64_t>(std::max(first, last)));
  for (std::uint64_t seq = first;; up ? ++seq : --seq) {
    const Result<Step> stepped = rows.step();
    if (!stepped)
      return Error(stepped.error().code,
                   stepped.error().message() + ", at event " + std::to_string(seq));
    if (*stepped == Step::done) {
      if (seq < ends_.oldest) return seq;
      return missing_events(epochs_, up ? seq : last, up ? last : seq);
    }
    const Result<EventRow> row = row_of(rows, epochs_);
    if (!row) return row.error();
    if (row->seq != seq) {
      if (seq < ends_.oldest) return seq;
      return missing_events(epochs_, std::min(seq, row->seq + 1), std::max(seq, row->seq - 1));
    }
    if (take(*row) == More::enough || seq == last) return seq;
  }
}

Result<std::vector<StoredEvent>> SqliteReader::read(std::uint64_t after, std::size_t limit_bytes) {
  const std::lock_guard lock(mutex_);
  if (const Result<void> ok = usable(); !ok) return ok.error();
  const std::uint64_t newest = ends_.newest;
  std::vector<StoredEvent> out;
  if (after + 1 >= ends_.oldest) {
    if (after >= newest) return out;
    std::size_t bytes = 0;
    const Result<std::uint64_t> scanned = scan(after + 1, newest, [&](const EventRow& row) {
      out.push_back({row.seq, row.unix_millis, std::string(row.type), std::string(row.body)});
      bytes += row.body.size();
      return bytes < limit_bytes ? More::yes : More::enough;
    });
    // What is whole comes first; the next read, which begins at the damage, tells of it.
    if (!out.empty()) return out;
    if (!scanned) return scanned.error();
  }
  return Error(Errc::bad_position, "position " + std::to_string(after) +
                                       " is no longer kept; the oldest event is " +
                                       std::to_string(ends_.oldest.load()));
}

Result<std::uint64_t> SqliteReader::before_last(std::uint64_t count, const wire::Filter& filter) {
  const std::lock_guard lock(mutex_);
  if (const Result<void> ok = usable(); !ok) return ok.error();
  std::uint64_t last = ends_.newest;
  if (count == 0) return last;
  if (filter.is_everything())
    return std::max(last - std::min(count, last), ends_.oldest.load() - 1);
  // There are few types: each is held against the globs once.
  std::unordered_map<std::string, bool> matching;
  std::string type;
  while (last >= ends_.oldest) {
    const std::uint64_t first =
        std::max(ends_.oldest.load(), last - std::min(last, k_rows_at_once) + 1);
    const Result<std::uint64_t> scanned = scan(last, first, [&](const EventRow& row) {
      type = row.type;
      auto known = matching.find(type);
      if (known == matching.end()) known = matching.emplace(type, filter.matches(type)).first;
      return known->second && --count == 0 ? More::enough : More::yes;
    });
    if (!scanned) return scanned.error();
    if (count == 0) return *scanned - 1;
    last = first - 1;
  }
  return ends_.oldest - 1;
}

Result<std::uint64_t> SqliteReader::before_time(std::int64_t unix_millis) {
  const std::lock_guard lock(mutex_);
  if (const Result<void> ok = usable(); !ok) return ok.error();
  // Times never go back from one seq to the next.
  std::uint64_t low = ends_.oldest;       // may be the first that is wanted
  std::uint64_t high = ends_.newest + 1;  // is wanted, or behind the end
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    std::int64_t taken = 0;
    const Result<std::uint64_t> scanned = scan(middle, middle, [&](const EventRow& row) {
      taken = row.unix_millis;
      return More::enough;
    });
    if (!scanned) return scanned.error();
    if (middle < ends_.oldest) {
      low = std::min(ends_.oldest.load(), high);
    } else if (taken < unix_millis) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

}  // namespace clawws::hub
