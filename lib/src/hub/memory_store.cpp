#include "clawws/hub/memory_store.hpp"

#include <algorithm>
#include <unordered_map>

#include "clawws/base/posix.hpp"
#include "clawws/base/time.hpp"

namespace clawws::hub {

using base::Result;

namespace {
constexpr std::uint64_t k_slice_events = 4'096;  // looked at without letting go of the lock
}  // namespace

std::string make_epoch() {
  constexpr std::string_view k_alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string epoch = base::random_bytes(8);
  for (char& c : epoch) c = k_alphabet[static_cast<unsigned char>(c) % k_alphabet.size()];
  return epoch;
}

MemoryStore::MemoryStore(const Retention& retention, std::function<std::int64_t()> clock)
    : retention_(retention), clock_(clock ? std::move(clock) : base::unix_millis), epoch_(make_epoch()) {}

Result<void> MemoryStore::open(Sink sink) {
  sink_ = std::move(sink);
  return {};
}

Result<std::uint64_t> MemoryStore::append(std::span<const wire::Event> events, const Alongside&) {
  std::uint64_t first = 0;
  {
    const std::lock_guard lock(mutex_);
    // Times in the store never go back, though the machine's clock may: before_time relies on it.
    const std::int64_t now = std::max(clock_(), events_.empty() ? 0 : events_.back().unix_millis);
    first = newest_ + 1;
    for (const wire::Event& event : events) {
      events_.push_back({++newest_, now, event.type, event.body});
      bytes_ += event.body.size();
    }
    prune(now);
  }
  sink_(first, events);
  return first;
}

void MemoryStore::prune(std::int64_t now) {
  while (!events_.empty() && (events_.size() > retention_.events || bytes_ > retention_.bytes ||
                              events_.front().unix_millis < now - retention_.age_millis)) {
    bytes_ -= events_.front().body.size();
    events_.pop_front();
  }
}

StoreFacts MemoryStore::facts() const {
  const std::lock_guard lock(mutex_);
  return {epoch_, oldest(), newest_};
}

Result<std::vector<StoredEvent>> MemoryStore::read(std::uint64_t after, std::size_t limit_bytes) const {
  const std::lock_guard lock(mutex_);
  if (after + 1 < oldest()) {
    return base::Error(base::Errc::bad_position, "position " + std::to_string(after) +
                                                     " is no longer kept; the oldest event is " +
                                                     std::to_string(oldest()));
  }
  std::vector<StoredEvent> out;
  std::size_t bytes = 0;
  for (std::uint64_t seq = after + 1; seq <= newest_ && bytes < limit_bytes; ++seq) {
    out.push_back(events_[seq - oldest()]);
    bytes += out.back().body.size();
  }
  return out;
}

Result<std::uint64_t> MemoryStore::before_last(std::uint64_t count, const wire::Filter& filter) const {
  std::unique_lock lock(mutex_);
  if (count == 0) return newest_;
  // There are few types: each is held against the globs once. The writer gets a turn between two slices.
  std::unordered_map<std::string, bool> matching;
  for (std::uint64_t seq = newest_; seq >= oldest() && seq != 0; --seq) {
    const std::string& type = events_[seq - oldest()].type;
    auto known = matching.find(type);
    if (known == matching.end()) known = matching.emplace(type, filter.matches(type)).first;
    if (known->second && --count == 0) return seq - 1;
    if (seq % k_slice_events == 0) {
      lock.unlock();
      lock.lock();
    }
  }
  return oldest() - 1;
}

Result<std::uint64_t> MemoryStore::before_time(std::int64_t unix_millis) const {
  const std::lock_guard lock(mutex_);
  const auto first = std::partition_point(events_.begin(), events_.end(), [&](const StoredEvent& event) {
    return event.unix_millis < unix_millis;
  });
  return oldest() - 1 + static_cast<std::uint64_t>(first - events_.begin());
}

}  // namespace clawws::hub
