// A segment: ready-made frames one behind the other, and where each ends. One writer appends, any
// number of readers read what is published; nothing published is ever changed. Frames are WebSocket
// ones; in views and chunks made for event streams (hub/frame_form.hpp) they are those' text.
//
//   data   [frame 0][frame 1][frame 2]........      entries   {end, seq, type} x 3
//                                     ^ end of the last published entry
//
// Publication is one release store of the entry count; readers acquire it. Memory is reserved at
// once and touched as it fills. Shared by the log, the views and the chunks of a catch-up.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace clawws::hub {

using TypeId = std::uint16_t;

class Segment {
 public:
  struct Entry {
    std::uint32_t end;         // of the frame, from the segment's first byte
    std::uint32_t seq_offset;  // seq - base_seq
    TypeId type;
  };

  // `base_seq` is at most the seq of the first frame to come; `ordinal` counts a log's segments.
  Segment(std::size_t data_bytes, std::uint64_t base_seq, std::uint64_t ordinal);
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  // Bytes of the frame that holds `text_bytes` of text.
  static std::size_t frame_bytes(std::size_t text_bytes) noexcept;

  // ---- the writer ----
  bool has_room(std::size_t text_bytes, std::uint64_t seq) const noexcept;
  // Appends and publishes one text frame whose text is `head` then `tail`. Needs has_room.
  void append(std::uint64_t seq, TypeId type, std::string_view head, std::string_view tail) noexcept;
  // The same with a frame as it is to be sent. append_frame needs has_room_for_frame.
  bool has_room_for_frame(std::size_t frame_bytes, std::uint64_t seq) const noexcept;
  void append_frame(std::uint64_t seq, TypeId type, std::string_view frame) noexcept;
  // No frame will follow.
  void close() noexcept { closed_.store(true, std::memory_order_release); }
  // The log has dropped it: whoever still holds it should let go.
  void evict() noexcept { evicted_.store(true, std::memory_order_release); }

  // ---- readers ----
  std::uint32_t count() const noexcept { return count_.load(std::memory_order_acquire); }
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  bool evicted() const noexcept { return evicted_.load(std::memory_order_acquire); }
  const char* data() const noexcept { return data_.get(); }
  // For index < a count() that was read before; begin_of also for index == count.
  std::uint32_t end_of(std::uint32_t index) const noexcept { return entries_[index].end; }
  std::uint32_t begin_of(std::uint32_t index) const noexcept { return index == 0 ? 0 : entries_[index - 1].end; }
  std::uint64_t seq_of(std::uint32_t index) const noexcept { return base_seq_ + entries_[index].seq_offset; }
  TypeId type_of(std::uint32_t index) const noexcept { return entries_[index].type; }
  // The frame's text, without its header; of WebSocket frames.
  std::string_view text_of(std::uint32_t index) const noexcept;
  std::string_view frame_of(std::uint32_t index) const noexcept {
    return {data_.get() + begin_of(index), end_of(index) - begin_of(index)};
  }
  // The first index whose seq is greater than `seq`; count() when there is none.
  std::uint32_t index_after(std::uint64_t seq) const noexcept;
  // The first index whose frame ends beyond `offset`, among the first `count`.
  std::uint32_t index_at(std::uint32_t offset, std::uint32_t count) const noexcept;

  std::uint64_t ordinal() const noexcept { return ordinal_; }
  std::size_t data_bytes() const noexcept { return data_capacity_; }

 private:
  void publish(std::uint32_t index, const char* end, std::uint64_t seq, TypeId type) noexcept;

  const std::size_t data_capacity_;
  const std::uint32_t entry_capacity_;
  const std::uint64_t base_seq_;
  const std::uint64_t ordinal_;
  std::unique_ptr<char[]> data_;
  std::unique_ptr<Entry[]> entries_;
  std::atomic<std::uint32_t> count_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> evicted_{false};
};

}  // namespace clawws::hub
