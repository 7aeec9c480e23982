// Lean, because the generator must not be what is measured. Per readiness one read(2) takes all
// that waits (read_ahead), and the time is taken right behind it, before anything is parsed: what a
// message waits in this process before that is the loop's lag, which has a histogram of its own.
//
// Memory of an idle connection is OpenSSL's alone: its buffers are given back once the handshake
// and the session tickets behind it are through, and what was sent keeps no capacity.
#include "clawws/bench/link.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "clawws/base/assert.hpp"

namespace clawws::bench {
namespace {

// A pending write must be repeated with the same length, so it is cut before it is offered.
constexpr std::size_t k_record_bytes = 16 * 1024;
constexpr std::size_t k_kept_bytes = 512;

const sockaddr* as_sockaddr(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Link::Link(Loop& loop, std::shared_ptr<const Target> target, Owner& owner)
    : loop_(loop), target_(std::move(target)), owner_(owner) {}

Link::~Link() {
  close();
}

net::Phase Link::phase() const noexcept {
  switch (state_) {
    case State::idle:
    case State::tcp:
      return net::Phase::connect;
    case State::tls:
      return net::Phase::tls;
    default:
      return net::Phase::live;
  }
}

void Link::dial(std::size_t source_index, int receive_buffer_bytes) {
  CLAWWS_ASSERT(state_ == State::idle);
  dialled_at_ = steady_now();
  state_ = State::tcp;
  fd_.reset(::socket(target_->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) {
    fail(net::passing(net::Phase::connect, "no socket: " + base::errno_text(errno)));
    return;
  }
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer_bytes > 0)
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  const sockaddr_storage source = source_address(*target_, source_index);
  if (source.ss_family == AF_INET) {
    // The port is chosen at connect: it must be free for this destination only.
    ::setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    // Where the machine has no such address the kernel's own choice does as well.
    ::bind(fd_.get(), as_sockaddr(source), sizeof(sockaddr_in));
  }
  wanted_ = EPOLLOUT;
  loop_.add(fd_.get(), *this, wanted_);
  if (::connect(fd_.get(), as_sockaddr(target_->address), target_->address_bytes) != 0 &&
      errno != EINPROGRESS)
    fail(net::passing(net::Phase::connect, "cannot connect to " + target_->address_text + ": " +
                                               base::errno_text(errno)));
}

void Link::on_ready(std::uint32_t epoll_events) {
  switch (state_) {
    case State::tcp:
      connected();
      return;
    case State::tls:
      handshake();
      return;
    case State::open:
      if ((epoll_events & EPOLLOUT) != 0) flush();
      if (state_ == State::open && reading_ && (epoll_events & ~std::uint32_t{EPOLLOUT}) != 0)
        read();
      // A reader that has stopped must not be woken by the other side's end for ever.
      if (state_ == State::open && !reading_ && (epoll_events & (EPOLLERR | EPOLLHUP)) != 0)
        fail(net::passing(net::Phase::live, "connection ended by the other side"));
      return;
    case State::idle:
    case State::closed:
      return;  // said in the same turn as the end
  }
}

void Link::connected() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    fail(net::passing(net::Phase::connect, "cannot connect to " + target_->address_text + ": " +
                                               base::errno_text(error)));
    return;
  }
  tcp_time_ = steady_now() - dialled_at_;
  tls_.emplace(fd_.get(), target_->ws->context, net::Role::client);
  tls_->read_ahead();
  net::set_expected_host(tls_->ssl(), target_->ws->url.host);
  state_ = State::tls;
  handshake();
}

void Link::handshake() {
  const net::IoResult result = tls_->handshake_now();
  switch (result.status) {
    case net::IoStatus::want_read:
      want(EPOLLIN);
      return;
    case net::IoStatus::want_write:
      want(EPOLLOUT);
      return;
    case net::IoStatus::done:
      break;
    case net::IoStatus::closed:
    case net::IoStatus::failed:
      fail(tls_->error_detail().empty()
               ? net::passing(net::Phase::tls,
                              "connection lost in the TLS handshake: " + tls_->error().message())
               : net::final_ending(
                     net::Phase::tls, base::Errc::tls,
                     "no TLS with " + target_->ws->url.authority() + ": " + tls_->error_detail()));
      return;
  }
  const auto checked =
      net::check_server_certificate(tls_->ssl(), target_->ws->tls, target_->ws->url.host);
  if (!checked) {
    fail(net::final_ending(net::Phase::tls, checked.error().code, checked.error().message()));
    return;
  }
  tls_time_ = steady_now() - dialled_at_ - tcp_time_;
  state_ = State::open;
  want(EPOLLIN);
  owner_.on_secure();
  if (state_ == State::open && tls_->has_buffered()) read();
}

void Link::read() {
  const std::span<char> buffer = loop_.scratch();
  for (;;) {
    const net::IoResult result = tls_->read_now(buffer.data(), buffer.size());
    switch (result.status) {
      case net::IoStatus::done:
        owner_.on_bytes({buffer.data(), result.bytes}, steady_now());
        if (state_ != State::open || !reading_) return;
        if (tls_->has_buffered()) continue;
        // Nothing left inside OpenSSL: the kernel will say when there is more. The handshake's
        // buffers can go, once the session tickets have come too.
        if (!released_) released_ = tls_->release_buffers();
        return;
      case net::IoStatus::want_read:
        return;
      case net::IoStatus::want_write:
        want(EPOLLIN | EPOLLOUT);
        return;
      case net::IoStatus::closed:
        fail(net::passing(net::Phase::live, "connection closed by the other side"));
        return;
      case net::IoStatus::failed:
        fail(net::passing(
            net::Phase::live,
            "connection lost: " + (tls_->error_detail().empty() ? tls_->error().message()
                                                                : "TLS: " + tls_->error_detail())));
        return;
    }
  }
}

void Link::send(std::string_view bytes) {
  if (state_ != State::open) return;
  out_ += bytes;
  flush();
}

void Link::flush() {
  while (sent_ < out_.size()) {
    const std::size_t size =
        offered_ != 0 ? offered_ : std::min(out_.size() - sent_, k_record_bytes);
    const net::IoResult result = tls_->write_now(out_.data() + sent_, size);
    switch (result.status) {
      case net::IoStatus::done:
        offered_ = 0;
        sent_ += result.bytes;
        continue;
      case net::IoStatus::want_read:
      case net::IoStatus::want_write:
        offered_ = size;
        want((reading_ ? EPOLLIN : 0U) | EPOLLOUT);
        return;
      case net::IoStatus::closed:
      case net::IoStatus::failed:
        fail(net::passing(net::Phase::live,
                          "connection lost while sending: " + tls_->error().message()));
        return;
    }
  }
  out_.clear();
  if (out_.capacity() > k_kept_bytes) out_.shrink_to_fit();
  sent_ = 0;
  want(reading_ ? EPOLLIN : 0U);
  owner_.on_sent();
}

void Link::want(std::uint32_t epoll_events) {
  if (epoll_events == wanted_) return;
  wanted_ = epoll_events;
  loop_.change(fd_.get(), *this, epoll_events);
}

void Link::stop_reading() {
  reading_ = false;
  if (state_ == State::open) want(wanted_ & ~std::uint32_t{EPOLLIN});
}

void Link::finish() {
  if (state_ != State::open) {
    close();
    return;
  }
  tls_->shutdown_now();
  ::shutdown(fd_.get(), SHUT_WR);
}

void Link::close() {
  if (!is_open()) return;
  state_ = State::closed;
  if (fd_) loop_.remove(fd_.get());
  // Frees OpenSSL's memory too; a connection that has ended is kept only for its account.
  tls_.reset();
  fd_.reset();
  out_ = {};
}

void Link::fail(const net::Ending& ending) {
  if (!is_open()) return;
  close();
  owner_.on_end(ending);
}

void Link::drop(const net::Ending& ending) {
  const linger at_once{1, 0};
  if (fd_) ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fail(ending);
}

}  // namespace clawws::bench
