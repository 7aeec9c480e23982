// The place in the stream that outlives the process (--cursor-file): a file of one line, EPOCH:SEQ,
// replaced as a whole, so that readers and a kill at any moment find the old place or the new one.
//
// The rule that makes it at-least-once: a place may be kept only when stdout has accepted all that
// was printed up to it. So each comes with the number of bytes that stdout had been given then, and
// waits until as many were taken.
//
//   moved(a, 310)  moved(b, 620)  moved(c, 930)        save(700): keeps b
//
// One process at a time: a lock on `PATH.lock`, held as long as the object lives. Not thread-safe;
// the tail's own. Knows no sockets and no output.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>

#include "clawws/base/export.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/wire/position.hpp"

namespace clawws::client {

class CLAWWS_API Cursor {
 public:
  enum class Sync : std::uint8_t { no, disk };

  // Takes the lock and reads the file; one that is not there yet is fine. A symbolic link is
  // followed. Errc::locked: another tail has it; Errc::config: it cannot be opened, or holds no
  // position.
  static base::Result<Cursor> open(const std::filesystem::path& path);

  // What the file said at the start.
  const std::optional<wire::Position>& found() const noexcept { return found_; }
  // A place is in the file or waits for it, so a restart would go on from somewhere.
  bool has_place() const noexcept { return found_ || saved_ || !waiting_.empty(); }

  // All up to `position` is in the first `given_bytes` of what stdout was given.
  void moved(const wire::Position& position, std::uint64_t given_bytes);
  // Writes the newest place of which stdout has taken everything, if that is another one than the
  // file's. Errc::io names the file; the place is tried again at the next call.
  base::Result<void> save(std::uint64_t taken_bytes, Sync sync = Sync::no);
  // save() may still have something to do.
  bool pending() const noexcept { return !waiting_.empty() || ready_; }

 private:
  struct Place {
    wire::Position position;
    std::uint64_t given_bytes;
  };

  Cursor(std::filesystem::path path, base::UniqueFd lock) noexcept
      : path_(std::move(path)), lock_(std::move(lock)) {}
  base::Result<void> read();
  base::Result<void> write(const wire::Position& position, Sync sync) const;

  std::filesystem::path path_;
  base::UniqueFd lock_;
  std::optional<wire::Position> found_, saved_;
  std::deque<Place> waiting_;            // oldest first
  std::optional<wire::Position> ready_;  // taken, not yet in the file
};

}  // namespace clawws::client
