#include "clawws/hub/segment.hpp"

#include <algorithm>
#include <limits>

#include "clawws/base/assert.hpp"
#include "clawws/wire/frame.hpp"

namespace clawws::hub {

namespace {
// The shortest event there is makes a frame of about 90 bytes.
constexpr std::size_t k_least_frame_bytes = 64;

std::size_t header_bytes(std::size_t text_bytes) noexcept {
  return text_bytes < 126 ? 2 : text_bytes <= 0xffff ? 4 : 10;
}
}  // namespace

Segment::Segment(std::size_t data_bytes, std::uint64_t base_seq, std::uint64_t ordinal)
    : data_capacity_(data_bytes),
      entry_capacity_(static_cast<std::uint32_t>(data_bytes / k_least_frame_bytes + 1)),
      base_seq_(base_seq),
      ordinal_(ordinal),
      data_(std::make_unique_for_overwrite<char[]>(data_bytes)),
      entries_(std::make_unique_for_overwrite<Entry[]>(entry_capacity_)) {}

std::size_t Segment::frame_bytes(std::size_t text_bytes) noexcept { return header_bytes(text_bytes) + text_bytes; }

bool Segment::has_room(std::size_t text_bytes, std::uint64_t seq) const noexcept {
  return has_room_for_frame(frame_bytes(text_bytes), seq);
}

bool Segment::has_room_for_frame(std::size_t frame_bytes, std::uint64_t seq) const noexcept {
  const std::uint32_t count = count_.load(std::memory_order_relaxed);
  return count < entry_capacity_ && begin_of(count) + frame_bytes <= data_capacity_ &&
         seq - base_seq_ <= std::numeric_limits<std::uint32_t>::max();
}

void Segment::append(std::uint64_t seq, TypeId type, std::string_view head, std::string_view tail) noexcept {
  const std::size_t text_bytes = head.size() + tail.size();
  CLAWWS_ASSERT(has_room(text_bytes, seq));
  const std::uint32_t count = count_.load(std::memory_order_relaxed);
  char* out = data_.get() + begin_of(count);
  out += wire::write_frame_header(out, wire::Opcode::text, text_bytes);
  out = std::copy(head.begin(), head.end(), out);
  out = std::copy(tail.begin(), tail.end(), out);
  publish(count, out, seq, type);
}

void Segment::append_frame(std::uint64_t seq, TypeId type, std::string_view frame) noexcept {
  CLAWWS_ASSERT(has_room_for_frame(frame.size(), seq));
  const std::uint32_t count = count_.load(std::memory_order_relaxed);
  publish(count, std::copy(frame.begin(), frame.end(), data_.get() + begin_of(count)), seq, type);
}

void Segment::publish(std::uint32_t index, const char* end, std::uint64_t seq, TypeId type) noexcept {
  entries_[index] = {static_cast<std::uint32_t>(end - data_.get()), static_cast<std::uint32_t>(seq - base_seq_), type};
  count_.store(index + 1, std::memory_order_release);
}

std::string_view Segment::text_of(std::uint32_t index) const noexcept {
  const std::uint32_t begin = begin_of(index);
  const auto length_byte = static_cast<unsigned char>(data_[begin + 1]);
  const std::uint32_t header = length_byte < 126 ? 2 : length_byte == 126 ? 4 : 10;
  return {data_.get() + begin + header, end_of(index) - begin - header};
}

std::uint32_t Segment::index_after(std::uint64_t seq) const noexcept {
  const Entry* const first = entries_.get();
  const Entry* const last = first + count();
  return static_cast<std::uint32_t>(
      std::partition_point(first, last, [&](const Entry& e) { return base_seq_ + e.seq_offset <= seq; }) - first);
}

std::uint32_t Segment::index_at(std::uint32_t offset, std::uint32_t count) const noexcept {
  const Entry* const first = entries_.get();
  return static_cast<std::uint32_t>(
      std::partition_point(first, first + count, [&](const Entry& e) { return e.end <= offset; }) - first);
}

}  // namespace clawws::hub
