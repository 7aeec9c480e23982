// The receiving side of a session: bytes to messages, and what each message does.
#include <boost/asio/post.hpp>
#include <span>

#include "clawws/server/session.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/frame.hpp"

namespace clawws::server {

using net::IoStatus;
using wire::ClientMessage;
using wire::FrameReader;

namespace {
constexpr int k_reads_a_turn = 4;                  // then others get theirs
constexpr std::size_t k_max_waiting_subscribes = 16;
constexpr std::uint16_t k_no_code = 1005;          // RFC 6455, section 7.4.1
}  // namespace

void Session::wait_readable() {
  stream_.wait_read([self = shared_from_this()](const net::error_code& failed) {
    if (self->state_ == State::closed) return;
    if (failed) {
      self->finish("connection lost");
    } else {
      self->read_all();
    }
  });
}

void Session::read_all() {
  const std::span<char> buffer = shard_.read_buffer();
  for (int turn = 0; turn < k_reads_a_turn; ++turn) {
    const net::IoResult result = stream_.read_now(buffer.data(), buffer.size());
    if (result.status == IoStatus::done) {
      last_received_ = base::SteadyClock::now();
      take_input(buffer.first(result.bytes));
      if (state_ == State::closed) return;
      continue;
    }
    if (result.status == IoStatus::closed || result.status == IoStatus::failed) {
      finish(peer_closed_ || close_sent_ ? why_closed() : "connection lost");
      return;
    }
    // want_write: a TLS 1.3 key update waits for the socket; the next flush or read carries it out.
    wait_readable();
    if (flush()) shard_.wake();
    return;
  }
  if (flush()) shard_.wake();
  if (state_ == State::closed) return;
  net::asio::post(stream_.get_executor(), [self = shared_from_this()] {
    if (self->state_ != State::closed) self->read_all();
  });
}

void Session::take_input(std::span<char> bytes) {
  if (is_sse()) {
    pass_over(bytes.size());
    return;
  }
  const base::SteadyTime now = base::SteadyClock::now();
  while (state_ != State::closed) {
    const FrameReader::Step step = reader_.next(bytes);
    switch (step.what) {
      case FrameReader::What::need_more:
        return;
      case FrameReader::What::text:
        if (state_ != State::open) break;
        if (messages_.take(now)) {
          on_text(step.data);
        } else {
          close(1008, "more than " + std::to_string(shard_.config().message_rate) + " messages a minute");
        }
        break;
      case FrameReader::What::binary:
        close(1003, "only text messages are understood");
        break;
      case FrameReader::What::ping:
      case FrameReader::What::pong:
        if (!control_frames_.take(now)) {
          close(1008, "more than 120 control frames a minute");
        } else if (step.what == FrameReader::What::ping) {
          ws_pong_ = std::string(step.data);
        }
        break;
      case FrameReader::What::close:
        peer_closed_ = true;
        if (close_sent_) {
          end_writing();
        } else if (state_ == State::open) {
          // The echo of the peer's own close; never one that the clawpanel dialect must not see.
          state_ = State::closing;
          client_began_close_ = true;
          close_code_ = step.close_code == k_no_code ? 1000 : step.close_code;
          close_deadline_ = now + base::Millis(2'000);
          schedule_timer(now);
        }
        return;
      case FrameReader::What::violation:
        shard_.log().info("client broke the protocol",
                          {{"peer", peer_}, {"user", identity_.user}, {"code", step.close_code}, {"why", step.why}});
        close(step.close_code, step.why);
        return;
    }
  }
}

void Session::on_text(std::string_view text) {
  base::Result<ClientMessage> message = wire::parse_client_message(text);
  if (!message) {
    on_bad_message(base::info(message.error().code).word, message.error().message());
    return;
  }
  switch (message->kind) {
    case ClientMessage::Kind::ping:
      pong_ = Pong{std::move(message->received_at_json)};
      break;
    case ClientMessage::Kind::ack:
      acked_ = std::max(acked_, message->seq);
      break;
    case ClientMessage::Kind::subscribe:
    case ClientMessage::Kind::unsubscribe:
      // Carried out at the next frame boundary, in order (run_subscribes).
      if (subscribes_.size() == k_max_waiting_subscribes) {
        close(1008, "too many subscribe messages wait");
      } else {
        subscribes_.push_back({std::move(*message), std::nullopt, false});
      }
      break;
  }
}

void Session::on_bad_message(std::string_view code, std::string_view message) {
  if (code == "bad_message") {
    message = "Invalid message format";
    if (!bad_messages_.take(base::SteadyClock::now())) {
      close(1008, "ten messages in a minute were not understood");
      return;
    }
  }
  queue_text(wire::encode_error(base::unix_millis(), code, message));
}

void Session::run_subscribes() {
  while (!subscribes_.empty() && state_ == State::open) {
    if (!run_subscribe(subscribes_.front())) return;
    subscribes_.erase(subscribes_.begin());
  }
}

// False while the store looks for a time; the answer flushes, and that comes back here.
bool Session::run_subscribe(Subscribe& subscribe) {
  const ClientMessage& message = subscribe.message;
  base::Result<wire::Filter> filter = wire::Filter();
  if (message.types) filter = wire::Filter::from_globs(*message.types);
  StartRequest start;
  base::Result<wire::Since> since = wire::Since{};
  if (message.since) since = wire::parse_since(*message.since);
  if (!filter || !since) {
    const base::Error& error = filter ? since.error() : filter.error();
    on_bad_message(base::info(error.code).word, error.message());
    return true;
  }
  start.since = *since;
  start.located = subscribe.located;
  if (start.needs_locating() && !start.located) {
    if (!subscribe.asked) {
      subscribe.asked = true;
      auto answer = [self = weak_from_this(), executor = stream_.get_executor()](base::Result<std::uint64_t> found) {
        net::asio::post(executor, [self, found = std::move(found)] {
          const auto session = self.lock();
          if (!session || session->state_ != State::open || session->subscribes_.empty()) return;
          session->subscribes_.front().located = found ? *found : session->position();
          if (session->flush()) session->shard_.wake();
        });
      };
      shard_.hub().locate_time(start.since.unix_millis, std::move(answer));
    }
    return false;
  }

  const wire::Filter wanted =
      message.kind == ClientMessage::Kind::unsubscribe ? view_->filter().without(*filter) : *filter;
  if (!shard_.has_room_for(wanted)) {
    on_bad_message("bad_filter", "the server serves too many different filters; use one of fewer or other globs");
    return true;
  }
  const std::uint64_t here = position();
  view_ = shard_.view_for(wanted);
  StartPlan plan = plan_start(start, facts());
  if (start.since.kind == wire::Since::Kind::none) {
    // The new filter goes on where the old one was, so that a client which lags skips nothing.
    plan.position = plan.said.seq = here;
  }
  go_to(plan.position);
  queue_text(wire::encode_subscribed(base::unix_millis(), view_->filter().globs(), plan.said));
  return true;
}

}  // namespace clawws::server
