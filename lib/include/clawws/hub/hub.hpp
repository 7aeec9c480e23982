// The hub: the one writer between those who publish and the log that everybody reads.
//
//   publish() --> queue --> writer thread: one store transaction for all that waits
//                              '--> store's sink: encode once, append to the log
//                              '--> wake each listener (shard) once, then answer the publishers
//
// While one transaction runs, what arrives waits and becomes the next one: commits group themselves.
// A second thread, the store's reader, does what may wait for the disk on behalf of the shards.
// publish(), the reads and the facts may be called from any thread; callbacks come on the writer's
// or reader's thread (or inline where said) and must not block.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/hub/event_store.hpp"
#include "clawws/hub/frame_log.hpp"
#include "clawws/hub/idempotency.hpp"
#include "clawws/hub/store_reader.hpp"
#include "clawws/hub/type_table.hpp"
#include "clawws/wire/state.hpp"

namespace clawws::hub {

struct HubConfig {
  std::size_t log_memory_bytes = 16u << 20;     // of the log in memory; at least 1 MiB
  std::size_t queue_bytes = 64u << 20;          // bodies that may wait for the store; more is Errc::unavailable
  std::uint64_t replay_rate = 20'000;           // events a second that are read for one user's replays; 0: no limit
};

class Hub {
 public:
  Hub(const HubConfig& config, std::unique_ptr<EventStore> store);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Opens the store and starts the writer. Listeners must be there already.
  base::Result<void> start();
  // Called on the writer thread whenever the log has grown; before start() only.
  void add_listener(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }
  // Commits what waits, then ends the writer; later publishes are Errc::unavailable.
  void stop();

  // Takes a batch (at least one event). `done` is called exactly once: on the writer thread, or
  // inline when the answer is known at once (a repeated key, a full queue, too many types).
  // With Wake::later a sleeping writer sleeps on until wake_writer(): who publishes several batches
  // in a row so has them committed as one.
  enum class Wake : std::uint8_t { now, later };
  void publish(std::vector<wire::Event> events, std::optional<IdempotencyKey> key, PublishDone done,
               Wake wake = Wake::now);
  void wake_writer() { work_.notify_one(); }

  // Runs EventStore's read, before_last or before_time on the reader's thread. Dropped without a
  // call when the hub stops.
  using ReadDone = std::function<void(base::Result<std::vector<StoredEvent>>)>;
  void read(std::uint64_t after, std::size_t limit_bytes, ReadDone done);
  using LocateDone = std::function<void(base::Result<std::uint64_t>)>;
  void locate_last(std::uint64_t count, wire::Filter filter, LocateDone done);
  void locate_time(std::int64_t unix_millis, LocateDone done);

  // The state that all events up to and with its position add up to, as the JSON of
  // clawws-protocol(7). On the reader's thread; dropped without a call when the hub stops.
  using StateDone = std::function<void(std::shared_ptr<const std::string>)>;
  void state(StateDone done);

  StoreReader& reader() noexcept { return *reader_; }
  const FrameLog& log() const noexcept { return *log_; }
  TypeTable& types() noexcept { return types_; }
  const EventStore& store() const noexcept { return *store_; }
  // Epoch, and the newest seq that a reader of the log can see; oldest as the store has it.
  StoreFacts facts() const;
  // Frames encoded for the log since the start: one per event, however many clients there are.
  std::uint64_t frames_encoded() const noexcept { return frames_encoded_.load(std::memory_order_relaxed); }

 private:
  struct Batch {
    std::vector<wire::Event> events;
    std::optional<IdempotencyKey> key;
    PublishDone done;
  };

  void run_writer();
  void commit(std::vector<Batch>& group);
  void committed(std::uint64_t first, std::span<const wire::Event> events);
  std::shared_ptr<const std::string> state_now();
  void answer(Batch& batch, const base::Result<Receipt>& outcome);

  const HubConfig config_;
  const std::unique_ptr<EventStore> store_;
  std::unique_ptr<FrameLog> log_;
  TypeTable types_;
  const std::unique_ptr<StoreReader> reader_;
  std::vector<std::function<void()>> listeners_;
  std::atomic<std::uint64_t> frames_encoded_{0};

  std::mutex state_mutex_;  // guards what follows; the writer alone changes it
  wire::State fold_;
  std::uint64_t folded_to_ = 0;
  std::shared_ptr<const std::string> state_text_;  // of folded_to_, once somebody asked

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  std::vector<Batch> queue_;
  std::size_t queued_bytes_ = 0;
  IdempotencyTable keys_;
  enum class State : std::uint8_t { stopped, running, stopping } state_ = State::stopped;
  std::thread writer_;
};

}  // namespace clawws::hub
