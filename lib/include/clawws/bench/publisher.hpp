// One publisher: sends its share of the schedule as POST /clawws/events over one keep-alive
// connection. Requests do not wait for the answers to earlier ones (HTTP pipelining, up to a
// depth); events that wait for the server to take them go together in one request.
//
// How late the generator itself was is measured where an event is noticed to be due, before
// anything that depends on the server. A lost connection is made again; what was on it unanswered
// counts as failed and is not sent twice. With a `repeat_key` it is: each request carries an
// Idempotency-Key and is repeated under it, byte for byte, until the server has acknowledged it or
// refused it for good. Then one request at a time is under way, so that the order holds.
//
// Lives on its loop's thread; the controller's calls say so.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clawws/base/backoff.hpp"
#include "clawws/bench/http_reader.hpp"
#include "clawws/bench/link.hpp"
#include "clawws/bench/sample.hpp"
#include "clawws/bench/schedule.hpp"

namespace clawws::bench {

struct PublishTally {
  Histogram lag;                                        // noticed to be due, after intended
  Histogram response;                                   // request sent to answer read
  std::uint64_t accepted = 0, refused = 0, failed = 0;  // events: 2xx, other answers, none
  std::uint64_t requests = 0;
  std::uint64_t repeated = 0;  // requests, beside them
  std::string first_problem;

  void add(const PublishTally& other);
};

class Publisher final : public Link::Owner {
 public:
  struct Config {
    std::uint32_t index = 0;  // event e is this one's when e % publishers == index
    std::uint32_t publishers = 1;
    std::size_t batch = 100;  // most events in a request
    std::size_t source = 0;   // of source_address
    std::uint64_t seed = 0;
    std::string
        repeat_key;  // begin of the keys, unlike any other run's; empty: nothing is repeated
  };

  Publisher(Loop& loop, std::shared_ptr<const Target> target,
            std::shared_ptr<const SampleCodec> codec, const Config& config);

  // ---- the controller's thread ----
  // Connects and publishes one event that belongs to no publisher (index `publishers`, number 0).
  void probe();
  // Sends the events below `total` on schedule.
  void run(const Schedule& schedule, std::uint64_t total);
  // Sends nothing more that is not due yet; the number that would have been next.
  std::uint64_t halt();
  void stop();
  // Everything that was to be sent has its answer, or has failed.
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }
  // Of the probe: nothing while it runs, then whether it was accepted.
  std::optional<base::Result<void>> probe_result();
  PublishTally tally();

 private:
  struct Request {
    std::uint64_t events;
    Nanos sent_at;      // for the first time
    std::string bytes;  // to be repeated; empty when nothing is
  };

  void on_secure() override;
  void on_bytes(std::string_view bytes, Nanos received_at) override;
  void on_sent() override { send_waiting(); }
  void on_end(const net::Ending& ending) override;
  void dial();
  void notice_due();
  void send_waiting();
  void post(std::string_view body, std::uint64_t events);
  void answered(Nanos received_at);
  bool repeats() const noexcept { return !config_.repeat_key.empty(); }
  void check_done();
  std::uint64_t event_of(std::uint64_t number) const noexcept {
    return number * config_.publishers + config_.index;
  }

  Loop& loop_;
  std::shared_ptr<const Target> target_;
  std::shared_ptr<const SampleCodec> codec_;
  const Config config_;
  std::atomic<bool> done_{false};
  // The loop's thread from here.
  std::unique_ptr<Link> link_;
  HttpReader reader_;
  base::Backoff backoff_;
  Nanos lost_at_{0};
  Schedule schedule_;
  std::uint64_t end_ = 0;      // numbers of this publisher
  std::uint64_t noticed_ = 0;  // due so far
  std::uint64_t sent_ = 0;     // of them
  std::deque<Request> in_flight_;
  std::optional<base::Millis> retry_hint_;  // of the last refusal
  bool secure_ = false, probing_ = false, running_ = false, stopped_ = false, sending_ = false;
  std::optional<base::Result<void>> probe_result_;
  PublishTally tally_;
};

}  // namespace clawws::bench
