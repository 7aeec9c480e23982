// One client of the load: connects, upgrades, waits for the first frame, then hands over each
// message with the time at which it came. Answers pings. When its connection has ended it may be
// dialled again, which is its fleet's decision.
//
// Lives on its fleet's loop; callbacks come from there. on_ended exactly once for each dial, as the
// last; the next dial comes from a later turn of the loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/bench/follower.hpp"
#include "clawws/bench/frame_scanner.hpp"
#include "clawws/bench/http_reader.hpp"
#include "clawws/bench/ledger.hpp"
#include "clawws/bench/link.hpp"

namespace clawws::bench {

class Subscriber;

struct ConnectTimes {
  Nanos tcp{0}, tls{0}, upgrade{0};
  Nanos first_frame{0};  // from the upgrade's answer to the first message
  Nanos total{0};
};

class SubscriberEvents {
 public:
  // The first message is there. It is handed over too.
  virtual void on_live(Subscriber& subscriber) = 0;
  virtual void on_message(Subscriber& subscriber, std::string_view text, Nanos received_at) = 0;
  // A message that is not text.
  virtual void on_binary(Subscriber& subscriber) = 0;
  virtual void on_ended(Subscriber& subscriber, const net::Ending& ending) = 0;

 protected:
  ~SubscriberEvents() = default;
};

class Subscriber final : public Link::Owner {
 public:
  enum class State : std::uint8_t { idle, connecting, live, leaving, ended };

  Subscriber(Loop& loop, std::shared_ptr<const Target> target, SubscriberEvents& events);

  // `query`: what the request asks for beside the URL's own, as in "since=k3f9c2a1:8812".
  void dial(std::size_t source_index, int receive_buffer_bytes = 0, std::string query = {});
  // Gives up connecting when it has taken longer than `limit`.
  void check_deadline(Nanos now, Nanos limit);
  // Reads nothing any more, as a client that hangs.
  void stall() { link_->stop_reading(); }
  // Close handshake; the end follows. give_up() ends it at once and in silence.
  void leave();
  void give_up();
  // Ends a live connection with a reset, as when a network goes; or for a reason.
  void drop();
  void fail(const net::Ending& ending) { link_->fail(ending); }

  State state() const noexcept { return state_; }
  const ConnectTimes& times() const noexcept { return times_; }
  std::string tls_text() const { return link_->tls_text(); }

  // The fleet's own notes: which of its connections this is, whether it has been there before, and,
  // while it only waits for what was due before it leaves, since and until when.
  std::size_t slot = 0;
  bool is_return = false;
  std::optional<Nanos> leaves_since, leaves_until;
  // Of one that resumes: its place in the stream, whether the generator has dropped it, and, until
  // all that it missed has come, since when it is away.
  std::unique_ptr<Follower> follower;
  bool was_dropped = false;
  std::optional<Nanos> away_since;

  // What a run counts of this connection; the fleet's.
  std::optional<Ledger> ledger;
  std::optional<SmallHistogram> delays;

 private:
  void on_secure() override;
  void on_bytes(std::string_view bytes, Nanos received_at) override;
  void on_sent() override {}
  void on_end(const net::Ending& ending) override;
  void upgraded(Nanos received_at);
  void scan(std::string_view bytes, Nanos received_at);
  void on_close(std::string_view payload);

  Loop& loop_;
  SubscriberEvents& events_;
  std::shared_ptr<const Target> target_;
  std::optional<Link> link_;  // of the last dial
  std::string query_;
  std::unique_ptr<HttpReader> upgrade_;  // until the upgrade is through
  FrameScanner scanner_;
  ConnectTimes times_;
  State state_ = State::idle;
};

}  // namespace clawws::bench
