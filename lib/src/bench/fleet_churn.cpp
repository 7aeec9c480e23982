// Churn: what a client that comes and goes is owed. Everything hangs on the schedule, which all
// threads know: an event that is due after a client's first frame was published after the server
// had subscribed it, so it must come; one that was due before may come or not, and does not count.
// A client that is to leave first takes what was due up to that moment, for as long as the drain
// allows, then closes. So each visit has an exact account, whatever was on its way at its ends.
//
//   dial      first frame                 is to leave      has all      Close
//   ---|----------|====== owed ===============|-- waits -----|------------|--- away --- dial
#include <algorithm>

#include "clawws/bench/fleet.hpp"

namespace clawws::bench {
namespace {

// How often a leaving client is looked at. Deliveries take a part of this or, on a bad day, longer.
constexpr Nanos k_look_again = std::chrono::milliseconds(2);

}  // namespace

void Fleet::churn(const Churn& churn) {
  loop_.call([this, &churn] {
    churn_ = churn;
    churning_ = true;
    tally_.due.resize(tally_.events.size() + 1);
    loop_.at(churn_.start, [this] { churn_due(); });
  });
}

void Fleet::end_churn() {
  loop_.call([this] {
    churning_ = false;
    on_their_way_.clear();
  });
}

void Fleet::churn_due() {
  if (!churning_) return;
  const Nanos now = steady_now();
  const auto next = [this] {
    return churn_.start + static_cast<std::int64_t>(sent_away_) * churn_.interval;
  };
  for (; next() <= now; ++sent_away_) send_away(now);
  std::erase_if(on_their_way_, [&](Subscriber* subscriber) {
    // A cut one keeps its account: what it was owed is lost.
    if (subscriber->state() != Subscriber::State::live) return true;
    if (!subscriber->ledger->complete() && now < *subscriber->leaves_until) return false;
    depart(*subscriber);
    return true;
  });
  loop_.at(on_their_way_.empty() ? next() : std::min(next(), now + k_look_again),
           [this] { churn_due(); });
}

// The next one, in turn, that is there and not on its way already; nobody when all are away.
void Fleet::send_away(Nanos now) {
  for (std::size_t tries = 0; tries < subscribers_.size(); ++tries) {
    Subscriber& subscriber = *subscribers_[next_away_++ % subscribers_.size()];
    if (subscriber.state() != Subscriber::State::live || !subscriber.ledger ||
        subscriber.leaves_since)
      continue;
    const std::uint64_t event =
        std::clamp(churn_.schedule.count_due(now), measure_.warm_up, measure_.total);
    const std::uint64_t missing = subscriber.ledger->missing();
    for (std::uint32_t p = 0; p < measure_.publishers; ++p)
      subscriber.ledger->shorten(p, measure_.numbers_below(event, p));
    progress_.missing -= missing - subscriber.ledger->missing();
    shift_due(event, -1);
    subscriber.leaves_since = now;
    subscriber.leaves_until = now + churn_.linger;
    on_their_way_.push_back(&subscriber);
    return;
  }
}

void Fleet::depart(Subscriber& subscriber) {
  progress_.missing -= subscriber.ledger->missing();
  fold(subscriber);
  subscriber.ledger.reset();
  subscriber.leave();
}

void Fleet::returned(Subscriber& subscriber) {
  tally_.returns.record(subscriber.times().total);
  // Nothing is due to it any more; and who resumes is owed everything anyway.
  if (!churning_) return;
  const std::uint64_t event =
      std::clamp(churn_.schedule.count_due(steady_now()), measure_.warm_up, measure_.total);
  auto streams = measure_.streams();
  for (std::uint32_t p = 0; p < measure_.publishers; ++p)
    streams[p].skip = measure_.numbers_below(event, p);
  subscriber.ledger.emplace(streams);
  subscriber.delays.emplace();
  progress_.missing += subscriber.ledger->missing();
  shift_due(event, 1);
}

void Fleet::shift_due(std::uint64_t event, std::int64_t by) {
  tally_.due[event - measure_.warm_up] += by;
}

}  // namespace clawws::bench
