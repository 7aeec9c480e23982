#include "clawws/net/dialer.hpp"

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "clawws/net/background_call.hpp"
#include "clawws/net/resolve.hpp"

namespace clawws::net {
namespace {

using asio::ip::tcp;
using base::Errc;
using base::SteadyClock;
using base::SteadyTime;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;

constexpr asio::use_awaitable_t<Executor> k_await;
constexpr base::Millis k_least_per_address{250};

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

}  // namespace

Ending no_answer(const DialTarget& target, Phase phase) {
  return passing(phase,
                 "no answer within " + base::format_duration(target.connect_timeout) + " (" +
                     std::string(phase_name(phase)) + ", " + target.url.authority() + ")",
                 Errc::timed_out);
}

Ending cut_off(Phase phase, const error_code& error, const std::string& tls_detail) {
  if (!tls_detail.empty()) return passing(phase, "connection lost: TLS: " + tls_detail);
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
    return passing(phase, "connection closed by the other side without a word");
  return passing(phase, "connection lost: " + error.message());
}

class Dialer::Impl : public std::enable_shared_from_this<Dialer::Impl> {
 public:
  Impl(Executor executor, std::shared_ptr<const DialTarget> target)
      : executor_(executor), target_(std::move(target)), timer_(executor) {}

  void start(const std::string& local_address, SteadyTime deadline, Done done) {
    local_address_ = local_address;
    deadline_ = deadline;
    done_ = std::move(done);
    phase_start_ = SteadyClock::now();
    arm(deadline_);
    if (auto known = known_addresses(target_->url, target_->resolve)) {
      resolved_.endpoints = std::move(*known);
      go();
      return;
    }
    resolving_.emplace(
        executor_,
        [host = target_->url.host, port = target_->url.port] {
          return resolve_blocking(host, port);
        },
        [self = shared_from_this()](Resolved resolved) {
          self->resolving_.reset();
          self->resolved_ = std::move(resolved);
          self->go();
        });
  }

  void cancel() {
    done_ = nullptr;
    timer_.cancel();
    drop();
  }

  Phase phase() const { return phase_; }

 private:
  using Awaitable = asio::awaitable<void, Executor>;

  bool is_over() const { return !done_; }

  void finish(DialResult result) {
    if (is_over()) return;
    timer_.cancel();
    if (!result.dialed) drop();
    std::exchange(done_, nullptr)(std::move(result));
  }

  void fail(Ending ending) { finish({std::nullopt, std::move(ending)}); }

  void drop() {
    resolving_.reset();
    error_code ignored;  // it is being given up
    if (socket_) socket_->close(ignored);
    if (stream_) stream_->close(TlsStream::CloseMode::reset);
  }

  void arm(SteadyTime at) {
    timed_out_ = false;
    timer_.expires_at(at);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      // A wait that had already ended when the timer was set anew is not cancelled by that.
      if (!error && self->timer_.expiry() <= SteadyClock::now()) self->on_timer();
    });
  }

  void on_timer() {
    if (is_over()) return;
    timed_out_ = true;
    if (resolving_)
      fail(no_answer(*target_, phase_));
    else
      drop();  // what waits on the socket fails now and tells
  }

  void next_phase(Phase next) {
    const SteadyTime now = SteadyClock::now();
    times_[static_cast<std::size_t>(phase_)] = now - phase_start_;
    phase_ = next;
    phase_start_ = now;
  }

  void go() {
    asio::co_spawn(executor_, run(shared_from_this()),
                   [self = shared_from_this()](std::exception_ptr escaped) {
                     if (escaped) self->escaped(escaped);
                   });
  }

  // A fault of ours or a lack of memory; it ends the attempt.
  void escaped(const std::exception_ptr& what) {
    try {
      std::rethrow_exception(what);
    } catch (const std::exception& error) {
      fail(passing(phase_, std::string("internal failure: ") + error.what(), Errc::internal));
    } catch (...) {
      fail(passing(phase_, "internal failure", Errc::internal));
    }
  }

  // `self` keeps this object while the coroutine runs; the steps are members that only refer to it.
  static Awaitable run(std::shared_ptr<Impl> self) {
    Impl& dialer = *self;
    if (dialer.is_over()) co_return;
    if (dialer.resolved_.endpoints.empty()) {
      dialer.fail(passing(Phase::resolve, dialer.resolved_.problem));
      co_return;
    }
    dialer.next_phase(Phase::connect);
    co_await dialer.connect();
    if (dialer.is_over()) co_return;
    dialer.next_phase(Phase::tls);
    co_await dialer.handshake();
    if (dialer.is_over()) co_return;
    dialer.next_phase(Phase::upgrade);
    DialResult result;
    SSL* const ssl = dialer.stream_->ssl();
    std::string tls = std::string(SSL_get_version(ssl)) + " " + SSL_get_cipher_name(ssl);
    result.dialed.emplace(
        Dialed{std::move(*dialer.stream_), dialer.peer_, std::move(tls), dialer.times_});
    dialer.stream_.reset();
    dialer.finish(std::move(result));
  }

  // Tries one address after the other; each gets its share of the time that is left.
  Awaitable connect() {
    std::string problems;
    for (std::size_t i = 0; i < resolved_.endpoints.size(); ++i) {
      const tcp::endpoint& endpoint = resolved_.endpoints[i];
      const SteadyTime now = SteadyClock::now();
      const auto left = static_cast<long>(resolved_.endpoints.size() - i);
      const auto share =
          std::max<SteadyClock::duration>((deadline_ - now) / left, k_least_per_address);
      arm(std::min(deadline_, now + share));
      error_code error;
      open_socket(endpoint, error);
      if (!error) co_await socket_->async_connect(endpoint, asio::redirect_error(k_await, error));
      if (is_over()) co_return;
      if (!error) {
        peer_ = text_of(endpoint);
        arm(deadline_);
        co_return;
      }
      problems += (problems.empty() ? "" : "; ") + text_of(endpoint) + ": " +
                  (timed_out_ ? "no answer" : error.message());
      if (SteadyClock::now() >= deadline_) {
        fail(no_answer(*target_, phase_));
        co_return;
      }
    }
    fail(passing(Phase::connect, "cannot connect to " + problems));
  }

  void open_socket(const tcp::endpoint& to, error_code& error) {
    socket_.emplace(executor_);
    socket_->open(to.protocol(), error);
    if (error) return;
    socket_->set_option(tcp::no_delay(true), error);
    if (error || local_address_.empty()) return;
    const auto address = asio::ip::make_address(local_address_, error);
    if (error) return;
    // The port is chosen at connect: ten thousand connections may share one source address.
    const int on = 1;
    ::setsockopt(socket_->native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    socket_->bind(tcp::endpoint(address, 0), error);
  }

  Awaitable handshake() {
    stream_.emplace(std::move(*socket_), target_->context, Role::client);
    socket_.reset();
    const std::string& host = target_->url.host;
    set_expected_host(stream_->ssl(), host);
    error_code error;
    co_await stream_->async_handshake(asio::redirect_error(k_await, error));
    if (is_over()) co_return;
    if (error) {
      fail(handshake_ending(error, stream_->error_detail()));
      co_return;
    }
    const auto checked = check_server_certificate(stream_->ssl(), target_->tls, host);
    if (!checked) fail(final_ending(Phase::tls, checked.error().code, checked.error().message()));
  }

  Ending handshake_ending(const error_code& error, const std::string& detail) const {
    if (timed_out_) return no_answer(*target_, phase_);
    // A cut is the network's or a starting server's; what OpenSSL itself objects to stays.
    if (detail.empty()) return cut_off(Phase::tls, error, detail);
    return final_ending(Phase::tls, Errc::tls,
                        "no TLS with " + target_->url.authority() + ": " + detail +
                            " (does something else than clawws listen there?)");
  }

  Executor executor_;
  std::shared_ptr<const DialTarget> target_;
  std::string local_address_;
  Done done_;  // empty once it is over
  Timer timer_;
  std::optional<BackgroundCall<Resolved>> resolving_;
  Resolved resolved_;
  std::optional<TcpSocket> socket_;  // until TLS takes it over
  std::optional<TlsStream> stream_;
  std::string peer_;
  PhaseTimes times_{};
  SteadyTime deadline_{}, phase_start_{};
  Phase phase_ = Phase::resolve;
  bool timed_out_ = false;
};

Dialer::Dialer(Executor executor, std::shared_ptr<const DialTarget> target)
    : impl_(std::make_shared<Impl>(executor, std::move(target))) {}
Dialer::~Dialer() {
  impl_->cancel();
}
void Dialer::start(const std::string& local_address, SteadyTime deadline, Done done) {
  impl_->start(local_address, deadline, std::move(done));
}
Phase Dialer::phase() const noexcept {
  return impl_->phase();
}

}  // namespace clawws::net
