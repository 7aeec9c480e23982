// The only file of the library that instantiates Beast's websocket::stream.
#include "clawws/net/ws_client.hpp"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <string.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket.hpp>
#include <functional>
#include <stdexcept>

#include "clawws/net/background_call.hpp"
#include "clawws/net/beast_tls.hpp"
#include "clawws/net/resolve.hpp"

namespace clawws::net {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using base::Errc;
using base::SteadyClock;
using base::SteadyTime;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;
// No deflate: half the code, and less memory for each connection.
using WsStream = websocket::stream<TlsStream, false>;

constexpr asio::use_awaitable_t<Executor> k_await;
constexpr std::size_t k_write_buffer_bytes = 1024;
// A buffer that grew beyond this for one large message is let go.
constexpr std::size_t k_kept_buffer_bytes = 16 * 1024;
constexpr base::Millis k_least_per_address{250};

bool is_category_of(const error_code& error, const error_code& member) {
  return error.category() == member.category();
}

// A failed read, write or upgrade on an established transport.
Ending transport_ending(Phase phase, const error_code& error, const std::string& tls_detail) {
  if (is_category_of(error, websocket::error::closed))
    return final_ending(phase, Errc::protocol,
                        "the server broke the WebSocket protocol: " + error.message());
  const bool cut =
      error == beast::http::error::end_of_stream || error == beast::http::error::partial_message;
  if (!cut && is_category_of(error, beast::http::error::end_of_stream))
    return final_ending(phase, Errc::protocol,
                        "the server's answer is not HTTP: " + error.message());
  if (!tls_detail.empty()) return passing(phase, "connection lost: TLS: " + tls_detail);
  if (cut || error == asio::error::eof || error == asio::ssl::error::stream_truncated)
    return passing(phase, "connection closed by the other side without a word");
  return passing(phase, "connection lost: " + error.message());
}

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
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
    phase_start_ = SteadyClock::now();
    arm(deadline_);
    auto known = known_addresses(target_->url, target_->resolve);
    if (known) {
      asio::co_spawn(executor_, establish(shared_from_this(), Resolved{std::move(*known), ""}),
                     reporter());
      return;
    }
    resolving_.emplace(
        executor_,
        [host = target_->url.host, port = target_->url.port] {
          return resolve_blocking(host, port);
        },
        [self = shared_from_this()](Resolved resolved) {
          asio::co_spawn(self->executor_, establish(self, std::move(resolved)), self->reporter());
        });
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
      abort(final_ending(phase_, Errc::interrupted, "given up"));
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
  using Awaitable = asio::awaitable<void, Executor>;

  // What escapes a coroutine is a fault of ours or a lack of memory; it ends the attempt.
  std::function<void(std::exception_ptr)> reporter() {
    return [self = shared_from_this()](std::exception_ptr escaped) {
      if (!escaped) return;
      std::string what = "unknown";
      try {
        std::rethrow_exception(escaped);
      } catch (const std::exception& error) {
        what = error.what();
      } catch (...) {
        what = "an unknown exception";
      }
      self->finish(passing(self->phase_, "internal failure: " + what, Errc::internal));
    };
  }

  void arm(SteadyTime at) {
    timer_.expires_at(at);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      // A wait that had already ended when the timer was set anew is not cancelled by that.
      if (!error && self->timer_.expiry() <= SteadyClock::now()) self->on_timer();
    });
  }

  void on_timer() {
    if (state_ == State::ended || state_ == State::open || state_ == State::idle) return;
    timed_out_ = true;
    const bool was_resolving = resolving_.has_value() && phase_ == Phase::resolve;
    drop(TlsStream::CloseMode::reset);
    if (state_ == State::closing)
      finish(final_ending(Phase::live, Errc::interrupted, "closed without an answer"));
    else if (was_resolving)
      finish(too_slow());
  }

  Ending too_slow() const {
    return passing(phase_,
                   "no answer within " + base::format_duration(target_->connect_timeout) + " (" +
                       std::string(phase_name(phase_)) + ", " + target_->url.authority() + ")",
                   Errc::timed_out);
  }

  void drop(TlsStream::CloseMode mode) {
    resolving_.reset();
    error_code ignored;  // it is being given up
    if (socket_) socket_->close(ignored);
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

  // ---- DNS, TCP, TLS, upgrade ------------------------------------------------------------------

  void next_phase(WsOpened& opened, Phase next) {
    const SteadyTime now = SteadyClock::now();
    opened.phase_times[static_cast<std::size_t>(phase_)] = now - phase_start_;
    phase_ = next;
    phase_start_ = now;
  }

  static Awaitable establish(std::shared_ptr<Impl> self, Resolved resolved) {
    self->resolving_.reset();
    if (self->state_ != State::connecting) co_return;
    if (resolved.endpoints.empty()) {
      self->finish(passing(Phase::resolve, resolved.problem));
      co_return;
    }
    WsOpened opened;
    self->next_phase(opened, Phase::connect);
    co_await connect_tcp(self, std::move(resolved.endpoints), opened);
    if (self->state_ != State::connecting) co_return;

    self->next_phase(opened, Phase::tls);
    co_await handshake_tls(self, opened);
    if (self->state_ != State::connecting) co_return;

    if (self->request_.depth == WsRequest::Depth::websocket) {
      self->next_phase(opened, Phase::upgrade);
      co_await upgrade(self, opened);
      if (self->state_ != State::connecting) co_return;
    }
    self->next_phase(opened, Phase::live);
    self->go_live(opened);
  }

  // Tries one address after the other; each gets its share of the time that is left.
  static Awaitable connect_tcp(std::shared_ptr<Impl> self, std::vector<tcp::endpoint> endpoints,
                               WsOpened& opened) {
    std::string problems;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      const SteadyTime now = SteadyClock::now();
      const auto share = (self->deadline_ - now) / static_cast<long>(endpoints.size() - i);
      self->arm(std::min(self->deadline_,
                         now + std::max<SteadyClock::duration>(share, k_least_per_address)));
      self->timed_out_ = false;
      error_code error;
      self->open_socket(endpoints[i], error);
      if (!error)
        co_await self->socket_->async_connect(endpoints[i], asio::redirect_error(k_await, error));
      if (self->state_ != State::connecting) co_return;
      if (!error) {
        opened.peer = text_of(endpoints[i]);
        self->arm(self->deadline_);
        co_return;
      }
      problems += (problems.empty() ? "" : "; ") + text_of(endpoints[i]) + ": " +
                  (self->timed_out_ ? "no answer" : error.message());
      if (SteadyClock::now() >= self->deadline_) {
        self->finish(self->too_slow());
        co_return;
      }
    }
    self->finish(passing(Phase::connect, "cannot connect to " + problems));
  }

  void open_socket(const tcp::endpoint& to, error_code& error) {
    socket_.emplace(executor_);
    socket_->open(to.protocol(), error);
    if (error || request_.local_address.empty()) return;
    const auto address = asio::ip::make_address(request_.local_address, error);
    if (error) return;
    // The port is chosen at connect: ten thousand connections may share one source address.
    const int on = 1;
    ::setsockopt(socket_->native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    socket_->bind(tcp::endpoint(address, 0), error);
  }

  static Awaitable handshake_tls(std::shared_ptr<Impl> self, WsOpened& opened) {
    error_code error;
    self->socket_->set_option(tcp::no_delay(true), error);
    self->ws_.emplace(std::move(*self->socket_), self->target_->context, Role::client);
    self->socket_.reset();
    TlsStream& tls = self->ws_->next_layer();
    const std::string& host = self->target_->url.host;
    set_expected_host(tls.ssl(), host);
    co_await tls.async_handshake(asio::redirect_error(k_await, error));
    if (self->state_ != State::connecting) co_return;
    if (error) {
      self->finish(self->tls_ending(error, tls.error_detail()));
      co_return;
    }
    const auto checked = check_server_certificate(tls.ssl(), self->target_->tls, host);
    if (!checked) {
      self->finish(final_ending(Phase::tls, checked.error().code, checked.error().message()));
      co_return;
    }
    opened.tls = std::string(SSL_get_version(tls.ssl())) + " " + SSL_get_cipher_name(tls.ssl());
  }

  Ending tls_ending(const error_code& error, const std::string& detail) const {
    if (timed_out_) return too_slow();
    // A cut is the network's or a starting server's; what OpenSSL itself objects to stays.
    if (detail.empty()) return transport_ending(Phase::tls, error, detail);
    return final_ending(Phase::tls, Errc::tls,
                        "no TLS with " + target_->url.authority() + ": " + detail +
                            " (does something else than clawws listen there?)");
  }

  static Awaitable upgrade(std::shared_ptr<Impl> self, WsOpened& opened) {
    WsStream& ws = *self->ws_;
    ws.read_message_max(self->target_->max_message_bytes);
    ws.auto_fragment(false);
    ws.write_buffer_bytes(k_write_buffer_bytes);
    Impl* const raw = self.get();  // a shared one would be a cycle through the stream
    ws.set_option(websocket::stream_base::decorator(
        [raw](websocket::request_type& request) { raw->decorate(request); }));
    ws.control_callback([raw](websocket::frame_type kind, beast::string_view) {
      if (kind != websocket::frame_type::close && raw->events_ != nullptr)
        raw->events_->on_control();
    });
    const std::string host = self->target_->url.authority();
    const std::string target =
        self->request_.target.empty() ? self->target_->url.target() : self->request_.target;
    websocket::response_type response;
    error_code error;
    co_await ws.async_handshake(response, host, target, asio::redirect_error(k_await, error));
    if (self->state_ != State::connecting) co_return;
    self->wipe_request();
    if (error) {
      self->finish(self->upgrade_ending(error, response));
      co_return;
    }
    opened.subprotocol = std::string(response["Sec-WebSocket-Protocol"]);
    opened.server = std::string(response["Server"]);
  }

  void decorate(websocket::request_type& request) const {
    namespace http = beast::http;
    if (!target_->user_agent.empty()) request.set(http::field::user_agent, target_->user_agent);
    if (!request_.subprotocols.empty())
      request.set(http::field::sec_websocket_protocol, request_.subprotocols);
    for (const auto& [name, value] : request_.headers) request.set(name, value);
  }

  Ending upgrade_ending(const error_code& error, const websocket::response_type& response) {
    if (timed_out_) return too_slow();
    if (error == websocket::error::upgrade_declined) {
      const auto field = [&](const char* name) {
        const auto value = response[name];
        return std::string_view(value.data(), value.size());
      };
      return http_ending({static_cast<int>(response.result_int()), field("Retry-After"),
                          field("Location"), response.body(), base::unix_millis()});
    }
    return transport_ending(Phase::upgrade, error, ws_->next_layer().error_detail());
  }

  // ---- live ------------------------------------------------------------------------------------

  void go_live(const WsOpened& opened) {
    timer_.cancel();
    state_ = State::open;
    events_->on_open(opened);
    if (state_ == State::open && request_.depth == WsRequest::Depth::websocket && !paused_ &&
        !reading_)
      read_next();
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
  std::optional<BackgroundCall<Resolved>> resolving_;
  std::optional<TcpSocket> socket_;  // until TLS takes it over
  std::optional<WsStream> ws_;
  beast::flat_buffer buffer_;
  std::vector<std::string> outbox_;  // the first one is being written
  std::optional<Ending> forced_;     // said at the end instead of what the transport saw
  SteadyTime deadline_{};
  SteadyTime phase_start_{};
  Phase phase_ = Phase::resolve;
  State state_ = State::idle;
  bool timed_out_ = false;
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
