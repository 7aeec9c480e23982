// The sending side of a session: the flush, the control queue, the timers and the end.
#include "clawws/server/session.hpp"

#include <boost/asio/error.hpp>
#include <utility>

#include "clawws/base/text.hpp"
#include "clawws/base/assert.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/frame.hpp"
#include "clawws/wire/sse.hpp"

namespace clawws::server {

using base::Millis;
using base::SteadyClock;
using base::SteadyTime;
using net::IoResult;
using net::IoStatus;

namespace {

constexpr std::size_t k_logged_filter_bytes = 200;  // of a client's filter

constexpr std::size_t k_record_bytes = 16 * 1024;       // the largest TLS record
constexpr Millis k_idle_limit{60'000};                  // no byte from the peer
constexpr Millis k_close_limit{2'000};                  // for the peer's close frame
constexpr Millis k_position_interval{25'000};           // a `position` frame at the latest
constexpr Millis k_heartbeat{20'000};                   // of an event stream, at most
constexpr std::uint64_t k_position_step = 1'000;        // events that the cursor may move unsaid
constexpr std::size_t k_keep_control_bytes = 256;       // capacity that an idle session may hold

// ClawPanel's hook takes these for the end and does not come back: see clawws-protocol(7).
bool ends_clawpanel_for_good(std::uint16_t code) {
  return code == 1001 || code == 1008 || code == 1011 || code == 1012 || code == 1013 || code == 4008;
}

}  // namespace

Session::Session(Shard& shard, net::TlsStream stream, Opening opening)
    : shard_(shard),
      stream_(std::move(stream)),
      identity_(std::move(opening.identity)),
      peer_(std::move(opening.peer)),
      dialect_(opening.dialect),
      permit_(std::move(opening.permit)),
      reader_(wire::FrameLimits{}),
      messages_(shard.config().message_rate, shard.config().message_rate, SteadyClock::now()),
      control_frames_(120, 120, SteadyClock::now()),
      bad_messages_(9, 9, SteadyClock::now()),
      opened_at_(SteadyClock::now()),
      last_received_(opened_at_),
      progress_at_(opened_at_),
      last_text_(opened_at_) {
  next_ping_ = opened_at_ + shard_.jittered(ping_interval());
  view_ = shard_.view_for(opening.filter, is_sse() ? Shard::Frames::sse : Shard::Frames::websocket);
  const StartPlan plan = plan_start(opening.start, facts());
  go_to(plan.position);
  if (is_sse()) {
    begin_sse(opening.start, plan);
    return;
  }

  wire::Welcome welcome;
  welcome.user_id = identity_.user;
  welcome.now_millis = base::unix_millis();
  welcome.server = shard_.server_name();
  welcome.start = plan.said;
  welcome.behind = plan.said.seq - plan.position;
  wire::append_frame(control_, wire::Opcode::text, wire::encode_welcome(welcome));
}

Session::~Session() = default;

void Session::start(std::string_view handshake, std::string_view early) {
  control_.insert(0, handshake);
  shard_.log().info("client connected", {{"peer", peer_}, {"user", identity_.user}, {"types", std::string(base::utf8_prefix(view_->filter().key(), k_logged_filter_bytes))}, {"from", position_}});
  wait_readable();
  schedule_timer(opened_at_);
  if (!early.empty()) {
    std::string bytes(early);
    take_input(bytes);
  }
  if (state_ != State::closed && flush()) shard_.wake();
}

// ---- the flush ----------------------------------------------------------------------------------

bool Session::flush() {
  if (state_ == State::closed) return false;
  if (waiting_writable_) {
    if (!in_chunk_ && cursor_.segment->evicted()) detach_from_evicted();
    return false;
  }
  if (pending_ != Source::none) {
    const char* const data =
        pending_ == Source::control ? control_.data() + control_sent_ : cursor_.segment->data() + cursor_.offset;
    if (!write(pending_, data, pending_bytes_)) return false;
  }
  while (true) {
    // Control frames wait for a frame boundary; once begun they go out whole.
    if (control_.empty() && at_boundary()) gather_control();
    if (state_ == State::closed) return false;
    if (!control_.empty() && (control_sent_ != 0 || at_boundary())) {
      const std::size_t size = std::min(control_.size() - control_sent_, k_record_bytes);
      if (!write(Source::control, control_.data() + control_sent_, size)) return false;
      continue;
    }
    // A closing session only ends the frame that it has begun.
    if (state_ == State::closing && at_boundary()) return false;
    const char* data = nullptr;
    std::size_t size = 0;
    if (!frames_due(data, size)) {
      if (draining_) {
        close(drain_code_, std::exchange(drain_reason_, {}));
        if (state_ == State::closed) return false;
        continue;
      }
      if (dialect_ != Dialect::clawpanel && position() - told_ > k_position_step) {
        tell_position();
        continue;
      }
      return std::exchange(again_, false);
    }
    if (!write(Source::frames, data, size)) return false;
    if (at_boundary() && control_due()) continue;
    // One record a turn: everybody gets the first before anybody gets the second.
    const hub::Segment& segment = *cursor_.segment;
    // A stop comes after the last event, so it needs a turn although nothing is due.
    return draining_ || cursor_.index < segment.count() || in_chunk_ || segment.closed();
  }
}

bool Session::control_due() const noexcept {
  return !control_.empty() || pong_ || ws_pong_ || ping_due_ || !subscribes_.empty() ||
         (state_ == State::closing && !close_sent_);
}

bool Session::write(Source source, const char* data, std::size_t size) {
  CLAWWS_ASSERT(pending_ == Source::none || (pending_ == source && pending_bytes_ == size));
  const IoResult result = stream_.write_now(data, size);
  switch (result.status) {
    case IoStatus::done:
      pending_ = Source::none;
      wrote(source, result.bytes);
      return state_ != State::closed;
    case IoStatus::want_read:  // the handshake layer wants a record first; read_all() flushes again
      pending_ = source;
      pending_bytes_ = size;
      return false;
    case IoStatus::want_write:
      if (pending_ == Source::none) {
        progress_at_ = SteadyClock::now();
        progress_bytes_ = stream_.wire_bytes_written();
      }
      pending_ = source;
      pending_bytes_ = size;
      wait_writable();
      return false;
    case IoStatus::closed:
    case IoStatus::failed:
      break;
  }
  finish("connection lost");
  return false;
}

void Session::wrote(Source source, std::size_t bytes) {
  shard_.counters().bytes_sent.fetch_add(bytes, std::memory_order_relaxed);
  if (source == Source::control) {
    control_sent_ += bytes;
    if (control_sent_ < control_.size()) return;
    control_sent_ = 0;
    control_.clear();
    if (control_.capacity() > k_keep_control_bytes) control_.shrink_to_fit();
    if (close_sent_) {
      stream_.shutdown_now();
      if (peer_closed_ || is_sse()) end_writing();
    }
    return;
  }
  const hub::Segment& segment = *cursor_.segment;
  cursor_.offset += static_cast<std::uint32_t>(bytes);
  const std::uint32_t count = segment.count();
  const std::uint32_t before = cursor_.index;
  cursor_.index = cursor_.offset == segment.begin_of(count) ? count : segment.index_at(cursor_.offset, count);
  const std::uint32_t frames = cursor_.index - before;
  if (frames == 0) return;
  position_ = last_match_ = told_ = segment.seq_of(cursor_.index - 1);
  events_sent_ += frames;
  last_text_ = shard_.now();
  shard_.counters().deliveries.fetch_add(frames, std::memory_order_relaxed);
}

// What stands at the cursor: up to one record, cut at a frame boundary unless one frame is larger.
bool Session::frames_due(const char*& data, std::size_t& size) {
  while (true) {
    const hub::Segment& segment = *cursor_.segment;
    if (!in_chunk_ && segment.evicted()) {
      detach_from_evicted();
      continue;
    }
    const std::uint32_t count = segment.count();
    if (cursor_.index < count) {
      data = segment.data() + cursor_.offset;
      size = segment.end_of(count - 1) - cursor_.offset;
      if (size > k_record_bytes) {
        const auto limit = cursor_.offset + static_cast<std::uint32_t>(k_record_bytes);
        const std::uint32_t boundary = segment.begin_of(segment.index_at(limit, count));
        size = boundary > cursor_.offset ? boundary - cursor_.offset : k_record_bytes;
      }
      return true;
    }
    if (in_chunk_) {
      if (!next_chunk()) return false;
    } else if (!view_->frames().cross(cursor_)) {
      if (!segment.evicted()) return false;
    }
  }
}

// The control frames that are due, encoded now: a pong says where the stream is at this boundary.
void Session::gather_control() {
  run_subscribes();
  if (ws_pong_) {
    wire::append_frame(control_, wire::Opcode::pong, *ws_pong_);
    ws_pong_.reset();
  }
  if (pong_ && state_ == State::open) {
    told_ = position();
    wire::append_frame(control_, wire::Opcode::text,
                       wire::encode_pong(base::unix_millis(), pong_->received_at_json, shard_.epoch(), told_));
    pong_.reset();
    last_text_ = shard_.now();
  }
  if (std::exchange(ping_due_, false) && state_ == State::open) {
    if (is_sse()) {
      tell_position();
    } else {
      wire::append_frame(control_, wire::Opcode::ping, {});
    }
  }
  if (state_ == State::closing && !close_sent_) {
    close_sent_ = true;
    if (is_sse()) {
      end_sse();
    } else {
      control_ += wire::close_frame(close_code_, close_reason_);
    }
  }
}

void Session::queue_text(std::string_view text) { wire::append_frame(control_, wire::Opcode::text, text); }

void Session::tell_position() {
  told_ = position();
  last_text_ = shard_.now();
  if (is_sse()) {
    wire::append_sse_position(control_, shard_.epoch(), told_);
  } else {
    queue_text(wire::encode_position(base::unix_millis(), shard_.epoch(), told_));
  }
}

void Session::wait_writable() {
  waiting_writable_ = true;
  schedule_timer(progress_at_);
  stream_.wait_write([self = shared_from_this()](const net::error_code& failed) {
    if (self->state_ == State::closed) return;
    self->waiting_writable_ = false;
    if (failed) {
      self->finish("connection lost");
    } else if (self->flush()) {
      self->shard_.wake();
    }
  });
}

// The log dropped the segment under the cursor. What is pending or begun is copied, so that a stalled
// client holds one record and no segment; the rest is read again from the store.
void Session::detach_from_evicted() {
  const hub::Segment& segment = *cursor_.segment;
  const std::size_t pending = pending_ == Source::frames ? pending_bytes_ : 0;
  const std::uint32_t count = segment.count();
  std::uint32_t end = cursor_.index;
  if (pending != 0 || !cursor_.at_boundary()) {
    const auto reach = cursor_.offset + static_cast<std::uint32_t>(pending);
    while (end < count && (end == cursor_.index || segment.begin_of(end) < reach)) ++end;
  }
  std::size_t bytes = 0;
  for (std::uint32_t i = cursor_.index; i < end; ++i) bytes += segment.end_of(i) - segment.begin_of(i);
  auto copy = std::make_shared<hub::Segment>(bytes, position_ + 1, 0);
  for (std::uint32_t i = cursor_.index; i < end; ++i) {
    copy->append_frame(segment.seq_of(i), segment.type_of(i), segment.frame_of(i));
  }
  copy->close();
  chunk_end_ = end > cursor_.index ? segment.seq_of(end - 1) : position_;
  cursor_ = {std::move(copy), 0, cursor_.offset - segment.begin_of(cursor_.index)};
  in_chunk_ = true;
}

// A proxy on the way may end an event stream that is silent for 30 s; a WebSocket has pongs.
Millis Session::ping_interval() const noexcept {
  const Millis usual = shard_.config().ping_interval;
  return is_sse() ? std::min(usual, k_heartbeat) : usual;
}

// ---- time ---------------------------------------------------------------------------------------

void Session::schedule_timer(SteadyTime now) {
  SteadyTime next = std::min(next_ping_, close_deadline_);
  if (waiting_writable_) next = std::min(next, now + shard_.config().max_lag_time / 8);
  shard_.wheel().schedule(*this, next);
}

void Session::on_timer(SteadyTime now) {
  if (now >= close_deadline_) {
    finish(why_closed() + (peer_closed_ || is_sse() ? "" : close_sent_ ? "; no answer to the close frame" : "; the client took no more bytes"));
    return;
  }
  const Millis idle_limit = std::max(k_idle_limit, shard_.config().ping_interval * 5 / 2);
  if (!is_sse() && now - last_received_ > idle_limit) {
    finish("no byte from the client for " + base::format_duration(now - last_received_));
    return;
  }
  if (waiting_writable_) {
    const std::uint64_t written = stream_.wire_bytes_written();
    if (written != progress_bytes_) {
      progress_bytes_ = written;
      progress_at_ = now;
    } else if (now - progress_at_ >= shard_.config().max_lag_time) {
      shard_.counters().sessions_slow.fetch_add(1, std::memory_order_relaxed);
      const std::uint64_t newest = shard_.frame_log().head();
      shard_.log().warning("slow client ended", {{"peer", peer_},
                                                 {"user", identity_.user},
                                                 {"code", 4008},
                                                 {"position", position_},
                                                 {"behind", newest - std::min(newest, position_)},
                                                 {"stalled", base::format_duration(now - progress_at_)}});
      finish("too slow");
      return;
    }
  }
  if (now >= next_ping_) {
    next_ping_ = now + shard_.jittered(ping_interval());
    ping_due_ = true;
    if (dialect_ == Dialect::clawws_v1 && !view_->filter().is_everything() && !reading_store_ &&
        now - last_text_ >= k_position_interval - shard_.config().ping_interval / 8) {
      tell_position();
    }
    if (flush()) shard_.wake();
  }
  if (state_ != State::closed) schedule_timer(now);
}

// ---- the end ------------------------------------------------------------------------------------

void Session::close(std::uint16_t code, std::string_view reason) {
  if (state_ != State::open) return;
  if (dialect_ == Dialect::clawpanel && ends_clawpanel_for_good(code)) {
    finish(reason);
    return;
  }
  state_ = State::closing;
  close_code_ = code;
  close_reason_ = reason;
  close_deadline_ = SteadyClock::now() + k_close_limit;
  schedule_timer(SteadyClock::now());
  // Not flushed from here: a flush may be what called.
  shard_.wake();
}

void Session::close_after_due(std::uint16_t code, std::string reason) {
  if (state_ != State::open || draining_) return;
  draining_ = true;
  drain_code_ = code;
  drain_reason_ = std::move(reason);
  // Who is still catching up comes back to the same place: the store may be closed already.
  if (in_chunk_) {
    close(drain_code_, std::exchange(drain_reason_, {}));
  } else if (flush()) {
    shard_.wake();
  }
}

// Both close frames are through: the client sees the end, and the connection goes when its own end
// comes or the deadline passes. Closing at once would answer what it still sends with a RST, which can
// overtake our close frame (RFC 6455, section 7.1.1).
void Session::end_writing() {
  net::error_code gone;
  stream_.socket().shutdown(net::TcpSocket::shutdown_send, gone);
}

// Who ended it, and how: "closed by the client (1001)", "closed (1012 restart)".
std::string Session::why_closed() const {
  return (client_began_close_ ? "closed by the client (" : "closed (") + std::to_string(close_code_) +
         (close_reason_.empty() ? "" : " " + close_reason_) + ")";
}

void Session::drop(std::string_view why) { finish(why); }

void Session::finish(std::string_view why) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  cancel();
  stream_.close(pending_ == Source::none ? net::TlsStream::CloseMode::graceful : net::TlsStream::CloseMode::reset);
  shard_.log().info("client gone", {{"peer", peer_},
                                    {"user", identity_.user},
                                    {"why", why},
                                    {"events", events_sent_},
                                    {"position", position_},
                                    {"after", base::format_duration(SteadyClock::now() - opened_at_)}});
  cursor_.segment.reset();
  view_.reset();
  shard_.remove(*this);
}

}  // namespace clawws::server
