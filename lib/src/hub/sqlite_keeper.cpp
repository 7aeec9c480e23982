#include "clawws/hub/sqlite_keeper.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace clawws::hub {

using base::Errc;
using base::Result;
using Step = SqliteStatement::Step;

namespace {

constexpr base::Millis k_round{1'000};
constexpr base::Millis k_round_while_verifying{50};
constexpr std::chrono::microseconds k_pause{300};  // between two steps, for who waits for the lock
constexpr std::int64_t k_rows_a_step = 1'000;
constexpr int k_steps_a_round = 500;
constexpr std::size_t k_verify_bytes = 4u << 20;  // a round
constexpr std::uint64_t k_page_bytes = 4096;
constexpr std::uint64_t k_spare_pages = 256;  // that may lie free, beside one page in 25
constexpr const char* k_vacuum = "PRAGMA incremental_vacuum(64)";
// What the database may take beyond the bodies, before rows go for that reason: together with the
// free pages the file stays within 1.2 times --retain-bytes. A small one needs a few pages whatever
// it holds.
constexpr std::uint64_t file_limit(std::uint64_t retain_bytes) {
  const std::uint64_t bytes = std::min<std::uint64_t>(retain_bytes, 1ull << 60);
  return bytes + bytes / 100 * 15 + (1u << 20);
}

}  // namespace

SqliteKeeper::SqliteKeeper(SqliteConnection connection, Surroundings surroundings)
    : connection_(std::move(connection)), in_(std::move(surroundings)) {}

SqliteKeeper::~SqliteKeeper() {
  stop();
}

void SqliteKeeper::verify_later(std::uint64_t from, std::uint64_t to) {
  verified_ = from;
  verify_to_ = to;
}

void SqliteKeeper::start() {
  state_ = State::running;
  thread_ = std::thread([this] { run(); });
}

void SqliteKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::stopping;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(round_mutex_);
  connection_.close();
}

void SqliteKeeper::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::running) return;
    state_ = State::woken;
  }
  work_.notify_all();
}

void SqliteKeeper::run() {
  base::Millis pause = k_round;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      work_.wait_for(lock, pause, [this] { return state_ != State::running; });
      if (state_ == State::stopping) return;
      state_ = State::running;
    }
    round();
    pause = verified_ < verify_to_ ? k_round_while_verifying : k_round;
  }
}

void SqliteKeeper::round() {
  const std::lock_guard lock(round_mutex_);
  if (!connection_) return;
  in_.probe();
  in_.disk.tend_reserve();
  const auto steps = [this](Result<bool> (SqliteKeeper::*step)()) -> Result<void> {
    for (int i = 0; i < k_steps_a_round; ++i) {
      const Result<bool> more = (this->*step)();
      if (!more) return more.error();
      if (!*more) break;
      std::this_thread::sleep_for(k_pause);
      const std::lock_guard state_lock(mutex_);
      if (state_ == State::stopping) break;
    }
    return {};
  };
  Result<void> done = steps(&SqliteKeeper::prune_step);
  if (done) done = forget_keys();
  if (done) done = steps(&SqliteKeeper::vacuum_step);
  // What makes room must be able to go on: the reserve is for that.
  if (!done && done.error().code == Errc::store_full) in_.disk.give_up_reserve();
  complain(done);
  verify_step();
}

void SqliteKeeper::complain(const Result<void>& outcome) {
  const std::string text = outcome ? std::string() : outcome.error().message();
  if (text != complained_ && !text.empty())
    in_.tell(base::LogLevel::error, "the event store cannot be tidied up: " + text);
  complained_ = text;
}

Result<void> SqliteKeeper::in_transaction(const std::function<Result<void>()>& body) {
  const std::lock_guard lock(in_.write_mutex);
  Result<void> done = connection_.run("BEGIN IMMEDIATE");
  if (done) done = body();
  if (done) done = connection_.run("COMMIT");
  if (!done) connection_.roll_back();
  return done;
}

Result<void> SqliteKeeper::try_to_write() {
  // A row that stays the same would not be written; the file's head always is.
  const std::string sql = "PRAGMA user_version=" + std::to_string(k_schema_version);
  return in_transaction([&] { return connection_.run(sql.c_str()); });
}

Result<void> SqliteKeeper::empty_log() {
  const std::lock_guard lock(in_.write_mutex);
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
    return sqlite_error(connection_.get(), code, "empty the write-ahead log");
  }
  return {};
}

// ---- retention ----------------------------------------------------------------------------------

// The first seq that stays, with the bytes before it, as far as one step goes.
Result<std::uint64_t> SqliteKeeper::rows_to_prune(std::uint64_t& total_before) {
  const std::uint64_t newest = in_.ends.newest;
  const std::uint64_t total = in_.ends.total;
  const std::int64_t too_old = in_.clock() - in_.retention.age_millis;
  const Result<std::int64_t> pages = connection_.ask_integer("PRAGMA page_count");
  if (!pages) return pages.error();
  const Result<std::int64_t> free_pages = connection_.ask_integer("PRAGMA freelist_count");
  if (!free_pages) return free_pages.error();
  const std::uint64_t used = static_cast<std::uint64_t>(*pages - *free_pages) * k_page_bytes;
  const bool file_too_large = used > file_limit(in_.retention.bytes);

  Result<SqliteStatement> rows =
      connection_.prepare("SELECT seq, unix_millis, body FROM events ORDER BY seq LIMIT ?1");
  if (!rows) return rows.error();
  rows->bind(1, k_rows_a_step);
  std::uint64_t stays = in_.ends.oldest;
  while (true) {
    const Result<Step> stepped = rows->step();
    if (!stepped) return stepped.error();
    if (*stepped == Step::done) return stays;
    const auto seq = static_cast<std::uint64_t>(rows->integer(0));
    // Left over from a step that failed after the end had moved.
    if (seq < in_.ends.oldest) continue;
    const bool goes = newest - seq + 1 > in_.retention.events ||
                      total - total_before > in_.retention.bytes || rows->integer(1) < too_old ||
                      (file_too_large && seq < newest);
    if (!goes) return stays;
    total_before += rows->bytes(2).size();
    stays = seq + 1;
  }
}

Result<bool> SqliteKeeper::prune_step() {
  std::uint64_t total_before = in_.ends.total_before;
  const std::uint64_t oldest = in_.ends.oldest;
  const Result<std::uint64_t> stays = rows_to_prune(total_before);
  if (!stays) return stays.error();
  if (*stays == oldest && !left_over_) return false;
  left_over_ = true;
  // First for those who read: whatever they miss from now on was pruned, and is no hole.
  in_.ends.oldest = *stays;
  in_.ends.total_before = total_before;
  const Result<void> pruned = in_transaction([&]() -> Result<void> {
    Result<SqliteStatement> rows = connection_.prepare("DELETE FROM events WHERE seq < ?1");
    if (!rows) return rows.error();
    if (const Result<void> deleted = rows->bind(1, static_cast<std::int64_t>(*stays)).run();
        !deleted)
      return deleted;
    Result<SqliteStatement> log = connection_.prepare("UPDATE log SET oldest = ?1, total = ?2");
    if (!log) return log.error();
    return log->bind(1, static_cast<std::int64_t>(*stays))
        .bind(2, static_cast<std::int64_t>(total_before))
        .run();
  });
  if (!pruned) return pruned.error();
  left_over_ = false;
  return true;
}

Result<bool> SqliteKeeper::vacuum_step() {
  const Result<std::int64_t> pages = connection_.ask_integer("PRAGMA page_count");
  if (!pages) return pages.error();
  const Result<std::int64_t> free_pages = connection_.ask_integer("PRAGMA freelist_count");
  if (!free_pages) return free_pages.error();
  if (static_cast<std::uint64_t>(*free_pages) <=
      k_spare_pages + static_cast<std::uint64_t>(*pages) / 25)
    return false;
  const std::lock_guard lock(in_.write_mutex);
  const Result<void> vacuumed = connection_.run(k_vacuum);
  if (!vacuumed) return vacuumed.error();
  return true;
}

Result<void> SqliteKeeper::forget_keys() {
  Result<SqliteStatement> rows =
      connection_.prepare("SELECT id, expires FROM idempotency ORDER BY id LIMIT ?1");
  if (!rows) return rows.error();
  rows->bind(1, k_rows_a_step);
  const std::int64_t now = in_.clock();
  std::int64_t last = 0;
  while (true) {
    const Result<Step> stepped = rows->step();
    if (!stepped) return stepped.error();
    if (*stepped == Step::done || rows->integer(1) > now) break;
    last = rows->integer(0);
  }
  rows->reset();
  if (last == 0) return {};
  return in_transaction([&]() -> Result<void> {
    Result<SqliteStatement> forget = connection_.prepare("DELETE FROM idempotency WHERE id <= ?1");
    if (!forget) return forget.error();
    return forget->bind(1, last).run();
  });
}

// ---- verification -------------------------------------------------------------------------------

void SqliteKeeper::verify_step() {
  if (verified_ >= verify_to_) return;
  verified_ = std::max(verified_, in_.ends.oldest - 1);
  const Result<std::uint64_t> to =
      verify_rows(connection_, in_.epochs, verified_, verify_to_, k_verify_bytes);
  if (to) {
    verified_ = *to;
    if (verified_ >= verify_to_)
      in_.tell(base::LogLevel::info, "the event store was looked through, and nothing is damaged");
    return;
  }
  if (verified_ + 1 < in_.ends.oldest)
    return;  // pruned meanwhile: the next round goes on behind it
  in_.tell(base::LogLevel::error,
           "the event store is damaged: " + to.error().message() +
               "; whoever reads there is refused until retention has passed it");
  verify_to_ = 0;
}

}  // namespace clawws::hub
