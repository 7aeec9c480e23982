// Where events get their seq and become durable. The hub's writer thread appends; ranges are read
// from any thread. What is appended comes back, in seq order, through the sink: only then is it
// encoded, put on the log and sent, so that no client sees what a crash could take back.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/wire/event.hpp"
#include "clawws/wire/filter.hpp"

namespace clawws::hub {

struct StoredEvent {
  std::uint64_t seq = 0;
  std::int64_t unix_millis = 0;  // when the store took it
  std::string type;
  std::string body;  // see wire::Event
};

struct StoreFacts {
  std::string epoch;
  std::uint64_t oldest = 1;  // seq of the oldest kept event; newest + 1 when none is kept
  std::uint64_t newest = 0;  // 0: none yet
};

struct Retention {
  std::uint64_t events = 100'000;
  std::int64_t age_millis = 7LL * 24 * 3600 * 1000;
  std::uint64_t bytes = 64ull << 20;  // of event bodies
};

class EventStore {
 public:
  // The committed events in order; `first` is the seq of the first. On the thread that commits.
  using Sink = std::function<void(std::uint64_t first, std::span<const wire::Event> events)>;

  virtual ~EventStore() = default;
  // Once, before anything else. Errc::locked, io.
  virtual base::Result<void> open(Sink sink) = 0;
  // All of `events` or none, with consecutive seqs; the seq of the first. Writer thread only.
  // Errc::unavailable, store_full.
  virtual base::Result<std::uint64_t> append(std::span<const wire::Event> events) = 0;
  virtual StoreFacts facts() const = 0;
  // The durability word of PROTOCOL: "memory", "written", …
  virtual std::string_view durability() const noexcept = 0;

  // Events with seq greater than `after`, oldest first, until `limit_bytes` of bodies are there (at
  // least one event, when there is any). Errc::bad_position when `after` + 1 is no longer kept.
  virtual base::Result<std::vector<StoredEvent>> read(std::uint64_t after, std::size_t limit_bytes) const = 0;
  // The seq after which the `count` newest events that match begin (oldest - 1 when there are fewer).
  virtual base::Result<std::uint64_t> before_last(std::uint64_t count, const wire::Filter& filter) const = 0;
  // The seq after which the events taken at `unix_millis` or later begin.
  virtual base::Result<std::uint64_t> before_time(std::int64_t unix_millis) const = 0;
};

}  // namespace clawws::hub
