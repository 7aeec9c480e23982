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
#include "clawws/hub/idempotency.hpp"
#include "clawws/wire/event.hpp"
#include "clawws/wire/filter.hpp"
#include "clawws/wire/state.hpp"

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

// A publisher's key and what it stands for, kept for as long as it may be repeated.
struct RememberedKey {
  IdempotencyKey key;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::int64_t expires_millis = 0;  // since 1970
};

// The key of `count` events of an append, beginning with its `offset`-th.
struct KeyedEvents {
  const IdempotencyKey* key = nullptr;
  std::size_t offset = 0;
  std::size_t count = 0;
};

// What goes into the transaction of an append beside its events.
struct Alongside {
  std::span<const KeyedEvents> keys = {};
  std::span<const wire::StateRow> state = {};  // as the events leave them; see wire::State::plan
};

struct Retention {
  std::uint64_t events = 100'000;
  std::int64_t age_millis = 7LL * 24 * 3600 * 1000;
  std::uint64_t bytes = 1ull << 30;  // of event bodies
};

class EventStore {
 public:
  // The committed events in order; `first` is the seq of the first. On the thread that commits.
  using Sink = std::function<void(std::uint64_t first, std::span<const wire::Event> events)>;

  virtual ~EventStore() = default;
  // Once, before anything else. Errc::locked, io, config, store_damaged, store_full.
  virtual base::Result<void> open(Sink sink) = 0;
  // All of it or none, with consecutive seqs; the seq of the first. Writer thread only.
  // Errc::unavailable, store_full, store_damaged.
  virtual base::Result<std::uint64_t> append(std::span<const wire::Event> events, const Alongside& alongside) = 0;
  base::Result<std::uint64_t> append(std::span<const wire::Event> events) { return append(events, Alongside()); }
  // The keys that appends before this start brought, as far as the store outlives the process; oldest first.
  virtual base::Result<std::vector<RememberedKey>> remembered_keys() { return std::vector<RememberedKey>(); }
  // The state as appends before this start left it, as far as the store outlives the process.
  virtual base::Result<std::vector<wire::StateRow>> kept_state() { return std::vector<wire::StateRow>(); }
  // Whether events are taken at the moment; else why not, as append() would say it.
  virtual base::Result<void> writable() const { return {}; }
  // Ends what runs beside and leaves everything on disk. The last call but for facts(); no reads then.
  virtual void close() {}
  virtual StoreFacts facts() const = 0;
  // The durability word of PROTOCOL: "memory", "written", …
  virtual std::string_view durability() const noexcept = 0;

  // Events with seq greater than `after`, oldest first, until `limit_bytes` of bodies are there (at
  // least one event, when there is any). Errc::bad_position when `after` + 1 is no longer kept,
  // store_damaged when what was written is not what is there.
  virtual base::Result<std::vector<StoredEvent>> read(std::uint64_t after, std::size_t limit_bytes) const = 0;
  // The seq after which the `count` newest events that match begin (oldest - 1 when there are fewer).
  virtual base::Result<std::uint64_t> before_last(std::uint64_t count, const wire::Filter& filter) const = 0;
  // The seq after which the events taken at `unix_millis` or later begin.
  virtual base::Result<std::uint64_t> before_time(std::int64_t unix_millis) const = 0;
};

}  // namespace clawws::hub
