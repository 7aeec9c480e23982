#include "clawws/hub/frame_log.hpp"

#include <algorithm>

#include "clawws/base/assert.hpp"

namespace clawws::hub {

FrameLog::FrameLog(const Limits& limits, std::uint64_t start) : limits_(limits), head_(start), start_(start) {
  open_segment(0, start + 1);
}

void FrameLog::open_segment(std::size_t least_bytes, std::uint64_t seq) {
  const std::size_t bytes = std::max(limits_.segment_bytes, least_bytes);
  // An empty segment that is too small for its first frame is replaced under the same ordinal.
  const bool replaces = newest_ != nullptr && newest_->count() == 0;
  auto segment = std::make_shared<Segment>(bytes, seq, replaces ? newest_->ordinal() : next_ordinal_++);
  const std::lock_guard lock(mutex_);
  if (newest_ != nullptr) newest_->close();
  if (replaces) {
    // A reader that stays on it while the log goes round would find no next one to cross to.
    newest_->evict();
    memory_bytes_ -= newest_->data_bytes();
    segments_.pop_back();
  }
  newest_ = segment.get();
  segments_.push_back(std::move(segment));
  memory_bytes_ += bytes;
  while (segments_.size() > 2 && memory_bytes_ > limits_.memory_bytes) {
    Segment& oldest = *segments_.front();
    start_ = oldest.seq_of(oldest.count() - 1);
    memory_bytes_ -= oldest.data_bytes();
    oldest.evict();
    segments_.pop_front();
  }
}

void FrameLog::append(std::uint64_t seq, TypeId type, std::string_view head, std::string_view tail) {
  CLAWWS_ASSERT(seq > head_.load(std::memory_order_relaxed));
  const std::size_t text_bytes = head.size() + tail.size();
  if (!newest_->has_room(text_bytes, seq)) {
    open_segment(Segment::frame_bytes(text_bytes), seq);
  }
  newest_->append(seq, type, head, tail);
  advance_head(seq);
}

void FrameLog::append_frame(std::uint64_t seq, TypeId type, std::string_view frame) {
  CLAWWS_ASSERT(seq > head_.load(std::memory_order_relaxed));
  if (!newest_->has_room_for_frame(frame.size(), seq)) open_segment(frame.size(), seq);
  newest_->append_frame(seq, type, frame);
  advance_head(seq);
}

void FrameLog::restart(std::uint64_t start) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& segment : segments_) {
      segment->close();
      segment->evict();
    }
    segments_.clear();
    memory_bytes_ = 0;
    newest_ = nullptr;
    start_ = start;
    ++next_ordinal_;  // a cursor of before must not cross over what was left out
  }
  advance_head(start);
  open_segment(0, start + 1);
}

std::uint64_t FrameLog::start() const {
  const std::lock_guard lock(mutex_);
  return start_;
}

std::optional<Cursor> FrameLog::after(std::uint64_t seq) const {
  const std::lock_guard lock(mutex_);
  if (seq < start_ || segments_.empty()) return std::nullopt;
  // The last segment whose first event is not after `seq`, or the oldest one.
  const auto later = std::partition_point(segments_.begin(), segments_.end(), [&](const auto& segment) {
    return segment->count() != 0 && segment->seq_of(0) <= seq;  // only the newest may be empty
  });
  const std::shared_ptr<Segment>& segment = later == segments_.begin() ? *later : *std::prev(later);
  const std::uint32_t index = segment->index_after(seq);
  return Cursor{segment, index, segment->begin_of(index)};
}

bool FrameLog::cross(Cursor& cursor) const {
  // The order matters: a segment that is seen closed has its final count.
  if (!cursor.segment->closed() || cursor.index < cursor.segment->count()) return false;
  const std::lock_guard lock(mutex_);
  if (segments_.empty()) return false;
  const std::uint64_t wanted = cursor.segment->ordinal() + (cursor.segment->count() == 0 ? 0 : 1);
  const std::uint64_t oldest = segments_.front()->ordinal();
  if (wanted < oldest || wanted - oldest >= segments_.size()) return false;
  cursor = {segments_[wanted - oldest], 0, 0};
  return true;
}

std::size_t FrameLog::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return memory_bytes_;
}

}  // namespace clawws::hub
