// The only file of the library that instantiates Beast's websocket::stream.
#include "clawws/net/ws_client.hpp"

#include <string.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket.hpp>

#include "clawws/net/dialer.hpp"
#include "upgrade_stream.hpp"

namespace clawws::net {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using base::Errc;
using base::SteadyClock;
using base::SteadyTime;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;
// No deflate: half the code, and less memory for each connection.
using WsStream = websocket::stream<UpgradeStream, false>;

constexpr std::size_t k_write_buffer_bytes = 1024;
// A buffer that grew beyond this for one large message is let go.
constexpr std::size_t k_kept_buffer_bytes = 16 * 1024;

bool is_category_of(const error_code& error, const error_code& member) {
  return error.category() == member.category();
}

// A failed read, write or upgrade on an established transport.
Ending transport_ending(Phase phase, const error_code& error, const std::string& tls_detail) {
  // Beast knows neither 1014 nor what was registered after it, and keeps the code to itself.
  if (error == websocket::error::bad_close_code)
    return passing(phase, "closed by the server (with 1014, or a code that has no meaning)");
  if (is_category_of(error, websocket::error::closed))
    return final_ending(phase, Errc::protocol,
                        "the server broke the WebSocket protocol: " + error.message());
  if (!is_category_of(error, beast::http::error::end_of_stream))
    return cut_off(phase, error, tls_detail);
  if (error == beast::http::error::end_of_stream || error == beast::http::error::partial_message)
    return cut_off(phase, asio::error::eof, tls_detail);
  return final_ending(phase, Errc::protocol, "the server's answer is not HTTP: " + error.message());
}

void wipe(std::string& secret) {
  ::explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace

base::Result<std::shared_ptr<const WsTarget>> make_ws_target(WsTarget target) {
  if (target.url.scheme != "wss" && target.url.scheme != "https")
    return base::Error(
        Errc::usage,
        target.url.scheme + ":// sends everything in the clear; clawws speaks wss:// only");
  auto context = make_client_context(target.tls);
  if (!context) return context.error();
  target.context = std::move(*context);
  return std::make_shared<const WsTarget>(std::move(target));
}

class WsClient::Impl : public std::enable_shared_from_this<WsClient::Impl> {
 public:
  Impl(Executor executor, std::shared_ptr<const WsTarget> target, WsEvents& events)
      : executor_(executor), target_(std::move(target)), events_(&events), timer_(executor) {}

  void connect(WsRequest request) {
    request_ = std::move(request);
    state_ = State::connecting;
    deadline_ = SteadyClock::now() + target_->connect_timeout;
    dialer_ = std::make_unique<Dialer>(executor_, target_);
    dialer_->start(
        request_.local_address, deadline_,
        [self = shared_from_this()](DialResult result) { self->dialed(std::move(result)); });
  }

  void send_text(std::string text) {
    if (state_ != State::open) return;
    outbox_.push_back(std::move(text));
    if (outbox_.size() == 1) write_next();
  }

  void ping() {
    if (state_ != State::open || pinging_) return;
    pinging_ = true;
    ws_->async_ping({}, [self = shared_from_this()](const error_code& error) {
      self->pinging_ = false;
      if (error) self->live_end(error);
    });
  }

  void close(std::uint16_t code, std::string_view reason, base::Millis limit) {
    if (state_ == State::connecting) {
      abort(final_ending(Phase::connect, Errc::interrupted, "given up"));
      return;
    }
    if (state_ != State::open) return;
    state_ = State::closing;
    arm(SteadyClock::now() + limit);
    const websocket::close_reason why(static_cast<websocket::close_code>(code),
                                      beast::string_view(reason.data(), reason.size()));
    ws_->async_close(why, [self = shared_from_this()](const error_code&) {
      // How the other side took it does not matter any more.
      self->finish(final_ending(Phase::live, Errc::interrupted, "closed"));
    });
  }

  void pause_reading() { paused_ = true; }

  void resume_reading() {
    paused_ = false;
    if (state_ == State::open && !reading_) read_next();
  }

  void abort(Ending ending) {
    if (state_ == State::ended) return;
    forced_ = std::move(ending);
    drop(TlsStream::CloseMode::reset);
    asio::post(executor_, [self = shared_from_this()] { self->finish(*self->forced_); });
  }

  // The owner is gone: no callback any more.
  void detach() {
    events_ = nullptr;
    state_ = State::ended;
    timer_.cancel();
    drop(TlsStream::CloseMode::graceful);
    wipe_request();
  }

 private:
  enum class State : std::uint8_t { idle, connecting, open, closing, ended };

  void arm(SteadyTime at) {
    timer_.expires_at(at);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      // A wait that had already ended when the timer was set anew is not cancelled by that.
      if (!error && self->timer_.expiry() <= SteadyClock::now()) self->on_timer();
    });
  }

  void on_timer() {
    if (state_ == State::connecting)
      finish(answer_ending(ws_->next_layer().take_answer(), base::unix_millis())
                 .value_or(no_answer(*target_, Phase::upgrade)));
    if (state_ == State::closing)
      finish(final_ending(Phase::live, Errc::interrupted, "closed without an answer"));
  }

  void drop(TlsStream::CloseMode mode) {
    dialer_.reset();
    if (ws_) ws_->next_layer().close(mode);
  }

  void finish(const Ending& ending) {
    if (state_ == State::ended) return;
    state_ = State::ended;
    timer_.cancel();
    drop(TlsStream::CloseMode::graceful);
    wipe_request();
    if (WsEvents* events = std::exchange(events_, nullptr))
      events->on_end(forced_ ? *forced_ : ending);
  }

  void wipe_request() {
    for (auto& [name, value] : request_.headers) wipe(value);
    request_.headers.clear();
  }

  // ---- upgrade ---------------------------------------------------------------------------------

  void dialed(DialResult result) {
    // It is inside the dialer's callback: that must outlive it.
    const auto dialer = std::move(dialer_);
    if (state_ != State::connecting) return;
    if (!result.dialed) {
      finish(result.ending);
      return;
    }
    Dialed& dialed = *result.dialed;
    opened_ = std::make_unique<WsOpened>();
    opened_->phase_times = dialed.times;
    opened_->peer = std::move(dialed.peer);
    opened_->tls = std::move(dialed.tls);
    ws_.emplace(UpgradeStream(std::move(dialed.stream)));
    if (request_.depth == WsRequest::Depth::websocket)
      upgrade();
    else
      go_live();
  }

  void upgrade() {
    phase_start_ = SteadyClock::now();
    arm(deadline_);
    ws_->read_message_max(target_->max_message_bytes);
    ws_->auto_fragment(false);
    ws_->write_buffer_bytes(k_write_buffer_bytes);
    // A shared pointer in here would be a cycle through the stream.
    ws_->set_option(websocket::stream_base::decorator(
        [this](websocket::request_type& request) { decorate(request); }));
    ws_->control_callback([this](websocket::frame_type kind, beast::string_view) {
      if (kind != websocket::frame_type::close && events_ != nullptr) events_->on_control();
    });
    response_ = std::make_unique<websocket::response_type>();
    ws_->next_layer().record_answer();
    const std::string target = request_.target.empty() ? target_->url.target() : request_.target;
    ws_->async_handshake(
        *response_, target_->url.authority(), target,
        [self = shared_from_this()](const error_code& error) { self->upgraded(error); });
  }

  void upgraded(const error_code& error) {
    const auto response = std::move(response_);
    const std::string answer = ws_->next_layer().take_answer();
    if (state_ != State::connecting) return;
    wipe_request();
    if (error) {
      finish(upgrade_ending(error, *response, answer));
      return;
    }
    opened_->phase_times[static_cast<std::size_t>(Phase::upgrade)] =
        SteadyClock::now() - phase_start_;
    opened_->subprotocol = std::string((*response)["Sec-WebSocket-Protocol"]);
    opened_->server = std::string((*response)["Server"]);
    go_live();
  }

  void decorate(websocket::request_type& request) const {
    namespace http = beast::http;
    if (!target_->user_agent.empty()) request.set(http::field::user_agent, target_->user_agent);
    if (!request_.subprotocols.empty())
      request.set(http::field::sec_websocket_protocol, request_.subprotocols);
    for (const auto& [name, value] : request_.headers) request.set(name, value);
  }

  Ending upgrade_ending(const error_code& error, const websocket::response_type& response,
                        std::string_view answer) {
    if (error == websocket::error::upgrade_declined) {
      const auto field = [&](const char* name) {
        const auto value = response[name];
        return std::string_view(value.data(), value.size());
      };
      return http_ending({static_cast<int>(response.result_int()), field("Retry-After"),
                          field("Location"), response.body(), base::unix_millis()});
    }
    // Beast gives no response that it did not read whole, but what was read says enough.
    if (auto ending = answer_ending(answer, base::unix_millis())) return *std::move(ending);
    return transport_ending(Phase::upgrade, error, ws_->next_layer().error_detail());
  }

  // ---- live ------------------------------------------------------------------------------------

  void go_live() {
    timer_.cancel();
    state_ = State::open;
    const auto opened = std::move(opened_);
    events_->on_open(*opened);
    const bool reads = request_.depth == WsRequest::Depth::websocket;
    if (state_ == State::open && reads && !paused_ && !reading_) read_next();
  }

  void read_next() {
    reading_ = true;
    ws_->async_read(buffer_, [self = shared_from_this()](const error_code& error, std::size_t) {
      self->reading_ = false;
      self->on_read(error);
    });
  }

  void on_read(const error_code& error) {
    if (error) {
      live_end(error);
      return;
    }
    if (state_ != State::open) return;
    if (!ws_->got_text()) {
      close(1003, "text only", base::Millis(1000));
      forced_ = final_ending(Phase::live, Errc::protocol, "the server sent a binary message");
      return;
    }
    const auto data = buffer_.data();
    events_->on_text({static_cast<const char*>(data.data()), data.size()});
    buffer_.consume(buffer_.size());
    if (!released_) released_ = ws_->next_layer().release_buffers();
    if (buffer_.capacity() > k_kept_buffer_bytes) buffer_.shrink_to_fit();
    if (state_ == State::open && !paused_ && !reading_) read_next();
  }

  void write_next() {
    ws_->async_write(asio::buffer(outbox_.front()),
                     [self = shared_from_this()](const error_code& error, std::size_t) {
                       if (error) {
                         self->live_end(error);
                         return;
                       }
                       self->outbox_.erase(self->outbox_.begin());
                       if (!self->outbox_.empty() && self->state_ == State::open)
                         self->write_next();
                     });
  }

  void live_end(const error_code& error) {
    // While closing, the close handshake itself says when it is over.
    if (state_ != State::open) return;
    if (error == websocket::error::closed) {
      const auto& reason = ws_->reason();
      const auto code = reason.code == websocket::close_code::none
                            ? static_cast<std::uint16_t>(websocket::close_code::no_status)
                            : static_cast<std::uint16_t>(reason.code);
      finish(close_ending(code, {reason.reason.data(), reason.reason.size()}));
      return;
    }
    finish(transport_ending(Phase::live, error, ws_->next_layer().error_detail()));
  }

  Executor executor_;
  std::shared_ptr<const WsTarget> target_;
  WsEvents* events_;  // null once nothing may be said any more
  WsRequest request_;
  Timer timer_;
  std::unique_ptr<Dialer> dialer_;                      // until there is a stream
  std::unique_ptr<WsOpened> opened_;                    // until it is told
  std::unique_ptr<websocket::response_type> response_;  // during the upgrade
  std::optional<WsStream> ws_;
  beast::flat_buffer buffer_;
  std::vector<std::string> outbox_;  // the first one is being written
  std::optional<Ending> forced_;     // said at the end instead of what the transport saw
  SteadyTime deadline_{};
  SteadyTime phase_start_{};
  State state_ = State::idle;
  bool released_ = false;  // the handshake's buffers
  bool reading_ = false;
  bool paused_ = false;
  bool pinging_ = false;
};

WsClient::WsClient(Executor executor, std::shared_ptr<const WsTarget> target, WsEvents& events)
    : impl_(std::make_shared<Impl>(executor, std::move(target), events)) {}
WsClient::~WsClient() {
  impl_->detach();
}
void WsClient::connect(WsRequest request) {
  impl_->connect(std::move(request));
}
void WsClient::send_text(std::string text) {
  impl_->send_text(std::move(text));
}
void WsClient::ping() {
  impl_->ping();
}
void WsClient::close(std::uint16_t code, std::string_view reason, base::Millis limit) {
  impl_->close(code, reason, limit);
}
void WsClient::pause_reading() {
  impl_->pause_reading();
}
void WsClient::resume_reading() {
  impl_->resume_reading();
}
void WsClient::abort(Ending ending) {
  impl_->abort(std::move(ending));
}

}  // namespace clawws::net
