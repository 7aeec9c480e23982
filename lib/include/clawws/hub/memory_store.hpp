// The event store that keeps nothing across a restart: each start is a new epoch. Retention by
// count, age and bytes, whichever comes first. Thread-safe as EventStore says.
#pragma once

#include <deque>
#include <mutex>

#include "clawws/hub/event_store.hpp"

namespace clawws::hub {

class MemoryStore final : public EventStore {
 public:
  // `clock` gives milliseconds since 1970; a test's own, else the system's.
  explicit MemoryStore(const Retention& retention, std::function<std::int64_t()> clock = {});

  base::Result<void> open(Sink sink) override;
  using EventStore::append;
  base::Result<std::uint64_t> append(std::span<const wire::Event> events, const Alongside& alongside) override;
  StoreFacts facts() const override;
  std::string_view durability() const noexcept override { return "memory"; }
  base::Result<std::vector<StoredEvent>> read(std::uint64_t after, std::size_t limit_bytes) const override;
  base::Result<std::uint64_t> before_last(std::uint64_t count, const wire::Filter& filter) const override;
  base::Result<std::uint64_t> before_time(std::int64_t unix_millis) const override;

 private:
  void prune(std::int64_t now);  // mutex_ held
  std::uint64_t oldest() const { return newest_ - events_.size() + 1; }

  const Retention retention_;
  const std::function<std::int64_t()> clock_;
  Sink sink_;
  const std::string epoch_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<StoredEvent> events_;
  std::uint64_t newest_ = 0;
  std::uint64_t bytes_ = 0;
};

// A new epoch: 8 random characters of [a-z0-9].
std::string make_epoch();

}  // namespace clawws::hub
