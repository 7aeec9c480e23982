// Two things happen to an event, apart from each other: at its time it is *noticed* (a timer; how
// late that is, is the generator's own fault and goes into `lag`), and when the connection takes it
// it is *sent*. Between the two it waits for the server, and that wait is in its latency, since an
// event carries when it was meant to be sent. So a server that answers slowly cannot slow the
// schedule down and look better for it.
//
// What waits goes out together, up to a batch, and requests are pipelined: a publisher that had to
// await each answer would send at most 1/round-trip requests a second, whatever was asked for.
#include "clawws/bench/publisher.hpp"

#include <algorithm>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"

namespace clawws::bench {
namespace {

// Deep enough that the way there and back costs no time, and few enough that what waits becomes a
// batch: a server answers the requests of one connection in order, so with many of them a backlog
// would be worked off one event at a time.
constexpr std::size_t k_most_in_flight = 4, k_most_to_repeat = 1;
// Room for a batch in the server's default limit of 1 MiB a request.
constexpr std::size_t k_most_body_bytes = 900 * 1024;

}  // namespace

void PublishTally::add(const PublishTally& other) {
  lag.merge(other.lag);
  response.merge(other.response);
  accepted += other.accepted;
  refused += other.refused;
  failed += other.failed;
  requests += other.requests;
  repeated += other.repeated;
  if (first_problem.empty()) first_problem = other.first_problem;
}

Publisher::Publisher(Loop& loop, std::shared_ptr<const Target> target,
                     std::shared_ptr<const SampleCodec> codec, const Config& config)
    : loop_(loop),
      target_(std::move(target)),
      codec_(std::move(codec)),
      config_(config),
      backoff_({}, config.seed) {}

void Publisher::probe() {
  loop_.post([this] {
    probing_ = true;
    dial();
  });
}

std::optional<base::Result<void>> Publisher::probe_result() {
  std::optional<base::Result<void>> result;
  loop_.call([&] { result = probe_result_; });
  return result;
}

void Publisher::run(const Schedule& schedule, std::uint64_t total) {
  loop_.post([this, schedule, total] {
    schedule_ = schedule;
    end_ = total > config_.index
               ? (total - config_.index + config_.publishers - 1) / config_.publishers
               : 0;
    running_ = true;
    if (!link_) dial();
    notice_due();
  });
}

std::uint64_t Publisher::halt() {
  std::uint64_t next = 0;
  loop_.call([&] {
    end_ = next = noticed_;
    check_done();
  });
  return next;
}

void Publisher::stop() {
  loop_.call([this] {
    stopped_ = true;
    if (link_) link_->close();
  });
}

PublishTally Publisher::tally() {
  PublishTally result;
  loop_.call([&] {
    result = tally_;
    result.failed += noticed_ - sent_;  // the server never took them
    for (const Request& request : in_flight_) result.failed += request.events;
  });
  return result;
}

void Publisher::dial() {
  if (stopped_) return;
  secure_ = false;
  link_ = std::make_unique<Link>(loop_, target_, *this);
  link_->dial(config_.source);
}

void Publisher::on_secure() {
  secure_ = true;
  reader_.reset();
  backoff_.reset();
  lost_at_ = Nanos(0);
  if (probing_) {
    std::string body;
    codec_->append(body, {config_.publishers, 0, steady_now(), steady_now()});
    post(body, 0);
    return;
  }
  // Given to the link as it was: the server must find the same bytes under the same key.
  for (const Request& request : in_flight_) {
    ++tally_.repeated;
    link_->send(request.bytes);
  }
  send_waiting();
}

// ---- sending ------------------------------------------------------------------------------------

void Publisher::notice_due() {
  const Nanos now = steady_now();
  while (noticed_ < end_ && schedule_.due(event_of(noticed_)) <= now) {
    tally_.lag.record(now - schedule_.due(event_of(noticed_)));
    ++noticed_;
  }
  send_waiting();
  if (noticed_ < end_ && !stopped_)
    loop_.at(schedule_.due(event_of(noticed_)), [this] { notice_due(); });
}

void Publisher::send_waiting() {
  // Sending may tell at once that everything was sent.
  if (sending_) return;
  sending_ = true;
  const std::size_t most = repeats() ? k_most_to_repeat : k_most_in_flight;
  while (secure_ && sent_ < noticed_ && in_flight_.size() < most && link_->all_sent()) {
    const std::uint64_t events = std::min<std::uint64_t>(noticed_ - sent_, config_.batch);
    std::string body;
    if (events > 1) body += '[';
    std::uint64_t taken = 0;
    for (; taken < events && (taken == 0 || body.size() < k_most_body_bytes); ++taken) {
      if (taken > 0) body += ',';
      const std::uint64_t number = sent_ + taken;
      codec_->append(body, {config_.index, number, schedule_.due(event_of(number)), steady_now()});
    }
    if (events > 1) body += ']';
    sent_ += taken;
    post(body, taken);
  }
  sending_ = false;
}

void Publisher::post(std::string_view body, std::uint64_t events) {
  std::string request = target_->publish_head;
  request.append(std::to_string(body.size()));
  if (repeats() && !probing_)
    request.append("\r\nIdempotency-Key: " + config_.repeat_key + std::to_string(config_.index) +
                   "-" + std::to_string(tally_.requests));
  request.append("\r\n\r\n").append(body);
  in_flight_.push_back({events, steady_now(), repeats() ? request : std::string()});
  ++tally_.requests;
  link_->send(request);
}

// ---- answers ------------------------------------------------------------------------------------

void Publisher::on_bytes(std::string_view bytes, Nanos received_at) {
  reader_.feed(bytes);
  for (;;) {
    const HttpReader::Step step = reader_.next();
    if (step == HttpReader::Step::need_more) break;
    if (step == HttpReader::Step::broken || in_flight_.empty()) {
      link_->fail(net::final_ending(net::Phase::live, base::Errc::protocol,
                                    "the server's answer to POST /clawws/events is not HTTP"));
      return;
    }
    answered(received_at);
    if (!link_->is_open()) return;
  }
  send_waiting();
  check_done();
}

void Publisher::answered(Nanos received_at) {
  const bool accepted = reader_.status() / 100 == 2;
  std::optional<net::Ending> refusal;
  if (!accepted) {
    const std::string retry_after = reader_.field("Retry-After"), body = reader_.body();
    refusal = net::http_ending({reader_.status(), retry_after, "", body, base::unix_millis()});
    if (tally_.first_problem.empty())
      tally_.first_problem = "POST /clawws/events: " + refusal->what;
    if (repeats() && !probing_ && refusal->again == net::Again::backoff) {
      retry_hint_ = refusal->hint;
      link_->fail(*refusal);
      return;
    }
  }
  const Request request = in_flight_.front();
  in_flight_.pop_front();
  tally_.response.record(received_at - request.sent_at);
  (accepted ? tally_.accepted : tally_.refused) += request.events;
  if (std::exchange(probing_, false)) {
    if (refusal)
      probe_result_ = base::Error(refusal->code, "publishing: " + refusal->what);
    else
      probe_result_ = base::Result<void>();
  }
  if (base::iequals(reader_.field("Connection"), "close"))
    link_->fail(net::passing(net::Phase::live, "the server closed the publisher's connection"));
}

void Publisher::on_end(const net::Ending& ending) {
  secure_ = false;
  if (!repeats() || probing_) {
    for (const Request& request : in_flight_) tally_.failed += request.events;
    in_flight_.clear();
  }
  if (tally_.first_problem.empty()) tally_.first_problem = "publisher: " + ending.what;
  if (std::exchange(probing_, false)) {
    probe_result_ = base::Error(ending.code, "publishing: " + ending.what);
    return;
  }
  if (stopped_ || (running_ && sent_ == end_ && in_flight_.empty())) {
    check_done();
    return;
  }
  const Nanos now = steady_now();
  if (lost_at_ == Nanos(0)) lost_at_ = now;
  const auto outage = std::chrono::duration_cast<base::Millis>(now - lost_at_);
  const auto hint = std::exchange(retry_hint_, std::nullopt);
  const auto delay = hint ? backoff_.next_hinted(outage, *hint) : backoff_.next(outage);
  loop_.at(now + delay, [this] { dial(); });
}

void Publisher::check_done() {
  if (running_ && sent_ == end_ && in_flight_.empty()) done_.store(true, std::memory_order_release);
}

}  // namespace clawws::bench
