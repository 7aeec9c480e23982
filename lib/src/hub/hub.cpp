#include "clawws/hub/hub.hpp"

#include <iterator>
#include <utility>

#include "clawws/base/assert.hpp"
#include "clawws/hub/catch_up.hpp"

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;

namespace {

constexpr std::size_t k_segment_bytes = 256 * 1024;

std::size_t bytes_of(const std::vector<wire::Event>& events) {
  std::size_t bytes = 0;
  for (const wire::Event& event : events) bytes += event.body.size();
  return bytes;
}

}  // namespace

Hub::Hub(const HubConfig& config, std::unique_ptr<EventStore> store)
    : config_(config),
      store_(std::move(store)),
      reader_(std::make_unique<StoreReader>(*store_, types_, StoreReader::Limits{config.replay_rate})) {}

Hub::~Hub() { stop(); }

Result<void> Hub::start() {
  Result<void> opened = store_->open(
      [this](std::uint64_t first, std::span<const wire::Event> events) { committed(first, events); });
  if (!opened) return opened;
  const Result<std::vector<RememberedKey>> keys = store_->remembered_keys();
  if (!keys) return keys.error();
  for (const RememberedKey& key : *keys) {
    keys_.remember(key.key, {key.first, key.last}, base::Millis(key.expires_millis - base::unix_millis()), base::SteadyClock::now());
  }
  const Result<std::vector<wire::StateRow>> kept = store_->kept_state();
  if (!kept) return kept.error();
  fold_.apply(*kept);
  folded_to_ = store_->facts().newest;
  log_ = std::make_unique<FrameLog>(FrameLog::Limits{k_segment_bytes, config_.log_memory_bytes},
                                    store_->facts().newest);
  state_ = State::running;
  writer_ = std::thread([this] { run_writer(); });
  reader_->start();
  return {};
}

void Hub::stop() {
  reader_->cancel();
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::running) state_ = State::stopping;
  }
  work_.notify_all();
  if (writer_.joinable()) writer_.join();
  reader_->stop();
  store_->close();
}

void Hub::read(std::uint64_t after, std::size_t limit_bytes, ReadDone done) {
  reader_->run([this, after, limit_bytes, done = std::move(done)] { done(store_->read(after, limit_bytes)); });
}

void Hub::locate_last(std::uint64_t count, wire::Filter filter, LocateDone done) {
  reader_->run([this, count, filter = std::move(filter), done = std::move(done)] {
    done(store_->before_last(count, filter));
  });
}

void Hub::locate_time(std::int64_t unix_millis, LocateDone done) {
  reader_->run([this, unix_millis, done = std::move(done)] { done(store_->before_time(unix_millis)); });
}

void Hub::state(StateDone done) {
  reader_->run([this, done = std::move(done)] { done(state_now()); });
}

std::shared_ptr<const std::string> Hub::state_now() {
  const std::lock_guard lock(state_mutex_);
  if (!state_text_) state_text_ = std::make_shared<const std::string>(fold_.to_json(store_->facts().epoch, folded_to_));
  return state_text_;
}

void Hub::publish(std::vector<wire::Event> events, std::optional<IdempotencyKey> key, PublishDone done,
                  Wake wake) {
  CLAWWS_ASSERT(!events.empty());
  for (const wire::Event& event : events) {
    if (const Result<TypeId> type = types_.intern(event.type); !type) {
      done(type.error());
      return;
    }
  }
  Result<Receipt> known = Receipt{};
  {
    std::unique_lock lock(mutex_);
    const std::size_t bytes = bytes_of(events);
    if (state_ != State::running) {
      known = Error(Errc::unavailable, "the server is stopping");
    } else if (queued_bytes_ + bytes > config_.queue_bytes) {
      known = Error(Errc::unavailable, "too many events wait for the store");
    } else {
      IdempotencyTable::Verdict verdict = IdempotencyTable::Verdict::proceed;
      if (key) verdict = keys_.begin(*key, done, base::SteadyClock::now(), *known);
      switch (verdict) {
        case IdempotencyTable::Verdict::proceed:
          queued_bytes_ += bytes;
          queue_.push_back({std::move(events), std::move(key), std::move(done)});
          if (wake == Wake::now) {
            // The writer would wake only to wait for the lock.
            lock.unlock();
            work_.notify_one();
          }
          return;
        case IdempotencyTable::Verdict::wait:
          return;
        case IdempotencyTable::Verdict::repeated:
          break;
        case IdempotencyTable::Verdict::conflict:
          known = Error(Errc::conflict, "this Idempotency-Key was used with another body");
          break;
        case IdempotencyTable::Verdict::full:
          known = Error(Errc::rate_limited, "more than " + std::to_string(k_max_keys_per_user) +
                                                " idempotency keys in 10 minutes");
          break;
      }
    }
  }
  done(std::move(known));
}

void Hub::run_writer() {
  std::vector<Batch> group;
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return !queue_.empty() || state_ != State::running; });
    if (queue_.empty()) break;
    group.swap(queue_);
    queued_bytes_ = 0;
    lock.unlock();
    commit(group);
    group.clear();
    lock.lock();
  }
  state_ = State::stopped;
}

void Hub::commit(std::vector<Batch>& group) {
  std::vector<KeyedEvents> keys;
  std::size_t offset = 0;
  for (const Batch& batch : group) {
    if (batch.key) keys.push_back({&*batch.key, offset, batch.events.size()});
    offset += batch.events.size();
  }
  std::vector<wire::Event> all;
  std::span<const wire::Event> events = group.front().events;
  if (group.size() > 1) {
    for (Batch& batch : group) {
      // The count is still needed for the answers: move the contents, not the vector.
      all.insert(all.end(), std::make_move_iterator(batch.events.begin()), std::make_move_iterator(batch.events.end()));
    }
    events = all;
  }
  const std::vector<wire::StateRow> state = fold_.plan(folded_to_ + 1, events);
  const Result<std::uint64_t> first = store_->append(events, {keys, state});
  if (first) {
    const std::lock_guard lock(state_mutex_);
    fold_.apply(state);
    folded_to_ = *first + events.size() - 1;
    state_text_.reset();
  }
  if (first) {
    for (const auto& wake : listeners_) wake();
  }
  std::uint64_t next = first ? *first : 0;
  for (Batch& batch : group) {
    if (first) {
      const std::uint64_t begin = next;
      next += batch.events.size();
      answer(batch, Receipt{begin, next - 1, Receipt::Novelty::stored});
    } else {
      answer(batch, first.error());
    }
  }
}

void Hub::committed(std::uint64_t first, std::span<const wire::Event> events) {
  char tail[32];
  std::uint64_t seq = first;
  for (const wire::Event& event : events) {
    const Result<TypeId> type = types_.intern(event.type);
    log_->append(seq, type ? *type : TypeId{0}, event.body, write_seq(tail, seq));
    ++seq;
  }
  frames_encoded_.fetch_add(events.size(), std::memory_order_relaxed);
}

void Hub::answer(Batch& batch, const Result<Receipt>& outcome) {
  std::vector<std::pair<PublishDone, Result<Receipt>>> waiting;
  if (batch.key) {
    const std::lock_guard lock(mutex_);
    waiting = keys_.finish(*batch.key, outcome, base::SteadyClock::now());
  }
  batch.done(outcome);
  for (auto& [done, result] : waiting) done(std::move(result));
}

StoreFacts Hub::facts() const {
  StoreFacts facts = store_->facts();
  facts.newest = log_->head();
  return facts;
}

}  // namespace clawws::hub
