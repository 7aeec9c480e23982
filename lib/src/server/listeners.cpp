#include "clawws/server/listeners.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <charconv>

#include "clawws/base/posix.hpp"

namespace clawws::server {

using base::Errc;
using base::Error;
using base::Result;
using net::error_code;
using tcp = boost::asio::ip::tcp;

namespace {

constexpr int k_first_systemd_fd = 3;           // sd_listen_fds(3)
constexpr int k_unsent_low_water = 64 * 1024;   // keeps a slow client's lag here, where it is seen
constexpr base::Millis k_pause{100};

int number_in_environment(const char* name) {
  const std::string text = base::environment(name);
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string text_of(const net::HostPort& place) {
  const bool v6 = place.host.find(':') != std::string::npos;
  return (v6 ? "[" + place.host + "]" : place.host) + ":" + std::to_string(place.port);
}

// Accepted sockets inherit both from their listener.
void set_options(net::TcpAcceptor& acceptor) {
  const int fd = static_cast<int>(acceptor.native_handle());
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &k_unsent_low_water, sizeof k_unsent_low_water);
}

}  // namespace

Listeners::Listeners(net::asio::io_context& control, const ServerConfig& config, base::Logger& log)
    : control_(control),
      config_(config),
      log_(log),
      rate_(static_cast<std::uint32_t>(std::min<std::uint64_t>(config.accept_rate * 60, UINT32_MAX)),
            static_cast<std::uint32_t>(std::min<std::uint64_t>(std::max<std::uint64_t>(config.accept_rate, 1), UINT32_MAX)),
            base::SteadyClock::now()) {}

Result<void> Listeners::open() {
  const int inherited = number_in_environment("LISTEN_PID") == ::getpid() ? number_in_environment("LISTEN_FDS") : 0;
  for (int i = 0; i < inherited; ++i) {
    error_code failed;
    net::TcpAcceptor acceptor(control_.get_executor());
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = k_first_systemd_fd + i;
    int listens = 0;
    socklen_t listens_size = sizeof listens;
    const bool named = ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                       ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) == 0;
    if (!named || listens == 0 || (address.ss_family != AF_INET && address.ss_family != AF_INET6)) {
      return Error(Errc::io, "socket " + std::to_string(fd) +
                                 " from LISTEN_FDS is no TCP listener; the systemd unit needs ListenStream=PORT or "
                                 "ADDRESS:PORT, and Accept=no");
    }
    acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), fd, failed);
    if (failed) return Error(Errc::io, "cannot use socket " + std::to_string(fd) + " from LISTEN_FDS: " + failed.message());
    set_options(acceptor);
    acceptors_.push_back(std::move(acceptor));
  }
  if (inherited > 0) return {};

  for (const net::HostPort& place : config_.listen) {
    error_code failed;
    tcp::resolver resolver(control_);
    const auto found = resolver.resolve(place.host, std::to_string(place.port),
                                        tcp::resolver::passive | tcp::resolver::numeric_service, failed);
    if (failed || found.empty()) {
      return Error(Errc::io, "cannot listen on " + text_of(place) + ": " + failed.message());
    }
    net::TcpAcceptor acceptor(control_.get_executor());
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), failed);
    if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed && endpoint.protocol() == tcp::v6()) acceptor.set_option(boost::asio::ip::v6_only(true), failed);
    if (!failed) acceptor.bind(endpoint, failed);
    if (!failed) acceptor.listen(boost::asio::socket_base::max_listen_connections, failed);
    if (failed == boost::asio::error::address_in_use) {
      return Error(Errc::address_in_use, "cannot listen on " + text_of(place) +
                                             ": another program has the port. Stop it, or choose another with "
                                             "--listen " + place.host + ":PORT (0 picks a free one)");
    }
    if (failed == boost::asio::error::access_denied) {
      return Error(Errc::io, "cannot listen on " + text_of(place) +
                                 ": not permitted. Ports below 1024 need the right CAP_NET_BIND_SERVICE or a systemd socket");
    }
    if (failed) return Error(Errc::io, "cannot listen on " + text_of(place) + ": " + failed.message());
    set_options(acceptor);
    acceptors_.push_back(std::move(acceptor));
  }
  return {};
}

std::vector<net::HostPort> Listeners::bound() const {
  std::vector<net::HostPort> places;
  for (const net::TcpAcceptor& acceptor : acceptors_) {
    error_code closed;
    const tcp::endpoint endpoint = acceptor.local_endpoint(closed);
    if (!closed) places.push_back({endpoint.address().to_string(), endpoint.port()});
  }
  return places;
}

bool Listeners::all_loopback() const {
  return std::all_of(acceptors_.begin(), acceptors_.end(), [](const net::TcpAcceptor& acceptor) {
    error_code closed;
    const auto endpoint = acceptor.local_endpoint(closed);
    return !closed && endpoint.address().is_loopback();
  });
}

void Listeners::accept_into(std::vector<std::unique_ptr<Shard>>& shards) {
  shards_ = &shards;
  for (std::size_t i = 0; i < acceptors_.size(); ++i) pauses_.emplace_back(control_);
  for (std::size_t i = 0; i < acceptors_.size(); ++i) accept_next(i);
}

void Listeners::accept_next(std::size_t listener) {
  if (!acceptors_[listener].is_open()) return;
  if (config_.accept_rate != 0 && !rate_.take(base::SteadyClock::now())) {
    accept_later(listener, base::Millis(1 + 1000 / static_cast<std::int64_t>(config_.accept_rate)));
    return;
  }
  Shard& shard = *(*shards_)[next_shard_++ % shards_->size()];
  acceptors_[listener].async_accept(
      shard.context(), [this, listener, &shard](const error_code& failed, tcp::socket socket) {
        if (failed == boost::asio::error::operation_aborted) return;
        // A peer that went before it was accepted is its own affair; what else is wrong lasts a while.
        if (failed && failed != boost::asio::error::connection_aborted) {
          const bool files = failed == boost::asio::error::no_descriptors || failed.value() == ENFILE;
          if (!std::exchange(accept_fails_, true)) {
            log_.error("cannot accept: " + failed.message() + (files ? "; raise the limit of open files (ulimit -n)" : ""));
          }
          accept_later(listener, k_pause);
          return;
        }
        accept_fails_ = false;
        if (!failed) {
          shard.counters().connections_accepted.fetch_add(1, std::memory_order_relaxed);
          error_code ignored;
          const tcp protocol = socket.local_endpoint(ignored).protocol();
          net::TcpSocket adopted(shard.context().get_executor());
          const int fd = static_cast<int>(socket.release(ignored));
          if (!ignored) adopted.assign(protocol, fd, ignored);
          if (!ignored) shard.adopt(std::move(adopted));
        }
        accept_next(listener);
      });
}

void Listeners::accept_later(std::size_t listener, base::Millis wait) {
  pauses_[listener].expires_after(wait);
  pauses_[listener].async_wait([this, listener](const error_code& stopped) {
    if (!stopped) accept_next(listener);
  });
}

void Listeners::close() {
  for (net::TcpAcceptor& acceptor : acceptors_) {
    error_code already;
    acceptor.close(already);
  }
  for (auto& pause : pauses_) pause.cancel();
}

}  // namespace clawws::server
