#include "clawws/client/state_tail.hpp"

#include <signal.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <optional>

#include "clawws/base/flags.hpp"
#include "clawws/base/text.hpp"
#include "clawws/client/notes.hpp"
#include "clawws/client/output.hpp"
#include "clawws/client/state_view.hpp"
#include "clawws/client/tail_limits.hpp"
#include "clawws/net/background_call.hpp"
#include "clawws/net/http_get.hpp"
#include "clawws/wire/state.hpp"

namespace clawws::client {
namespace {

namespace asio = boost::asio;
using base::Errc;
using base::Millis;
using base::SteadyClock;

constexpr Millis k_look_every{250};  // whether something has changed
constexpr int k_looks_until_ages_move = 4;
constexpr Millis k_close_within{500};
constexpr const char* k_clear_screen = "\x1b[H\x1b[2J\x1b[3J";

}  // namespace

class StateTail::Impl final : public SessionEvents {
 public:
  Impl(asio::io_context& io, TailConfig config, const Environment& environment, TailStreams streams)
      : io_(io),
        work_(io.get_executor()),
        config_(std::move(config)),
        streams_(streams),
        approach_(std::make_shared<Approach>(config_.approach, environment)),
        data_kind_(stream_kind(streams.data_fd)),
        as_json_(config_.format.value_or(data_kind_ == StreamKind::terminal ? OutputFormat::pretty : OutputFormat::ndjson) ==
                 OutputFormat::ndjson),
        color_(decide_color(config_.color, data_kind_, environment)),
        notes_color_(decide_color(config_.color, stream_kind(streams.notes_fd), environment)),
        reconnect_(config_.reconnect, 0, SteadyClock::now()),
        timer_(io.get_executor()),
        limit_timer_(io.get_executor()),
        output_({streams.data_fd, streams.notes_fd, config_.queue_bytes}, output_callbacks()) {}

  void start() {
    if (const auto ready = approach_->ask_now(); !ready) {
      fail(ready.error().code, ready.error().message());
      return;
    }
    if (config_.timeout) {
      limit_timer_.expires_after(*config_.timeout);
      limit_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) fail(Errc::timed_out, "--timeout is over");
      });
    }
    fetch();
  }

  void signal(int number) {
    if (number == SIGUSR1) return note(headline());
    if (number == SIGUSR2) {
      if (session_) session_->retry_now();
      return;
    }
    if (signal_ != 0) return io_.stop();
    signal_ = number;
    finish(128 + number);
  }

  TailResult result() const { return {exit_code_, signal_}; }

 private:
  Output::Callbacks output_callbacks() {
    Output::Callbacks callbacks;
    callbacks.level = [](Output::Level) {};  // what is shown is the newest state; nothing piles up
    callbacks.lost = [this](Output::Loss loss, const std::string& text) {
      asio::post(io_, [this, loss, text] {
        if (loss == Output::Loss::reader_left) return finish(0);
        fail(Errc::io, "cannot write to stdout: " + text);
      });
    };
    callbacks.drained = [this] { asio::post(io_, [this] { io_.stop(); }); };
    callbacks.dropped_line = [color = notes_color_](std::uint64_t count) {
      return note_line(dropped_text(count), base::unix_millis(), Mood::warning, color);
    };
    return callbacks;
  }

  // ---- taking the state ------------------------------------------------------------------------

  void fetch() {
    preparing_.emplace(
        io_.get_executor(), [approach = approach_] { return approach->prepare(); },
        [this](base::Result<Attempt> attempt) {
          if (ending_) return;
          if (!attempt) return failed(net::final_ending(net::Phase::connect, attempt.error().code, attempt.error().message()));
          url_ = attempt->target->url.text();
          get_ = std::make_unique<net::HttpGet>(io_.get_executor(), attempt->target);
          get_->start({"/clawws/state", attempt->authorization, "clawws-tail/" + std::string(base::version())},
                      [this](net::HttpGetResult result) { asio::post(io_, [this, result = std::move(result)] { fetched(result); }); });
        });
  }

  void fetched(const net::HttpGetResult& result) {
    get_.reset();
    if (ending_) return;
    if (!result.body) return failed(result.ending);
    auto told = wire::parse_state(*result.body);
    if (!told) return failed(net::final_ending(net::Phase::live, told.error().code, told.error().message()));
    reconnect_.connected(SteadyClock::now());
    reconnect_.progressed();
    reconnect_.alive(SteadyClock::now());
    state_ = std::move(told->state);
    position_ = std::move(told->position);
    if (!config_.follows) {
      show();
      finish(0);
      return;
    }
    changed_ = true;
    link_ = "live";
    subscribe();
    look();
  }

  // Until the first state was taken the rules of a first connect hold, later those of an outage.
  void failed(const net::Ending& ending) {
    const Reconnect::Decision decision = reconnect_.failed(ending, SteadyClock::now());
    if (!decision.again) {
      const std::string search = decision.code == Errc::connect_failed && !config_.approach.url ? approach_->search_note() : "";
      fail(decision.code, decision.reason + (search.empty() ? "" : "; " + search));
      return;
    }
    note(lost_text(ending, decision), Mood::warning);
    timer_.expires_after(decision.delay);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error && !ending_) fetch();
    });
  }

  // ---- following -------------------------------------------------------------------------------

  void subscribe() {
    SessionConfig session;
    session.prepare = [approach = approach_] { return approach->prepare(); };
    session.reconnect = config_.reconnect;
    session.stream.since = {wire::Since::Kind::position, position_, 0};
    session.seed = static_cast<std::uint64_t>(base::unix_millis());
    session_.emplace(io_.get_executor(), std::move(session), static_cast<SessionEvents&>(*this));
    session_->start();
  }

  void on_event(const wire::ServerMessage& message, std::string_view text, const Step&) override {
    position_ = session_->tracker().position();
    changed_ = true;
    if (const auto row = wire::fold_event(message.seq, message.type, text)) state_.apply({&*row, 1});
  }
  void on_welcome(const wire::ServerMessage&) override {
    if (!redraws() && link_ != "live") note("live again");
    say_link("live");
  }
  void on_lost(const net::Ending& ending, const Reconnect::Decision& decision) override {
    say_link("reconnecting: " + base::escape_terminal(ending.what));
    if (!redraws()) note(lost_text(ending, decision), Mood::warning);
  }
  // What was lost may have changed anything.
  void on_gap(const Gap& gap) override {
    if (!redraws()) note(gap_text(gap) + "; the state is taken anew", Mood::warning);
    asio::post(io_, [this] {
      if (ending_) return;
      session_.reset();
      timer_.cancel();
      fetch();
    });
  }
  void on_end(Errc code, const std::string& reason) override {
    if (ending_) return drain();
    fail(code, reason);
  }

  void say_link(std::string text) {
    if (link_ == text) return;
    link_ = std::move(text);
    changed_ = changed_ || redraws();
  }

  // ---- showing ---------------------------------------------------------------------------------

  bool redraws() const { return config_.follows && !as_json_ && data_kind_ == StreamKind::terminal; }

  std::string headline() const { return url_ + "  " + (config_.follows ? link_ + "  " : "") + wire::to_string(position_); }

  void show() {
    changed_ = false;
    looks_ = 0;
    if (as_json_) {
      output_.data(one_json_line(state_.to_json(position_.epoch, position_.seq), data_kind_) + "\n");
      return;
    }
    StateViewConfig view{color_, terminal_width(streams_.data_fd), redraws() ? terminal_rows(streams_.data_fd) : 0};
    if (view.rows > 1) --view.rows;  // the cursor stands below
    output_.data((redraws() ? k_clear_screen : "") + state_table(state_, headline(), base::unix_millis(), view));
  }

  void look() {
    if (ending_) return;
    if (changed_ || (redraws() && ++looks_ >= k_looks_until_ages_move)) show();
    timer_.expires_after(k_look_every);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) look();
    });
  }

  void note(const std::string& text, Mood mood = Mood::plain) {
    if (config_.verbosity == Verbosity::quiet) return;
    output_.note(note_line(text, base::unix_millis(), mood, notes_color_));
  }

  // ---- the end ---------------------------------------------------------------------------------

  void fail(Errc code, const std::string& reason) {
    if (ending_) return;
    output_.note(error_line("clawws tail", reason, notes_color_), Output::Keep::always);
    finish(base::info(code).exit_code);
  }

  void finish(int exit_code) {
    if (ending_) return;
    ending_ = true;
    exit_code_ = exit_code;
    timer_.cancel();
    limit_timer_.cancel();
    preparing_.reset();
    get_.reset();
    if (session_ && session_->state() != SessionState::ended) {
      session_->stop(k_close_within);
    } else {
      drain();
    }
  }

  void drain() { output_.when_drained(); }

  asio::io_context& io_;
  asio::executor_work_guard<Session::Executor> work_;  // the end is io_.stop(), nothing else
  const TailConfig config_;
  const TailStreams streams_;
  std::shared_ptr<Approach> approach_;  // shared with a preparation that may outlive us
  const StreamKind data_kind_;
  const bool as_json_;
  const Color color_, notes_color_;
  Reconnect reconnect_;
  TailTimer timer_, limit_timer_;
  std::optional<net::BackgroundCall<base::Result<Attempt>>> preparing_;
  std::unique_ptr<net::HttpGet> get_;
  std::optional<Session> session_;
  wire::State state_;
  wire::Position position_;
  std::string url_, link_;
  bool changed_ = false;
  int looks_ = 0;
  bool ending_ = false;
  int exit_code_ = 0;
  int signal_ = 0;
  Output output_;
};

StateTail::StateTail(asio::io_context& io, TailConfig config, const Environment& environment, TailStreams streams)
    : impl_(std::make_unique<Impl>(io, std::move(config), environment, streams)) {}
StateTail::~StateTail() = default;
void StateTail::start() { impl_->start(); }
void StateTail::signal(int number) { impl_->signal(number); }
TailResult StateTail::result() const { return impl_->result(); }

}  // namespace clawws::client
