// Many subscribers on one loop, and what they count together. A run has a fleet for each worker
// thread, one of canaries on a thread of its own, and for some scenarios one of stalled readers.
//
// The controller's thread calls; work happens on the loop. Numbers in progress() are atomics, read
// at any time; tally() is asked once, when all is over.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clawws/bench/plan.hpp"
#include "clawws/bench/sample.hpp"
#include "clawws/bench/schedule.hpp"
#include "clawws/bench/subscriber.hpp"

namespace clawws::bench {

// How connections are opened: number i at start + i * interval, and no more than `most_at_once`
// under way.
struct Ramp {
  Nanos begin{0};  // of the whole run's ramp
  Nanos start{0};
  Nanos interval{0};
  std::size_t most_at_once = 256;
  Nanos limit{std::chrono::seconds(30)};  // for one connection
};

// What is going to be published, and which of it is counted. Shared by all fleets.
struct Measure {
  std::shared_ptr<const SampleCodec> codec;
  CountLost count_lost = CountLost::in;
  std::uint32_t publishers = 1;
  std::uint64_t warm_up = 0;  // events before the first that counts
  std::uint64_t total = 0;    // with them
  std::uint64_t split = 0;    // from this event on another window; `total`: there is none
  std::size_t window = 1;     // which of Tally::delivery that is

  double events_a_row = 0;  // of the time series; 0: there is none

  // Row of the time series that an event which counts was due in.
  std::size_t row_of(std::uint64_t event) const noexcept {
    return static_cast<std::size_t>(static_cast<double>(event - warm_up) / events_a_row);
  }
  // Event e is number e / publishers of publisher e % publishers.
  std::vector<Ledger::Stream> streams() const;
  // How many of publisher p's events lie below an event.
  std::uint64_t numbers_below(std::uint64_t event, std::uint32_t p) const noexcept {
    return event > p ? (event - p + publishers - 1) / publishers : 0;
  }
};

// When an event reached the fleet's connections.
struct EventMark {
  Nanos first{Nanos::max()};  // after its intended time
  Nanos last{0};
  std::uint32_t receivers = 0;
};

// Clients leave one after the other, each `interval` from `start`, and come back at once.
struct Churn {
  Schedule schedule;  // of the events
  Nanos start{0}, interval{0};
  Nanos linger{0};  // at most so long a leaving client waits for what was due to it
};

// Of clients that lost their connection and came back to where they were.
struct Comeback {
  Histogram
      live_again;      // from the loss, or from being let back, until all that was missed was there
  Histogram catch_up;  // from the first frame until then
  Histogram replayed;  // delivery latency of what was missed
  std::uint64_t lost = 0;      // connections
  std::uint64_t not_back = 0;  // of the clients, at the end
  std::uint64_t dropped = 0;   // events that came again, known by their position; in no ledger
  std::uint64_t gaps = 0;
  Nanos last_back{0};  // when the last was live again; steady clock

  void add(const Comeback& other);
};

// Everything that a fleet counted. Fleets' tallies add up.
struct Tally {
  Histogram connect, tcp, tls, upgrade, first_frame;
  Histogram live_at;  // when connections became live, from the ramp's begin
  // Not of what was replayed: of events before Measure::split; of the second half, or of those that
  // stayed while others caught up; of all else.
  Histogram delivery[3];
  std::vector<EventMark> events;                    // those that count
  std::vector<std::optional<SmallHistogram>> rows;  // of deliveries, by when they were due
  LedgerCounts ledger;
  std::vector<std::optional<Nanos>> p99s;  // of each connection; nothing: beyond, by lost ones
  std::uint64_t recorded = 0;              // deliveries in the histograms
  std::uint64_t corrupt = 0;               // changed on the way, or not text
  std::uint64_t unknown = 0;               // samples of this run that were never sent
  std::uint64_t measured = 0;              // connections with a ledger
  std::uint64_t cut = 0;                   // of them, ended before the close
  // Churn: how many more clients than `measured` expect an event than expect the one before it.
  std::vector<std::int64_t> due;
  Histogram returns;                 // connection times of those that came back
  std::uint64_t returns_failed = 0;  // attempts to
  std::optional<Comeback> comeback;  // of fleets whose clients resume
  std::map<std::string, std::uint64_t> connect_failures, return_failures, cut_reasons;
  std::optional<net::Ending> first_failure;

  void add(const Tally& other);
};

class Fleet final : public SubscriberEvents {
 public:
  struct Config {
    std::size_t connections = 0;
    std::size_t first_source = 0;  // of source_address
    int receive_buffer_bytes = 0;
    // Whether a client that loses its connection comes back to where it was.
    enum class Afterwards : std::uint8_t { stay_away, resume } afterwards = Afterwards::stay_away;
    Nanos return_limit{0};   // for one attempt to
    std::uint64_t seed = 0;  // of the delays before them
  };
  struct Progress {
    std::atomic<std::uint64_t> dialled{0}, live{0}, failed{0}, ended{0};  // ended: once live
    std::atomic<std::uint64_t> delivered{0}, missing{0};
    std::atomic<std::uint64_t> overtaken{0};  // of `missing`: a later one of its publisher has come
    std::atomic<std::uint64_t> lost{0};       // connections, of clients that resume
    std::atomic<std::uint64_t> away{0};       // clients that have not all again that they missed
  };

  Fleet(Loop& loop, std::shared_ptr<const Target> target, const Config& config);
  ~Fleet();

  // ---- the controller's thread ----
  void connect(const Ramp& ramp);
  // Each connection was opened or has failed.
  bool settled() const noexcept { return progress_.live + progress_.failed >= config_.connections; }
  // From now on messages are counted, for the connections that are live.
  void begin(const Measure& measure);
  void end();
  // What was never sent was not expected either: publisher p has sent the numbers below ends[p].
  void shorten(const std::vector<std::uint64_t>& ends);
  void stall();
  // After begin(). A client that leaves takes what was due to it before, and what is due while it
  // is away is not expected. One that is cut does not come back.
  void churn(const Churn& churn);
  void end_churn();
  // The first `count` live clients lose their connection. They come back by themselves, or not
  // before call_back(); `away` counts them from now on.
  enum class Return : std::uint8_t { by_itself, when_called };
  void drop(std::size_t count, Return how);
  void call_back();
  // Until it is over, live deliveries to clients that were not dropped have a window of their own.
  enum class CatchUp : std::uint8_t { under_way, over };
  void mark(CatchUp state);
  // Close handshakes; then gone() soon holds. abandon() ends what is left.
  void leave();
  void abandon();
  bool gone() const noexcept { return progress_.live == progress_.ended; }
  const Progress& progress() const noexcept { return progress_; }
  std::size_t size() const noexcept { return config_.connections; }
  // A copy of the delivery times so far, all windows together.
  Histogram delivery_so_far();
  Tally tally();

 private:
  void on_live(Subscriber& subscriber) override;
  void on_message(Subscriber& subscriber, std::string_view text, Nanos received_at) override;
  void on_binary(Subscriber& subscriber) override;
  void on_ended(Subscriber& subscriber, const net::Ending& ending) override;
  void dial_due();
  void check_deadlines();
  void plan_check();

  void churn_due();
  void send_away(Nanos now);
  void depart(Subscriber& subscriber);
  void come_back(std::size_t slot);
  void returned(Subscriber& subscriber);
  void shift_due(std::uint64_t event, std::int64_t by);
  void fold(const Subscriber& subscriber);

  Follower::Heard follow(Subscriber& subscriber, std::string_view text, Nanos received_at);
  void lost(Subscriber& subscriber, const net::Ending& ending);
  void try_again(Subscriber& subscriber, const net::Ending& ending);

  Loop& loop_;
  std::shared_ptr<const Target> target_;
  const Config config_;
  Progress progress_;
  // The loop's thread from here.
  Ramp ramp_;
  Measure measure_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::size_t next_ = 0;  // to be dialled
  std::size_t dialling_ = 0;
  bool dial_planned_ = false;
  bool check_planned_ = false;
  bool counting_ = false;
  bool leaving_ = false;
  bool churning_ = false;
  Churn churn_;
  std::uint64_t sent_away_ = 0;
  std::size_t next_away_ = 0;              // slot
  std::vector<Subscriber*> on_their_way_;  // leaving, and still waiting for what was due
  enum class Dropping : std::uint8_t { nobody, by_itself, when_called };
  Dropping dropping_ = Dropping::nobody;
  CatchUp catch_up_ = CatchUp::over;
  Tally tally_;
};

}  // namespace clawws::bench
