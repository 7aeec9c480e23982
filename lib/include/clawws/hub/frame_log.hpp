// A log of frames in memory: segments one behind the other, the oldest dropped when the memory that
// it may use is full. The unfiltered log is one, written by the hub's writer and read by all shards;
// each view is one too, written and read by its shard.
//
//   evicted .. | segment | segment | segment (newest, growing) |
//              ^ start(): every match after this seq is here    ^ head(): everything up to here was looked at
//
// One writer at a time. Readers on any thread: they hold a cursor and take the lock only when they
// cross from one segment to the next, once in some thousand events.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "clawws/hub/segment.hpp"

namespace clawws::hub {

// One reader's place: the next byte to send is `offset` of the segment, inside frame `index`.
// At a frame boundary offset == begin_of(index); index == count() means that all was read.
struct Cursor {
  std::shared_ptr<const Segment> segment;
  std::uint32_t index = 0;
  std::uint32_t offset = 0;

  bool at_boundary() const noexcept { return offset == segment->begin_of(index); }
};

class FrameLog {
 public:
  struct Limits {
    std::size_t segment_bytes;  // of an ordinary segment; a larger frame gets one of its own
    std::size_t memory_bytes;   // of all segments; at least two segments stay
  };

  // Events after `start` will be appended.
  FrameLog(const Limits& limits, std::uint64_t start);

  // ---- the writer ----
  // Appends one event's frame, text `head` then `tail`; `seq` is greater than head().
  void append(std::uint64_t seq, TypeId type, std::string_view head, std::string_view tail);
  // The same with a frame as it is to be sent.
  void append_frame(std::uint64_t seq, TypeId type, std::string_view frame);
  // Everything up to `seq` was looked at, whether it matched or not.
  void advance_head(std::uint64_t seq) noexcept { head_.store(seq, std::memory_order_release); }
  // Drops everything; events after `start` will be appended.
  void restart(std::uint64_t start);

  // ---- readers ----
  std::uint64_t head() const noexcept { return head_.load(std::memory_order_acquire); }
  // Events up to this seq may be gone from memory.
  std::uint64_t start() const;
  // The place of the first event after `seq`; nothing when seq < start().
  std::optional<Cursor> after(std::uint64_t seq) const;
  // Moves a cursor that has read all of a closed segment to the next one. False when it stays: not
  // at the end, no next one yet, or the next one was evicted meanwhile.
  bool cross(Cursor& cursor) const;
  std::size_t memory_bytes() const;

 private:
  void open_segment(std::size_t least_bytes, std::uint64_t seq);

  const Limits limits_;
  std::atomic<std::uint64_t> head_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<std::shared_ptr<Segment>> segments_;
  std::uint64_t start_;
  std::uint64_t next_ordinal_ = 0;
  std::size_t memory_bytes_ = 0;
  Segment* newest_ = nullptr;  // the writer's own; in segments_.back()
};

}  // namespace clawws::hub
