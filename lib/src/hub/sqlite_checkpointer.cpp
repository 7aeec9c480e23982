#include "clawws/hub/sqlite_checkpointer.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace clawws::hub {

namespace {
constexpr std::uint64_t k_page_bytes = 4096;
constexpr base::Millis k_after_failure{1'000};
constexpr base::Millis k_ask_again{10};
}  // namespace

SqliteCheckpointer::SqliteCheckpointer(SqliteConnection connection, const Limits& limits,
                                       Failed failed)
    : connection_(std::move(connection)), limits_(limits), failed_(std::move(failed)) {
  thread_ = std::thread([this] { run(); });
}

SqliteCheckpointer::~SqliteCheckpointer() {
  stop();
}

void SqliteCheckpointer::stop() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::stopping;
  }
  work_.notify_all();
  room_.notify_all();
  if (thread_.joinable()) thread_.join();
  connection_.close();
}

void SqliteCheckpointer::wrote(std::uint64_t frames) {
  const std::lock_guard lock(mutex_);
  if (frames < frames_) copied_ = 0;  // the log began anew
  frames_ = frames;
  if (due()) work_.notify_one();
}

void SqliteCheckpointer::make_room() {
  std::unique_lock lock(mutex_);
  if (frames_ * k_page_bytes < limits_.slow_bytes) return;
  const auto done = [this] { return copied_ >= frames_ || state_ == State::stopping; };
  const base::SteadyTime deadline = base::SteadyClock::now() + limits_.slow_for;
  while (!done() && base::SteadyClock::now() < deadline) {
    urgency_ = Urgency::publisher_waits;
    work_.notify_one();
    // A run that is under way may have begun before the last commit, and then another one is
    // needed.
    room_.wait_for(lock, k_ask_again, done);
  }
}

std::uint64_t SqliteCheckpointer::frames() const {
  const std::lock_guard lock(mutex_);
  return frames_;
}

std::uint64_t SqliteCheckpointer::runs() const {
  const std::lock_guard lock(mutex_);
  return runs_;
}

bool SqliteCheckpointer::due() const {
  return urgency_ == Urgency::publisher_waits ||
         (frames_ - copied_) * k_page_bytes >= limits_.begin_bytes;
}

void SqliteCheckpointer::run() {
  std::unique_lock lock(mutex_);
  while (state_ == State::running) {
    const bool woken = work_.wait_for(lock, limits_.interval,
                                      [this] { return due() || state_ == State::stopping; });
    if (state_ == State::stopping) return;
    if (woken || frames_ > copied_) checkpoint(lock);
  }
}

void SqliteCheckpointer::checkpoint(std::unique_lock<std::mutex>& lock) {
  urgency_ = Urgency::none;
  lock.unlock();
  int in_log = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &copied);
  const bool failed = code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY;
  if (failed) {
    const base::Error why =
        sqlite_error(connection_.get(), code, "bring the write-ahead log into the database");
    if (std::exchange(complained_, why.message()) != why.message()) failed_(why);
  } else {
    complained_.clear();
  }
  lock.lock();
  ++runs_;
  const std::uint64_t before = copied_;
  if (code == SQLITE_OK && copied >= 0)
    copied_ = std::min(static_cast<std::uint64_t>(copied), frames_);
  room_.notify_all();
  // Somebody's open transaction keeps the rest from being copied: asking again at once would be a
  // busy loop.
  const bool stuck = copied_ <= before && copied_ < frames_;
  if (failed || stuck) {
    work_.wait_for(lock, failed ? k_after_failure : k_ask_again,
                   [this] { return state_ == State::stopping; });
  }
}

}  // namespace clawws::hub
