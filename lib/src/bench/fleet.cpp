// Each delivery is counted three times, on purpose: in its connection's ledger (was it the one that
// was due?), in the histogram (how long did it take?), and in its event's mark (first and last
// receiver). The verdict holds the first two against each other, so a bug in one is seen.
//
// An event's mark is 24 bytes for each fleet, whatever the number of connections; a connection has
// one number for each publisher and a small histogram.
#include "clawws/bench/fleet.hpp"

#include <algorithm>

namespace clawws::bench {
namespace {

constexpr Nanos k_deadline_check = std::chrono::milliseconds(100);
constexpr Nanos k_try_again = std::chrono::milliseconds(1);
constexpr Nanos k_return_again = std::chrono::milliseconds(100);
constexpr std::size_t k_most_reasons = 20;

void count_reason(std::map<std::string, std::uint64_t>& reasons, const std::string& what,
                  std::uint64_t times = 1) {
  if (reasons.size() < k_most_reasons || reasons.contains(what))
    reasons[what] += times;
  else
    reasons["other reasons"] += times;
}

}  // namespace

std::vector<Ledger::Stream> Measure::streams() const {
  std::vector<Ledger::Stream> streams(publishers);
  for (std::uint32_t p = 0; p < publishers; ++p) {
    streams[p] = {numbers_below(warm_up, p), numbers_below(total, p)};
  }
  return streams;
}

void Tally::add(const Tally& other) {
  connect.merge(other.connect);
  tcp.merge(other.tcp);
  tls.merge(other.tls);
  upgrade.merge(other.upgrade);
  first_frame.merge(other.first_frame);
  live_at.merge(other.live_at);
  for (std::size_t i = 0; i < std::size(delivery); ++i) delivery[i].merge(other.delivery[i]);
  events.resize(std::max(events.size(), other.events.size()));
  for (std::size_t i = 0; i < other.events.size(); ++i) {
    events[i].first = std::min(events[i].first, other.events[i].first);
    events[i].last = std::max(events[i].last, other.events[i].last);
    events[i].receivers += other.events[i].receivers;
  }
  rows.resize(std::max(rows.size(), other.rows.size()));
  for (std::size_t i = 0; i < other.rows.size(); ++i) {
    if (!other.rows[i]) continue;
    if (!rows[i]) rows[i].emplace();
    rows[i]->merge(*other.rows[i]);
  }
  ledger += other.ledger;
  p99s.insert(p99s.end(), other.p99s.begin(), other.p99s.end());
  recorded += other.recorded;
  corrupt += other.corrupt;
  unknown += other.unknown;
  measured += other.measured;
  cut += other.cut;
  due.resize(std::max(due.size(), other.due.size()));
  for (std::size_t i = 0; i < other.due.size(); ++i) due[i] += other.due[i];
  returns.merge(other.returns);
  returns_failed += other.returns_failed;
  if (other.comeback) {
    if (!comeback) comeback.emplace();
    comeback->add(*other.comeback);
  }
  for (const auto& [what, times] : other.connect_failures)
    count_reason(connect_failures, what, times);
  for (const auto& [what, times] : other.return_failures)
    count_reason(return_failures, what, times);
  for (const auto& [what, times] : other.cut_reasons) count_reason(cut_reasons, what, times);
  if (!first_failure) first_failure = other.first_failure;
}

Fleet::Fleet(Loop& loop, std::shared_ptr<const Target> target, const Config& config)
    : loop_(loop), target_(std::move(target)), config_(config) {
  subscribers_.reserve(config.connections);
  if (config.afterwards == Config::Afterwards::resume) tally_.comeback.emplace();
}

// The loop's thread has ended, or knows nothing of this fleet any more.
Fleet::~Fleet() = default;

// ---- connecting ---------------------------------------------------------------------------------

void Fleet::connect(const Ramp& ramp) {
  loop_.post([this, ramp] {
    ramp_ = ramp;
    dial_due();
    plan_check();
  });
}

void Fleet::dial_due() {
  dial_planned_ = false;
  const Nanos now = steady_now();
  while (next_ < config_.connections && dialling_ < ramp_.most_at_once &&
         ramp_.start + static_cast<std::int64_t>(next_) * ramp_.interval <= now) {
    subscribers_.push_back(std::make_unique<Subscriber>(loop_, target_, *this));
    ++dialling_;
    ++progress_.dialled;
    const std::size_t index = next_++;
    subscribers_.back()->slot = index;
    subscribers_.back()->dial(config_.first_source + index, config_.receive_buffer_bytes);
  }
  if (next_ >= config_.connections || leaving_ || dial_planned_) return;
  const Nanos due = ramp_.start + static_cast<std::int64_t>(next_) * ramp_.interval;
  dial_planned_ = true;
  loop_.at(std::max(due, dialling_ < ramp_.most_at_once ? due : now + k_try_again),
           [this] { dial_due(); });
}

void Fleet::plan_check() {
  if (check_planned_) return;
  check_planned_ = true;
  loop_.at(steady_now() + k_deadline_check, [this] { check_deadlines(); });
}

void Fleet::check_deadlines() {
  check_planned_ = false;
  if (leaving_ || (next_ >= config_.connections && dialling_ == 0)) return;
  const Nanos now = steady_now();
  for (const auto& subscriber : subscribers_)
    subscriber->check_deadline(now, subscriber->follower ? config_.return_limit : ramp_.limit);
  plan_check();
}

void Fleet::on_live(Subscriber& subscriber) {
  --dialling_;
  ++progress_.live;
  if (subscriber.is_return) {
    returned(subscriber);
    return;
  }
  const ConnectTimes& times = subscriber.times();
  tally_.connect.record(times.total);
  tally_.tcp.record(times.tcp);
  tally_.tls.record(times.tls);
  tally_.upgrade.record(times.upgrade);
  tally_.first_frame.record(times.first_frame);
  tally_.live_at.record(steady_now() - ramp_.begin);
  if (config_.afterwards == Config::Afterwards::resume)
    subscriber.follower = std::make_unique<Follower>(
        config_.seed + config_.first_source + subscriber.slot, steady_now());
}

void Fleet::on_ended(Subscriber& subscriber, const net::Ending& ending) {
  switch (subscriber.state()) {
    case Subscriber::State::connecting:
      --dialling_;
      count_reason(subscriber.is_return ? tally_.return_failures : tally_.connect_failures,
                   ending.what);
      if (subscriber.is_return) {
        ++tally_.returns_failed;
        if (subscriber.follower) {
          try_again(subscriber, ending);
          return;
        }
        loop_.at(steady_now() + k_return_again,
                 [this, slot = subscriber.slot] { come_back(slot); });
        return;
      }
      ++progress_.failed;
      if (!tally_.first_failure) tally_.first_failure = ending;
      return;
    case Subscriber::State::live:
      ++progress_.ended;
      if (leaving_) return;
      if (dropping_ == Dropping::nobody) {
        ++tally_.cut;
        count_reason(tally_.cut_reasons, ending.what);
      }
      if (subscriber.follower) lost(subscriber, ending);
      return;
    case Subscriber::State::leaving:
      ++progress_.ended;
      // It must outlive the present turn of the loop.
      if (churning_) loop_.post([this, slot = subscriber.slot] { come_back(slot); });
      return;
    case Subscriber::State::idle:
    case Subscriber::State::ended:
      return;
  }
}

// ---- counting -----------------------------------------------------------------------------------

void Fleet::begin(const Measure& measure) {
  loop_.call([this, &measure] {
    measure_ = measure;
    tally_.events.assign(measure.total - measure.warm_up, EventMark{});
    if (measure.events_a_row > 0) tally_.rows.resize(measure.row_of(measure.total - 1) + 1);
    const auto streams = measure.streams();
    std::uint64_t missing = 0;
    for (const auto& subscriber : subscribers_) {
      if (subscriber->state() != Subscriber::State::live) continue;
      subscriber->ledger.emplace(streams);
      subscriber->delays.emplace();
      missing += subscriber->ledger->missing();
      ++tally_.measured;
    }
    progress_.missing = missing;
    counting_ = true;
  });
}

void Fleet::on_message(Subscriber& subscriber, std::string_view text, Nanos received_at) {
  Follower::Heard heard = Follower::Heard::live;
  if (subscriber.follower) heard = follow(subscriber, text, received_at);
  if (heard != Follower::Heard::live && heard != Follower::Heard::replayed) return;
  if (!counting_ || !subscriber.ledger) return;
  Sample sample;
  switch (measure_.codec->parse(text, sample)) {
    case SampleCodec::Found::sample:
      break;
    case SampleCodec::Found::corrupt:
      ++tally_.corrupt;
      return;
    case SampleCodec::Found::other:
    case SampleCodec::Found::foreign:
      return;
  }
  const std::uint64_t overtaken = subscriber.ledger->overtaken();
  const Ledger::Entry entry = subscriber.ledger->received(sample.publisher, sample.number);
  // The loop's thread alone writes these: no need for an atomic addition.
  if (subscriber.ledger->overtaken() != overtaken)
    progress_.overtaken.store(progress_.overtaken + subscriber.ledger->overtaken() - overtaken,
                              std::memory_order_relaxed);
  switch (entry) {
    case Ledger::Entry::in_order:
    case Ledger::Entry::late:
      break;
    case Ledger::Entry::unknown:
      // Due after it had left, had it not waited for what was due before.
      if (subscriber.leaves_since && sample.intended > *subscriber.leaves_since) return;
      ++tally_.unknown;
      return;
    case Ledger::Entry::warm_up:
    case Ledger::Entry::duplicate:
      return;
  }
  const Nanos delay = received_at - sample.intended;
  const std::uint64_t event = sample.number * measure_.publishers + sample.publisher;
  if (heard == Follower::Heard::replayed) {
    tally_.comeback->replayed.record(delay);
  } else {
    const bool feels_it = catch_up_ == CatchUp::under_way && !subscriber.was_dropped;
    tally_.delivery[event < measure_.split ? 0 : feels_it ? 1 : measure_.window].record(delay);
    subscriber.delays->record(delay);
  }
  if (!tally_.rows.empty()) {
    std::optional<SmallHistogram>& row = tally_.rows[measure_.row_of(event)];
    if (!row) row.emplace();
    row->record(delay);
  }
  ++tally_.recorded;
  EventMark& mark = tally_.events[event - measure_.warm_up];
  mark.first = std::min(mark.first, delay);
  mark.last = std::max(mark.last, delay);
  ++mark.receivers;
  progress_.delivered.store(tally_.recorded, std::memory_order_relaxed);
  progress_.missing.store(progress_.missing.load(std::memory_order_relaxed) - 1,
                          std::memory_order_release);
}

void Fleet::on_binary(Subscriber& subscriber) {
  if (counting_ && subscriber.ledger) ++tally_.corrupt;
}

void Fleet::end() {
  loop_.call([this] { counting_ = false; });
}

void Fleet::shorten(const std::vector<std::uint64_t>& ends) {
  loop_.call([&] {
    std::uint64_t missing = 0;
    for (const auto& subscriber : subscribers_) {
      if (!subscriber->ledger) continue;
      for (std::uint32_t p = 0; p < ends.size(); ++p) subscriber->ledger->shorten(p, ends[p]);
      missing += subscriber->ledger->missing();
    }
    progress_.missing = missing;
  });
}

void Fleet::stall() {
  loop_.call([this] {
    for (const auto& subscriber : subscribers_) subscriber->stall();
  });
}

Histogram Fleet::delivery_so_far() {
  Histogram copy;
  loop_.call([&] {
    for (const Histogram& window : tally_.delivery) copy.merge(window);
  });
  return copy;
}

void Fleet::fold(const Subscriber& subscriber) {
  const LedgerCounts counts = subscriber.ledger->counts();
  tally_.ledger += counts;
  // A short visit may have missed every event.
  if (counts.expected == 0) return;
  const std::uint64_t beyond = measure_.count_lost == CountLost::in ? counts.lost : 0;
  tally_.p99s.push_back(subscriber.delays->percentile(99, beyond));
}

Tally Fleet::tally() {
  Tally result;
  loop_.call([&] {
    for (const auto& subscriber : subscribers_) {
      if (subscriber->ledger) fold(*subscriber);
      if (!subscriber->follower) continue;
      tally_.comeback->gaps += subscriber->follower->gaps();
      tally_.comeback->not_back += subscriber->away_since ? 1 : 0;
    }
    result = std::move(tally_);
    tally_ = Tally();
    if (result.comeback) tally_.comeback.emplace();  // clients may still be told something
  });
  return result;
}

// ---- the end ------------------------------------------------------------------------------------

void Fleet::leave() {
  loop_.post([this] {
    leaving_ = true;
    for (const auto& subscriber : subscribers_) {
      if (subscriber->state() == Subscriber::State::live ||
          subscriber->state() == Subscriber::State::connecting)
        subscriber->leave();
    }
  });
}

void Fleet::abandon() {
  loop_.call([this] {
    leaving_ = true;
    for (const auto& subscriber : subscribers_) subscriber->give_up();
  });
}

}  // namespace clawws::bench
