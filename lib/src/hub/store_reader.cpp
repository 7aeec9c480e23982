#include "clawws/hub/store_reader.hpp"

#include <algorithm>
#include <utility>

namespace clawws::hub {

using base::Result;

namespace {
constexpr std::uint64_t k_alignment = 64;  // so that reads which begin close to each other are one
}  // namespace

StoreReader::StoreReader(const EventStore& store, TypeTable& types, const Limits& limits)
    : store_(store), types_(types), limits_(limits) {}

StoreReader::~StoreReader() { stop(); }

void StoreReader::start() {
  running_ = true;
  thread_ = std::thread([this] { loop(); });
}

void StoreReader::cancel() {
  // What is dropped holds parts of those who asked, and they may go before the reader does.
  std::deque<std::function<void()>> jobs;
  std::map<std::string, User> users;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    jobs.swap(jobs_);
    users.swap(users_);
  }
  work_.notify_all();
}

void StoreReader::stop() {
  cancel();
  if (thread_.joinable()) thread_.join();
}

void StoreReader::run(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    jobs_.push_back(std::move(job));
  }
  work_.notify_one();
}

void StoreReader::replay(wire::Filter filter, std::uint64_t after, std::uint64_t last_match, const std::string& user,
                         ReplayDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    const auto now = base::SteadyClock::now();
    User& of = users_.try_emplace(user, User{{}, static_cast<double>(limits_.events_a_second), now}).first->second;
    of.waiting.push_back({std::move(filter), after, last_match, std::move(done)});
  }
  work_.notify_one();
}

std::shared_ptr<const Chunk> StoreReader::at_hand(const wire::Filter& filter, std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  return find(filter.key(), after);
}

std::uint64_t StoreReader::reads() const {
  const std::lock_guard lock(mutex_);
  return reads_;
}

std::shared_ptr<const Chunk> StoreReader::find(const std::string& filter, std::uint64_t after) const {
  // Chunks may overlap: the one that was read from closest before `after` reaches furthest.
  auto place = places_.upper_bound({filter, after});
  if (place == places_.begin() || (--place)->first.first != filter) return nullptr;
  const auto& chunk = place->second->chunk;
  return chunk->scanned_to > after ? chunk : nullptr;
}

void StoreReader::keep(Kept kept) {
  const auto bytes = [](const Kept& of) { return of.chunk->frames->data_bytes() + sizeof(Kept) + 256; };
  const Place place{kept.filter, kept.from};
  if (const auto old = places_.find(place); old != places_.end()) {
    kept_bytes_ -= bytes(*old->second);
    kept_.erase(old->second);
    places_.erase(old);
  }
  kept_bytes_ += bytes(kept);
  places_.emplace(place, kept_.insert(kept_.end(), std::move(kept)));
  while (kept_bytes_ > limits_.kept_bytes && kept_.size() > 1) {
    kept_bytes_ -= bytes(kept_.front());
    places_.erase({kept_.front().filter, kept_.front().from});
    kept_.pop_front();
  }
}

void StoreReader::fill(User& user, base::SteadyTime now) const {
  const auto most = static_cast<double>(limits_.events_a_second);
  const std::chrono::duration<double> passed = now - user.filled;
  user.allowance = std::min(most, user.allowance + passed.count() * most);
  user.filled = now;
}

std::map<std::string, StoreReader::User>::iterator StoreReader::next_user(base::SteadyTime now, base::SteadyTime& at) {
  // From the one behind the last, around once: each has its turn.
  auto user = users_.upper_bound(last_user_);
  for (std::size_t left = users_.size(); left > 0; --left) {
    if (user == users_.end()) user = users_.begin();
    User& of = user->second;
    fill(of, now);
    if (of.waiting.empty()) {
      const bool full = of.allowance >= static_cast<double>(limits_.events_a_second);
      user = full ? users_.erase(user) : std::next(user);
      continue;
    }
    if (of.allowance >= 0 || limits_.events_a_second == 0) return user;
    const std::chrono::duration<double> missing(-of.allowance / static_cast<double>(limits_.events_a_second));
    at = std::min(at, now + std::chrono::ceil<std::chrono::milliseconds>(missing));
    ++user;
  }
  return users_.end();
}

Result<std::shared_ptr<const Chunk>> StoreReader::read(const Replay& replay, std::size_t& events) {
  // Those of the alignment's begin come along, unless they fill the chunk before `after` is reached.
  const std::uint64_t oldest = store_.facts().oldest;
  const std::uint64_t aligned = std::max(replay.after - replay.after % k_alignment, oldest - 1);
  for (const std::uint64_t from : {std::min(aligned, replay.after), replay.after}) {
    const Result<std::vector<StoredEvent>> found = store_.read(from, limits_.chunk_bytes);
    if (!found && from < replay.after) continue;
    if (!found) return found.error();
    events += found->size();
    const std::uint64_t previous = replay.last_match <= from ? replay.last_match : 0;  // else it is in the chunk
    auto chunk = std::make_shared<const Chunk>(chunk_from_events(*found, replay.filter, types_, from, previous));
    if (chunk->scanned_to <= replay.after && from < replay.after) continue;
    const std::lock_guard lock(mutex_);
    ++reads_;
    if (!found->empty()) keep({replay.filter.key(), from, chunk});
    return std::shared_ptr<const Chunk>(std::move(chunk));
  }
  return base::Error(base::Errc::internal, "a replay read nothing");
}

void StoreReader::loop() {
  std::unique_lock lock(mutex_);
  while (running_) {
    if (!jobs_.empty()) {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
      continue;
    }
    base::SteadyTime at = base::SteadyTime::max();
    const auto user = next_user(base::SteadyClock::now(), at);
    if (user == users_.end()) {
      if (at == base::SteadyTime::max()) {
        work_.wait(lock);
      } else {
        work_.wait_until(lock, at);
      }
      continue;
    }
    last_user_ = user->first;
    const Replay replay = std::move(user->second.waiting.front());
    user->second.waiting.pop_front();
    std::shared_ptr<const Chunk> chunk = find(replay.filter.key(), replay.after);
    lock.unlock();
    std::size_t events = 0;
    replay.done(chunk ? Result<std::shared_ptr<const Chunk>>(std::move(chunk)) : read(replay, events));
    lock.lock();
    if (const auto still = users_.find(last_user_); still != users_.end()) still->second.allowance -= static_cast<double>(events);
  }
}

}  // namespace clawws::hub
