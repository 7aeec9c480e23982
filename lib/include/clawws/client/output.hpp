// What tail writes: lines to stdout, notes and the status line to stderr, by a thread of its own,
// so that a reader that is slow, or a terminal that is stopped, never holds up the connection. The
// queue is bounded by what its user does about `level`: it tells when too much waits and when it
// has drained. Notes that find too many others waiting are dropped; how many is said in their
// place.
//
// Order: stdout lines among themselves, notes among themselves; when both go to the same place (a
// terminal), in the order they were given, with the status line always last on the screen.
//
// All member functions may be called from any thread. Level::high comes on the caller's thread, the
// other callbacks on the writer's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "clawws/base/export.hpp"
#include "clawws/base/posix.hpp"

namespace clawws::client {

struct OutputConfig {
  int data_fd = 1;  // stay the caller's
  int notes_fd = 2;
  std::size_t high_bytes = 64u << 20;  // above: Level::high; at half of it again: Level::low
  std::size_t notes_bytes = 1u << 20;  // of notes waiting; no more are taken until half is written
};

class CLAWWS_API Output {
 public:
  enum class Level : std::uint8_t { high, low };
  enum class Loss : std::uint8_t { reader_left, failed };

  struct Callbacks {
    std::function<void(Level)> level;
    // stdout takes no more; once. `failed`: an error other than a closed pipe, its text beside it.
    std::function<void(Loss, std::string)> lost;
    // Everything is written (or can never be), after when_drained(); once.
    std::function<void()> drained;
    // The line, newline included, that says so many notes were dropped. On either thread, inside a
    // lock: it must not call back.
    std::function<std::string(std::uint64_t)> dropped_line;
  };

  // Throws std::system_error when the system has no descriptor or thread left.
  Output(const OutputConfig& config, Callbacks callbacks);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  // Drops what is still waiting.
  ~Output();

  // always: however many others wait. For what is said once, at the end.
  enum class Keep : std::uint8_t { if_room, always };

  // Both take whole lines, newline included.
  void data(std::string_view lines);
  void note(std::string_view lines, Keep keep = Keep::if_room);
  // Replaces the status line (no newline in it); empty: none.
  void status(std::string line);

  // Asks for the callback `drained`.
  void when_drained();
  // How many bytes of what data() was given stdout has accepted so far.
  std::uint64_t data_taken() const;

 private:
  enum class Stream : std::uint8_t { data, notes };
  struct Chunk {
    Stream stream;
    std::string bytes;
  };

  void enqueue(Stream stream, std::string_view lines, Keep keep);
  bool has_room_for_note(std::size_t size_bytes) const;
  void append(Stream stream, std::string_view lines);
  void say_dropped();
  void wake() noexcept;
  void run();
  bool work_waits(Stream stream) const;
  std::deque<Chunk>& queue_of(Stream stream);
  void write_some(std::unique_lock<std::mutex>& lock, Stream stream);
  void took(std::unique_lock<std::mutex>& lock, Stream stream, std::size_t bytes);
  void lose(std::unique_lock<std::mutex>& lock, Stream stream, int error_number);
  void look_whether_drained(std::unique_lock<std::mutex>& lock);
  void show_status(std::unique_lock<std::mutex>& lock);

  OutputConfig config_;
  Callbacks callbacks_;
  const bool one_place_;  // both streams end on the same screen or in the same file
  base::UniqueFd wake_fd_;

  mutable std::mutex mutex_;
  std::deque<Chunk> data_, notes_;      // one_place_: all in data_
  std::size_t first_done_[2] = {0, 0};  // bytes of each queue's first chunk already written
  std::size_t data_bytes_ = 0, notes_bytes_ = 0;  // waiting
  std::uint64_t data_taken_ = 0;                  // written, since the start
  std::uint64_t dropped_notes_ = 0;               // since the last note that was taken
  bool is_high_ = false;
  bool data_lost_ = false;
  bool notes_lost_ = false;
  bool stopping_ = false;
  bool tell_drained_ = false;
  std::string status_, shown_status_;
  bool status_changed_ = false;
  std::thread writer_;
};

}  // namespace clawws::client
