// Writes a Cursor when it is time to: the first place at once, later ones a few times a second, the
// last one at the end. A disk that is full for a while costs nothing but repeats: it is said once,
// and tried again. The tail's own, on the executor's one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "clawws/client/cursor.hpp"
#include "clawws/client/summary.hpp"
#include "clawws/client/tail_limits.hpp"

namespace clawws::client {

class CursorKeeper {
 public:
  struct Surroundings {
    std::function<std::uint64_t()> taken_bytes;  // by stdout, of what it was given
    std::function<void(const std::string&, Mood)> note;
  };

  CursorKeeper(Session::Executor executor, Cursor cursor, Surroundings surroundings)
      : cursor_(std::move(cursor)), around_(std::move(surroundings)), timer_(executor) {}

  const Cursor& cursor() const noexcept { return cursor_; }

  // All up to `position` is in the first `given_bytes` that stdout was given. The first place of
  // all is written before this returns, since without one a start after a kill would begin at a
  // later "now"; only then it can fail.
  base::Result<void> moved(const wire::Position& position, std::uint64_t given_bytes);
  // The last word, on disk when this returns well. Only the first call does anything.
  base::Result<void> finish();

 private:
  void save_soon();

  Cursor cursor_;
  Surroundings around_;
  TailTimer timer_;
  bool saving_soon_ = false;
  bool save_failed_ = false;  // at the last try
  bool finished_ = false;
};

}  // namespace clawws::client
