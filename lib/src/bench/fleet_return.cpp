// Coming back. A client of churn is a new one each time: its account begins with its first frame. A
// client that resumes keeps its account: it asks for what follows the last event that it has taken,
// and is owed every event of the run. From the loss until the last of what it missed it is away:
//
//   loss          dial   refused        dial  first frame   seq of the first frame
//   --|-- back-off -|-------|-- back-off -|--------|===== replayed =====|---- live ---
//     |============================ live again ========================|
//                                                  |===== catch-up =====|
#include "clawws/bench/fleet.hpp"

#include <algorithm>

namespace clawws::bench {

void Comeback::add(const Comeback& other) {
  live_again.merge(other.live_again);
  catch_up.merge(other.catch_up);
  replayed.merge(other.replayed);
  lost += other.lost;
  not_back += other.not_back;
  dropped += other.dropped;
  gaps += other.gaps;
  last_back = std::max(last_back, other.last_back);
}

void Fleet::drop(std::size_t count, Return how) {
  loop_.call([this, count, how] {
    dropping_ = how == Return::by_itself ? Dropping::by_itself : Dropping::when_called;
    std::size_t dropped = 0;
    for (const auto& subscriber : subscribers_) {
      if (dropped == count) break;
      if (subscriber->state() != Subscriber::State::live || !subscriber->follower) continue;
      subscriber->was_dropped = true;
      subscriber->drop();
      ++dropped;
    }
    dropping_ = Dropping::nobody;
  });
}

void Fleet::call_back() {
  loop_.call([this] {
    const Nanos now = steady_now();
    for (const auto& subscriber : subscribers_) {
      if (!subscriber->was_dropped) continue;
      subscriber->away_since = now;
      come_back(subscriber->slot);
    }
  });
}

void Fleet::mark(CatchUp state) {
  loop_.call([this, state] { catch_up_ = state; });
}

void Fleet::lost(Subscriber& subscriber, const net::Ending& ending) {
  ++tally_.comeback->lost;
  ++progress_.lost;
  if (!subscriber.away_since) {
    subscriber.away_since = steady_now();
    ++progress_.away;
  }
  if (dropping_ != Dropping::when_called) try_again(subscriber, ending);
}

// Who is told never to come again stays away: its account says what it lost by that.
void Fleet::try_again(Subscriber& subscriber, const net::Ending& ending) {
  const Nanos now = steady_now();
  const auto decision = subscriber.follower->lost(ending, now);
  if (decision.again)
    loop_.at(now + decision.delay, [this, slot = subscriber.slot] { come_back(slot); });
}

void Fleet::come_back(std::size_t slot) {
  Subscriber& subscriber = *subscribers_[slot];
  if (leaving_ || (!churning_ && !subscriber.follower)) return;
  subscriber.is_return = true;
  subscriber.leaves_since = subscriber.leaves_until = std::nullopt;
  ++dialling_;
  plan_check();
  subscriber.dial(config_.first_source + slot, config_.receive_buffer_bytes,
                  subscriber.follower ? subscriber.follower->begin() : std::string());
}

Follower::Heard Fleet::follow(Subscriber& subscriber, std::string_view text, Nanos received_at) {
  Follower& follower = *subscriber.follower;
  const Follower::Heard heard = follower.message(text, received_at);
  if (heard == Follower::Heard::violation) {
    subscriber.fail(net::final_ending(net::Phase::live, base::Errc::protocol, follower.problem()));
    return heard;
  }
  Comeback& comeback = *tally_.comeback;
  if (heard == Follower::Heard::duplicate) ++comeback.dropped;
  if (subscriber.away_since && follower.caught_up()) {
    comeback.live_again.record(received_at - *subscriber.away_since);
    comeback.catch_up.record(received_at - follower.welcomed_at());
    comeback.last_back = std::max(comeback.last_back, received_at);
    subscriber.away_since.reset();
    --progress_.away;
  }
  return heard;
}

}  // namespace clawws::bench
