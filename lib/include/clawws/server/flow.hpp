// One direction of one stream: the wait for the kernel, and the measure that tells a slow peer from
// a live one. What moves bytes says when it has to wait and what has moved; a supervisor asks now
// and then whether that was enough. The shard's thread.
//
// A window begins with the first wait. Waiting for somebody else ends it (restart()), so that
// nobody is blamed for another one's slowness.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <span>
#include <string>

#include "clawws/base/time.hpp"
#include "clawws/net/tls_channel.hpp"
#include "clawws/net/tls_stream.hpp"

namespace clawws::server {

class Flow {
 public:
  void begin_wait() {
    if (!std::exchange(open_, true)) {
      since_ = base::SteadyClock::now();
      bytes_ = 0;
    }
    waiting_ = true;
    ++waits_;
  }
  void end_wait() noexcept { waiting_ = false; }
  void moved(std::size_t bytes) noexcept { bytes_ += bytes; }
  void restart() noexcept { open_ = false; }
  std::uint64_t waits() const noexcept { return waits_; }

  // True when a window has passed in which somebody waited and less than `least_bytes` moved.
  bool too_slow(base::SteadyTime now, base::Millis window, std::size_t least_bytes) noexcept {
    if (!waiting_ || !open_ || now - since_ < window) return false;
    const bool slow = bytes_ < least_bytes;
    since_ = now;
    bytes_ = 0;
    return slow;
  }

 private:
  bool open_ = false;
  bool waiting_ = false;
  std::uint64_t waits_ = 0;
  std::size_t bytes_ = 0;
  base::SteadyTime since_{};
};

// Until the kernel has bytes, or takes some, or the wait was cancelled: the caller tries again.
template <class Stream>
net::asio::awaitable<void> wait_for(Stream& stream, net::IoStatus wanted, Flow& flow) {
  flow.begin_wait();
  net::error_code tried_again_in_any_case;
  const auto what =
      wanted == net::IoStatus::want_write ? net::TcpSocket::wait_write : net::TcpSocket::wait_read;
  co_await stream.socket().async_wait(
      what, net::asio::redirect_error(net::asio::use_awaitable, tried_again_in_any_case));
  flow.end_wait();
}

// Appends to `into` what has come, by way of `scratch`, which is free again before anything waits.
// Once `over` is set it fails, as soon as it is woken (by the socket's cancel()).
template <class Stream>
net::asio::awaitable<net::IoResult> read_more(Stream& stream, std::string& into,
                                              std::span<char> scratch, Flow& flow,
                                              const bool& over) {
  while (!over) {
    const net::IoResult got = stream.read_now(scratch.data(), scratch.size());
    if (got.status != net::IoStatus::want_read && got.status != net::IoStatus::want_write) {
      flow.moved(got.bytes);
      into.append(scratch.data(), got.bytes);
      co_return got;
    }
    co_await wait_for(stream, got.status, flow);
  }
  co_return net::IoResult{net::IoStatus::failed, 0};
}

// Writes all of it; false when the stream failed or `over` was set. `bytes` stays as it is
// meanwhile.
template <class Stream>
net::asio::awaitable<bool> write_all(Stream& stream, const std::string& bytes, Flow& flow,
                                     const bool& over) {
  std::size_t sent = 0;
  while (sent < bytes.size() && !over) {
    const net::IoResult put = stream.write_now(bytes.data() + sent, bytes.size() - sent);
    if (put.status == net::IoStatus::done) {
      sent += put.bytes;
      flow.moved(put.bytes);
    } else if (put.status == net::IoStatus::want_write || put.status == net::IoStatus::want_read) {
      co_await wait_for(stream, put.status, flow);
    } else {
      co_return false;
    }
  }
  co_return sent == bytes.size();
}

}  // namespace clawws::server
