#include "clawws/server/timing_wheel.hpp"

#include <algorithm>

namespace clawws::server {

void TimingWheel::Entry::cancel() noexcept {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

TimingWheel::TimingWheel(base::SteadyTime start) : start_(start) {
  for (Head& head : slots_) head.previous_ = head.next_ = &head;
}

void TimingWheel::link(Entry& head, Entry& entry) noexcept {
  entry.previous_ = head.previous_;
  entry.next_ = &head;
  head.previous_->next_ = &entry;
  head.previous_ = &entry;
}

void TimingWheel::schedule(Entry& entry, base::SteadyTime when) {
  entry.cancel();
  // Rounded up: never early.
  const auto ticks = (when - start_ + k_tick - base::SteadyClock::duration(1)) / k_tick;
  entry.tick_ = std::max(now_tick_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(ticks, 0)));
  link(slots_[entry.tick_ % k_slots], entry);
}

void TimingWheel::advance(base::SteadyTime now) {
  const auto target = static_cast<std::uint64_t>(std::max<std::int64_t>((now - start_) / k_tick, 0));
  while (now_tick_ < target) {
    ++now_tick_;
    // Moved to a list of its own first: a firing entry may schedule itself into the same slot, and
    // may cancel or destroy any other.
    Head due;
    due.previous_ = due.next_ = &due;
    Entry& slot = slots_[now_tick_ % k_slots];
    for (Entry* entry = slot.next_; entry != &slot;) {
      Entry* const next = entry->next_;
      if (entry->tick_ <= now_tick_) {
        entry->cancel();
        link(due, *entry);
      }
      entry = next;
    }
    while (due.next_ != &due) {
      Entry& entry = *due.next_;
      entry.cancel();
      entry.on_timer(now);
    }
  }
}

}  // namespace clawws::server
