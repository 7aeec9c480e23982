#include "clawws/client/session.hpp"

#include <string.h>
#include <time.h>

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <optional>

#include "clawws/net/background_call.hpp"

namespace clawws::client {
namespace {

namespace asio = boost::asio;
using base::Errc;
using base::Millis;
using base::SteadyClock;
using base::SteadyTime;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>,
                                         net::WsClient::Executor>;

constexpr Millis k_longest_tick{1'000};
constexpr Millis k_first_ask{1'000};
// Pings that ask how far the stream is: after 1, 2, 4 … s, since the server counts messages.
constexpr Millis k_longest_ask{16'000};
constexpr Millis k_welcome_within{5'000};
constexpr Millis k_slept_at_least{2'000};
// A tick this late: the process was stopped, and what came meanwhile is not read yet.
constexpr Millis k_late_tick{5'000};

Millis read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::duration_cast<Millis>(std::chrono::seconds(now.tv_sec) +
                                            std::chrono::nanoseconds(now.tv_nsec));
}

// CLOCK_BOOTTIME goes on while the machine sleeps, CLOCK_MONOTONIC does not.
Millis slept_by_the_kernel() {
  return read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
}

}  // namespace

class Session::Impl : public std::enable_shared_from_this<Session::Impl>, public net::WsEvents {
 public:
  Impl(Executor executor, SessionConfig config, SessionEvents& events)
      : executor_(executor),
        config_(std::move(config)),
        events_(&events),
        reconnect_(config_.reconnect, config_.seed, SteadyClock::now()),
        liveness_(config_.liveness),
        tracker_(config_.stream),
        tick_every_(std::min(
            {k_longest_tick, config_.liveness.ping_every / 4, config_.liveness.answer_within / 4})),
        retry_timer_(executor),
        tick_timer_(executor) {
    if (!config_.slept) config_.slept = slept_by_the_kernel;
  }

  void start() {
    slept_ = config_.slept();
    last_tick_ = SteadyClock::now();
    tick_later();
    attempt();
  }

  void stop(Millis limit) {
    if (state_ == SessionState::ended || state_ == SessionState::closing) return;
    const bool has_link = link_ != nullptr && open_;
    state_ = SessionState::closing;
    retry_timer_.cancel();
    preparing_.reset();
    probe_.reset();
    if (has_link) {
      link_->close(1000, "", limit);
    } else {
      link_.reset();
      asio::post(executor_,
                 [self = shared_from_this()] { self->end(Errc::interrupted, "stopped"); });
    }
  }

  void retry_now() {
    if (state_ == SessionState::waiting) {
      reconnect_.start_afresh(SteadyClock::now());
      retry_due_ = true;
      if (!held_) attempt();
    } else if (state_ == SessionState::live) {
      liveness_.suspect();
      tick();
    }
  }

  void hold() {
    held_ = true;
    if (link_ && open_) {
      link_->pause_reading();
      liveness_.pause();
    }
  }

  void release() {
    held_ = false;
    if (link_ && open_) {
      link_->resume_reading();
      liveness_.resume(SteadyClock::now());
    } else if (state_ == SessionState::waiting && retry_due_) {
      attempt();
    }
  }

  // The owner is gone.
  void detach() {
    events_ = nullptr;
    state_ = SessionState::ended;
    retry_timer_.cancel();
    tick_timer_.cancel();
    preparing_.reset();
    probe_.reset();
    link_.reset();
  }

  SessionState state_ = SessionState::connecting;
  StreamTracker const& tracker() const { return tracker_; }
  std::uint64_t retries() const { return reconnect_.total_retries(); }
  SteadyTime live_since() const { return live_since_; }

 private:
  // Says whether a second way to the server works while the first one is silent.
  struct Probe final : net::WsEvents {
    explicit Probe(Impl& session) : owner(session) {}
    void on_open(const net::WsOpened&) override { owner.probe_ended(Liveness::Probe::worked); }
    void on_text(std::string_view) override {}
    void on_control() override {}
    void on_end(const net::Ending&) override { owner.probe_ended(Liveness::Probe::failed); }

    Impl& owner;
    std::unique_ptr<net::WsClient> link;
  };

  // ---- connecting ------------------------------------------------------------------------------

  void attempt() {
    retry_timer_.cancel();
    retry_due_ = false;
    state_ = SessionState::connecting;
    open_ = false;
    link_.reset();
    if (config_.prepare_on == SessionConfig::Prepare::inline_) {
      // Not from inside start() or a callback of the link that ended.
      asio::post(executor_,
                 [self = shared_from_this()] { self->prepared(self->config_.prepare()); });
      return;
    }
    preparing_.emplace(executor_, config_.prepare,
                       [self = shared_from_this()](base::Result<Attempt> result) {
                         self->preparing_.reset();
                         self->prepared(std::move(result));
                       });
  }

  void prepared(base::Result<Attempt> result) {
    if (state_ != SessionState::connecting) return;
    if (!result) {
      // At first it is a mistake to be told; later the file may only be away for a moment.
      const auto& error = result.error();
      on_end(reconnect_.ever_connected()
                 ? net::passing(net::Phase::resolve, error.message(), error.code)
                 : net::final_ending(net::Phase::resolve, error.code, error.message()));
      return;
    }
    if (events_ != nullptr) events_->on_attempt(*result);
    net::WsRequest request;
    const std::string query = tracker_.begin();
    request.target = result->target->url.path + (query.empty() ? "" : "?" + query);
    request.subprotocols = "clawws.v1";
    if (!result->authorization.empty())
      request.headers.emplace_back("Authorization", std::move(result->authorization));
    request.local_address = result->local_address;
    target_ = result->target;
    is_outdated_ = std::move(result->is_outdated);
    link_ = std::make_unique<net::WsClient>(executor_, target_, *this);
    link_->connect(std::move(request));
  }

  // ---- net::WsEvents ---------------------------------------------------------------------------

  void on_open(const net::WsOpened& opened) override {
    open_ = true;
    opened_at_ = SteadyClock::now();
    liveness_.start(opened_at_);
    if (held_) hold();
    if (events_ != nullptr) events_->on_open(opened);
  }

  void on_control() override { heard(); }

  void on_text(std::string_view text) override {
    if (state_ == SessionState::closing) return;
    const auto message = wire::parse_server_message(text);
    if (!message) {
      give_up_on_peer("the server sent what is no message: " + message.error().message());
      return;
    }
    const Step step = tracker_.message(*message);
    if (step.kind == Step::Kind::violation) {
      give_up_on_peer("this is no clawws server: " + step.problem);
      return;
    }
    if (step.kind == Step::Kind::welcome) {
      state_ = SessionState::live;
      live_since_ = SteadyClock::now();
      reconnect_.connected(live_since_);
      if (events_ != nullptr) events_->on_welcome(*message);
      ask_every_ = k_first_ask;
      ask_at_ = live_since_;
      ask_how_far();
    }
    heard();
    report(*message, text, step);
  }

  void report(const wire::ServerMessage& message, std::string_view text, const Step& step) {
    if (step.kind == Step::Kind::event || step.caught_up) reconnect_.progressed();
    if (step.gap && events_ != nullptr) events_->on_gap(*step.gap);
    if (step.kind == Step::Kind::event && events_ != nullptr)
      events_->on_event(message, text, step);
    if (step.kind != Step::Kind::event && tracker_.has_position() && events_ != nullptr)
      events_->on_position(tracker_.position());
    if (step.caught_up && events_ != nullptr && state_ == SessionState::live)
      events_->on_caught_up(*step.caught_up);
  }

  void on_end(const net::Ending& ending) override {
    open_ = false;
    probe_.reset();
    if (state_ == SessionState::closing) {
      end(Errc::interrupted, "stopped");
      return;
    }
    const bool may_be_trusted_now =
        ending.code == Errc::tls && ending.again == net::Again::never && is_outdated_ && is_outdated_();
    const auto decision =
        reconnect_.failed(may_be_trusted_now ? net::passing(ending.phase, ending.what, ending.code) : ending, SteadyClock::now());
    if (!decision.again) {
      end(decision.code, decision.reason);
      return;
    }
    state_ = SessionState::waiting;
    if (events_ != nullptr) events_->on_lost(ending, decision);
    wait_for(decision.delay);
  }

  void wait_for(Millis delay) {
    if (state_ != SessionState::waiting) return;  // the owner stopped it meanwhile
    retry_due_ = false;
    retry_timer_.expires_after(delay);
    retry_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->state_ != SessionState::waiting) return;
      self->retry_due_ = true;
      if (!self->held_) self->attempt();
    });
  }

  void give_up_on_peer(const std::string& what) {
    link_->abort(net::final_ending(net::Phase::live, Errc::protocol, what));
  }

  void end(Errc code, const std::string& reason) {
    if (state_ == SessionState::ended) return;
    state_ = SessionState::ended;
    retry_timer_.cancel();
    tick_timer_.cancel();
    if (SessionEvents* events = std::exchange(events_, nullptr)) events->on_end(code, reason);
  }

  // ---- staying alive ---------------------------------------------------------------------------

  void heard() {
    const SteadyTime now = SteadyClock::now();
    liveness_.heard(now);
    if (tracker_.welcomed()) reconnect_.alive(now);
  }

  void tick_later() {
    tick_timer_.expires_after(tick_every_);
    tick_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->state_ == SessionState::ended) return;
      self->tick();
      self->tick_later();
    });
  }

  void tick() {
    const SteadyTime now = SteadyClock::now();
    const bool was_stopped = now - last_tick_ > k_late_tick;
    last_tick_ = now;
    const Millis slept = config_.slept();
    const Millis just_now = slept - slept_;
    slept_ = slept;
    if (just_now >= k_slept_at_least) {
      woke_up(just_now, now);
      return;
    }
    if (!open_ || !link_) return;
    if (!tracker_.welcomed() && now - opened_at_ > k_welcome_within && !held_) {
      link_->abort(net::passing(net::Phase::live, "the server accepted, but sent no first frame"));
      return;
    }
    if (was_stopped) {
      liveness_.start(now);
      liveness_.suspect();
      if (held_) liveness_.pause();
    }
    ask_how_far();
    switch (liveness_.tick(now)) {
      case Liveness::Action::none:
        return;
      case Liveness::Action::ping:
        link_->ping();
        return;
      case Liveness::Action::probe:
        start_probe();
        return;
      case Liveness::Action::dead:
        link_->abort(net::passing(
            net::Phase::live, "no byte for " + base::format_duration(config_.liveness.dead_after)));
    }
  }

  void ask_how_far() {
    const SteadyTime now = SteadyClock::now();
    if (!tracker_.wants_ping() || now < ask_at_) return;
    ask_at_ = now + ask_every_;
    ask_every_ = std::min(ask_every_ * 2, k_longest_ask);
    link_->send_text(wire::encode_ping(base::unix_millis()));
  }

  // A link that was up before the machine slept is as good as gone, and a wait has lost its reason.
  void woke_up(Millis slept, SteadyTime now) {
    reconnect_.start_afresh(now);
    if (open_ && link_)
      link_->abort(
          net::passing(net::Phase::live, "this machine slept for " + base::format_duration(slept)));
    else if (state_ == SessionState::waiting && !held_)
      attempt();
  }

  void start_probe() {
    probe_ = std::make_unique<Probe>(*this);
    probe_->link = std::make_unique<net::WsClient>(executor_, target_, *probe_);
    net::WsRequest request;
    request.depth = net::WsRequest::Depth::tls;
    probe_->link->connect(std::move(request));
  }

  void probe_ended(Liveness::Probe outcome) {
    // It is inside the probe's own callback: let that return first.
    asio::post(executor_, [self = shared_from_this()] { self->probe_.reset(); });
    if (liveness_.probe_ended(outcome) == Liveness::Verdict::leave && open_ && link_)
      link_->abort(
          net::passing(net::Phase::live, "no answer to a ping, while a new connection gets one"));
  }

  Executor executor_;
  SessionConfig config_;
  SessionEvents* events_;  // null once nothing may be said any more
  Reconnect reconnect_;
  Liveness liveness_;
  StreamTracker tracker_;
  const Millis tick_every_;
  Timer retry_timer_, tick_timer_;
  std::optional<net::BackgroundCall<base::Result<Attempt>>> preparing_;
  std::shared_ptr<const net::WsTarget> target_;
  std::function<bool()> is_outdated_;  // of the present attempt
  std::unique_ptr<net::WsClient> link_;
  std::unique_ptr<Probe> probe_;
  SteadyTime opened_at_{}, live_since_{}, last_tick_{};
  SteadyTime ask_at_{};
  Millis ask_every_{0};
  Millis slept_{0};
  bool open_ = false;  // the link's upgrade is through and it has not ended
  bool held_ = false;
  bool retry_due_ = false;  // the back-off is over, only hold() keeps it from starting
};

Session::Session(Executor executor, SessionConfig config, SessionEvents& events)
    : impl_(std::make_shared<Impl>(executor, std::move(config), events)) {}
Session::~Session() {
  impl_->detach();
}
void Session::start() {
  impl_->start();
}
void Session::stop(Millis limit) {
  impl_->stop(limit);
}
void Session::retry_now() {
  impl_->retry_now();
}
void Session::hold() {
  impl_->hold();
}
void Session::release() {
  impl_->release();
}
SessionState Session::state() const noexcept {
  return impl_->state_;
}
const StreamTracker& Session::tracker() const noexcept {
  return impl_->tracker();
}
std::uint64_t Session::retries() const noexcept {
  return impl_->retries();
}
SteadyTime Session::live_since() const noexcept {
  return impl_->live_since();
}

}  // namespace clawws::client
