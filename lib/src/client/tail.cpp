#include "clawws/client/tail.hpp"

#include <signal.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <optional>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/client/cursor_keeper.hpp"
#include "clawws/client/meta.hpp"
#include "clawws/client/notes.hpp"
#include "clawws/client/output.hpp"
#include "clawws/client/status_line.hpp"
#include "clawws/client/tail_limits.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::client {
namespace {

namespace asio = boost::asio;
using base::Errc;
using base::Millis;
using base::SteadyClock;
using base::SteadyTime;

constexpr Millis k_status_every{250};
constexpr Millis k_close_within{500};
// A reader that left must not be kept waiting: its shell waits for us.
constexpr Millis k_close_for_nobody{100};
// After a signal or a timeout a blocked reader gets this much time, no more.
constexpr Millis k_drain_within{1'000};

std::uint64_t random_seed() {
  const std::string bytes = base::random_bytes(sizeof(std::uint64_t));
  std::uint64_t seed = 0;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&seed));
  return seed;
}

// bench.sample is shown only when asked for by name: by a glob that is more than `*`.
bool is_asked_by_name(const std::vector<std::string>& globs, std::string_view type) {
  return std::any_of(globs.begin(), globs.end(), [type](const std::string& glob) {
    return glob != "*" && wire::glob_match(glob, type);
  });
}

}  // namespace

class Tail::Impl final : public SessionEvents {
 public:
  Impl(asio::io_context& io, TailConfig config, Environment environment, TailStreams streams)
      : io_(io),
        work_(io.get_executor()),
        config_(std::move(config)),
        streams_(streams),
        approach_(std::make_shared<Approach>(config_.approach, environment)),
        data_kind_(stream_kind(streams.data_fd)),
        renderer_(render_config(environment)),
        notes_color_(decide_color(config_.color, stream_kind(streams.notes_fd), environment)),
        shows_bench_(is_asked_by_name(config_.stream.types, wire::k_bench_type)),
        shows_status_(decide_status()),
        limits_(io.get_executor(), config_, [this](TailLimits::Limit limit) { over(limit); }),
        status_timer_(io.get_executor()),
        drain_timer_(io.get_executor()),
        output_({streams.data_fd, streams.notes_fd, config_.queue_bytes}, output_callbacks()) {}

  void start() {
    if (const auto ready = prepare(); !ready) {
      fail(ready.error(), Patience::endless);
      return;
    }
    for (const std::string& warning : type_warnings(config_.stream.types)) note(warning);
    SessionConfig session;
    session.prepare = [approach = approach_] { return approach->prepare(); };
    session.reconnect = config_.reconnect;
    session.stream = config_.stream;
    if (config_.since_ago)
      session.stream.since = {
          wire::Since::Kind::time, {}, base::unix_millis() - config_.since_ago->count()};
    if (!resume_from_cursor(session.stream)) return;
    session.seed = random_seed();
    session_.emplace(io_.get_executor(), std::move(session), *this);
    limits_.start();
    if (shows_status_) show_status();
    session_->start();
  }

  void signal(int number) {
    if (number == SIGUSR1) {
      output_.note(status_.summary(status_view(), SteadyClock::now()) + "\n");
    } else if (number == SIGUSR2) {
      if (session_ && !ending_) session_->retry_now();
    } else if (signal_ != 0) {
      leave();  // the second time: at once
    } else {
      signal_ = number;
      if (ending_)
        drain(Patience::short_);
      else
        finish(128 + number, Patience::short_);
    }
  }

  TailResult result() const { return {exit_code_, signal_}; }

 private:
  // How long the reader of stdout may take for what is still queued.
  enum class Patience : std::uint8_t { none, short_, endless };

  // What can fail before anything is connected.
  base::Result<void> prepare() {
    if (config_.cursor_file) {
      auto cursor = Cursor::open(*config_.cursor_file);
      if (!cursor) return cursor.error();
      keeper_.emplace(io_.get_executor(), std::move(*cursor),
                      CursorKeeper::Surroundings{
                          [this] { return output_.data_taken(); },
                          [this](const std::string& text, Mood mood) { note(text, mood); }});
    }
    return approach_->ask_now();
  }

  // What the file says beats the options; at the first run a position among them goes into it.
  bool resume_from_cursor(StreamRequest& stream) {
    if (!keeper_) return true;
    if (const auto& found = keeper_->cursor().found()) {
      stream.since = {wire::Since::Kind::position, *found, 0};
      stream.last.reset();
      note("going on after " + wire::to_string(*found) + " (" + config_.cursor_file->string() +
           ")");
      return true;
    }
    return stream.since.kind != wire::Since::Kind::position || keep_place(stream.since.position);
  }

  RenderConfig render_config(const Environment& environment) const {
    RenderConfig render;
    render.stream = data_kind_;
    const bool is_terminal = data_kind_ == StreamKind::terminal;
    render.format =
        config_.format.value_or(is_terminal ? OutputFormat::pretty : OutputFormat::ndjson);
    render.time = config_.time;
    render.color = decide_color(config_.color, render.stream, environment);
    render.width = terminal_width(streams_.data_fd);
    return render;
  }

  bool decide_status() const {
    if (config_.status != StatusChoice::automatic) return config_.status == StatusChoice::always;
    return config_.verbosity != Verbosity::quiet &&
           stream_kind(streams_.notes_fd) == StreamKind::terminal;
  }

  // They come on other threads; here they become turns of the loop.
  Output::Callbacks output_callbacks() {
    Output::Callbacks callbacks;
    callbacks.level = [this](Output::Level level) {
      asio::post(io_, [this, level] {
        held_ = level == Output::Level::high;
        if (!session_ || ending_) return;
        if (held_)
          session_->hold();
        else
          session_->release();
      });
    };
    callbacks.lost = [this](Output::Loss loss, const std::string& text) {
      asio::post(io_, [this, loss, text] { output_lost(loss, text); });
    };
    callbacks.drained = [this] { asio::post(io_, [this] { drained(); }); };
    callbacks.dropped_line = [color = notes_color_](std::uint64_t count) {
      return note_line(dropped_text(count), base::unix_millis(), Mood::warning, color);
    };
    return callbacks;
  }

  // ---- SessionEvents ---------------------------------------------------------------------------

  void on_attempt(const Attempt& attempt) override {
    url_ = attempt.target->url.text();
    if (config_.verbosity == Verbosity::verbose)
      note("connecting to " + url_ + (attempt.note.empty() ? "" : " (" + attempt.note + ")"));
    if (attempt.target->tls.verify == net::ClientTlsConfig::Verify::none &&
        attempt.target->tls.pins.empty() && !warned_insecure_) {
      warned_insecure_ = true;
      note("the server's certificate is not verified (--insecure)");
    }
  }

  void on_open(const net::WsOpened& opened) override {
    if (config_.verbosity == Verbosity::verbose) note(opened_text(opened));
  }

  void on_welcome(const wire::ServerMessage& welcome) override {
    limits_.connected();
    ever_welcomed_ = is_connected_ = true;
    record([&](std::int64_t now) { return connected_record(now, url_, welcome); });
    if (config_.verbosity == Verbosity::verbose)
      note("accepted as " + base::escape_terminal(welcome.user_id) + " by " +
           base::escape_terminal(welcome.server));
  }

  void on_event(const wire::ServerMessage& message, std::string_view text,
                const Step& step) override {
    outage_.over();
    if (ending_) return;
    // Before the first event of a stream that began in the past: from here on a kill repeats it.
    const wire::Position& here = session_->tracker().position();
    const bool is_first = keeper_ && !keeper_->cursor().has_place();
    if (is_first && !keep_place({here.epoch, message.seq - 1})) return;
    if (message.type != wire::k_bench_type || shows_bench_) show(message, text, step);
    keep_place(here);
    if (config_.count && status_.events() >= *config_.count) finish(0, Patience::endless);
  }

  void show(const wire::ServerMessage& message, std::string_view text, const Step& step) {
    const std::int64_t now_millis = base::unix_millis();
    if (data_kind_ == StreamKind::terminal) renderer_.set_width(terminal_width(streams_.data_fd));
    give(renderer_.line(message, text, now_millis));
    const SteadyTime now = SteadyClock::now();
    limits_.event(now);
    std::optional<Millis> lag;
    if (!step.is_replay)
      if (const auto at = base::parse_rfc3339(message.timestamp)) lag = Millis(now_millis - *at);
    status_.event(now, lag);
  }

  void on_gap(const Gap& gap) override {
    lost_.add(gap);
    if (config_.on_gap == TailConfig::OnGap::ignore) return;
    record([&](std::int64_t now) { return gap_record(now, gap); });
    if (config_.on_gap == TailConfig::OnGap::report) {
      note(gap_text(gap), Mood::bad);
      return;
    }
    // Told once: the next run goes on behind it.
    keep_place(gap.goes_on_after());
    fail(base::Error(Errc::events_lost, gap_text(gap) + " (--on-gap exit)"), Patience::endless);
  }

  void on_position(const wire::Position& position) override {
    if (!ending_) keep_place(position);
  }

  void on_caught_up(const CaughtUp& caught_up) override {
    outage_.over();
    record([&](std::int64_t now) {
      return live_record(now, caught_up, session_->tracker().position(), lost_);
    });
    note(caught_up_text(caught_up, session_->tracker().position(), lost_, url_));
    lost_ = {};
    if (config_.until == TailConfig::End::caught_up) finish(0, Patience::endless);
  }

  void on_lost(const net::Ending& ending, const Reconnect::Decision& decision) override {
    disconnected(ending.what, decision.delay);
    const SteadyTime now = SteadyClock::now();
    retry_at_ = now + decision.delay;
    const auto every = config_.verbosity == Verbosity::verbose ? OutageNotes::Every::attempt
                       : shows_status_                         ? OutageNotes::Every::reason
                                                               : OutageNotes::Every::minute;
    if (const auto text = outage_.lost(ending, decision, now, every)) note(*text, Mood::warning);
  }

  void on_end(Errc code, const std::string& reason) override {
    session_over_ = true;
    if (!ending_) {
      disconnected(reason, std::nullopt);
      // Nobody said where to go, and nobody is there: say where a local server was looked for.
      const bool lost_its_way =
          code == Errc::connect_failed && !config_.approach.url && !ever_welcomed_;
      const std::string search = lost_its_way ? approach_->search_note() : "";
      say_end(code, search.empty() ? reason : reason + "; " + search);
      exit_code_ = base::info(code).exit_code;
      ending_ = true;
      patience_ = Patience::endless;
    }
    drain(patience_);
  }

  // ---- the end ---------------------------------------------------------------------------------

  void finish(int exit_code, Patience patience) {
    if (ending_) return;
    ending_ = true;
    exit_code_ = exit_code;
    patience_ = patience;
    if (session_ && !session_over_)
      session_->stop(patience == Patience::none ? k_close_for_nobody : k_close_within);
    else
      drain(patience);
  }

  void drain(Patience patience) {
    output_.status("");
    status_timer_.cancel();
    limits_.cancel();
    if (patience == Patience::none) {
      leave();
      return;
    }
    output_.when_drained();
    if (patience == Patience::endless) return;
    drain_timer_.expires_after(k_drain_within);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) leave();
    });
  }

  void output_lost(Output::Loss loss, const std::string& text) {
    if (loss == Output::Loss::reader_left) {
      finish(0, Patience::none);
      return;
    }
    say_end(Errc::io, "cannot write to stdout: " + text);
    if (ending_) {
      // The end that was asked for was reached by what was received, not by what was written.
      if (exit_code_ == 0) exit_code_ = base::info(Errc::io).exit_code;
      drain_again_ = true;
      return;
    }
    finish(base::info(Errc::io).exit_code, Patience::short_);
  }

  void drained() {
    if (std::exchange(drain_again_, false))
      output_.when_drained();  // that stdout was lost has still to be said
    else if (keep_last_place())
      io_.stop();
    else
      output_.when_drained();
  }

  // Without waiting for the output any longer.
  void leave() {
    keep_last_place();
    io_.stop();
  }

  void fail(const base::Error& error, Patience patience) {
    say_end(error.code, error.message());
    finish(base::info(error.code).exit_code, patience);
  }

  void say_end(Errc code, const std::string& reason) {
    if (code == Errc::interrupted) return;
    output_.note(error_line("clawws tail", reason, notes_color_), Output::Keep::always);
  }

  void over(TailLimits::Limit limit) {
    if (ending_) return;
    if (limit == TailLimits::Limit::run_for) {
      const StreamTracker& tracker = session_->tracker();
      if (tracker.catching_up()) {
        std::optional<wire::Position> position;
        if (tracker.has_position()) position = tracker.position();
        say_end(Errc::timed_out, cut_short_text(status_.events(), position, tracker.target()));
      }
      finish(0, Patience::endless);
      return;
    }
    const char* const name = limit == TailLimits::Limit::timeout ? "--timeout" : "--idle-timeout";
    fail(base::Error(Errc::timed_out, std::string(name) + " is over after " +
                                          base::format_count(status_.events()) +
                                          (status_.events() == 1 ? " event" : " events")),
         Patience::short_);
  }

  // ---- stdout and the place in the stream ------------------------------------------------------

  void give(std::string_view lines) {
    output_.data(lines);
    given_bytes_ += lines.size();
  }

  template <class Make>
  void record(Make make) {
    if (config_.meta == TailConfig::Meta::none || ending_) return;
    give(one_json_line(make(base::unix_millis()), data_kind_) + "\n");
  }

  // `retry_in`: nothing when this was the end.
  void disconnected(const std::string& reason, std::optional<Millis> retry_in) {
    if (!std::exchange(is_connected_, false)) return;
    record([&](std::int64_t now) { return disconnected_record(now, reason, retry_in); });
  }

  // All up to `position` is on its way to stdout. False when no place can be kept, which is the
  // end.
  bool keep_place(const wire::Position& position) {
    if (!keeper_) return true;
    const auto kept = keeper_->moved(position, given_bytes_);
    if (!kept) fail(kept.error(), Patience::short_);
    return kept.has_value();
  }

  // False when it failed, which has been said then.
  bool keep_last_place() {
    if (!keeper_) return true;
    const auto kept = keeper_->finish();
    if (kept) return true;
    say_end(kept.error().code, kept.error().message());
    if (exit_code_ == 0) exit_code_ = base::info(kept.error().code).exit_code;
    return false;
  }

  // ---- notes and status ------------------------------------------------------------------------

  void note(const std::string& text, Mood mood = Mood::plain) {
    if (config_.verbosity == Verbosity::quiet) return;
    output_.note(note_line(text, base::unix_millis(), mood, notes_color_));
  }

  StatusLine::View status_view() const {
    StatusLine::View view;
    if (!session_) return view;
    const SteadyTime now = SteadyClock::now();
    view.state = session_->state();
    view.held = held_;
    view.retries = session_->retries();
    if (session_->tracker().has_position()) {
      view.seq = session_->tracker().position().seq;
      view.position = wire::to_string(session_->tracker().position());
    }
    view.up = std::chrono::duration_cast<Millis>(now - session_->live_since());
    view.retry_in = std::max(Millis(0), std::chrono::duration_cast<Millis>(retry_at_ - now));
    return view;
  }

  void show_status() {
    const std::size_t width = terminal_width(streams_.notes_fd);
    const std::string line = status_.line(status_view(), SteadyClock::now());
    // One column less than there are: a full line would wrap and could not be erased.
    output_.status(width > 1 ? fit(line, width - 1) : line);
    status_timer_.expires_after(k_status_every);
    status_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error && !ending_) show_status();
    });
  }

  asio::io_context& io_;
  asio::executor_work_guard<Session::Executor> work_;  // the end is io_.stop(), nothing else
  TailConfig config_;
  TailStreams streams_;
  std::shared_ptr<Approach> approach_;  // shared with a preparation that may outlive us
  const StreamKind data_kind_;
  Renderer renderer_;
  Color notes_color_;
  const bool shows_bench_;
  const bool shows_status_;
  StatusLine status_;
  std::optional<Session> session_;
  std::uint64_t given_bytes_ = 0;  // to stdout
  TailLimits limits_;
  TailTimer status_timer_, drain_timer_;
  SteadyTime retry_at_{};
  std::string url_;
  OutageNotes outage_;
  LossCount lost_;  // since the stream was last complete
  Patience patience_ = Patience::endless;
  int exit_code_ = 0;
  int signal_ = 0;
  bool ending_ = false;
  bool session_over_ = false;
  bool held_ = false;
  bool drain_again_ = false;
  bool warned_insecure_ = false;
  bool ever_welcomed_ = false;
  bool is_connected_ = false;  // as the stream's records say
  std::optional<CursorKeeper> keeper_;
  Output output_;  // last: its thread ends before what its callbacks use
};

Tail::Tail(asio::io_context& io, TailConfig config, Environment environment, TailStreams streams)
    : impl_(std::make_unique<Impl>(io, std::move(config), std::move(environment), streams)) {}
Tail::~Tail() = default;
void Tail::start() {
  impl_->start();
}
void Tail::signal(int number) {
  impl_->signal(number);
}
TailResult Tail::result() const {
  return impl_->result();
}

}  // namespace clawws::client
