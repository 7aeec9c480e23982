// The TLS transport: OpenSSL straight on a non-blocking TCP socket (SSL_set_fd). No BIO pair and no
// buffers of its own; the reactor is asked only when the kernel says "not now". Asio's ssl::stream
// keeps two 17 KiB buffers a connection and copies every byte twice.
//
// Two faces over one connection:
//  * read_now / write_now with wait_read / wait_write: plain calls for the broadcast's hot path;
//  * async_read_some / async_write_some / async_handshake: Asio's stream concept, for Beast.
//
// A pending write is sacred: after want_write the next write_now must offer the same bytes and the
// same length; OpenSSL 3.0 ends the connection or mixes content otherwise. The length is asserted
// here, the bytes are the caller's duty.
//
// One thread at a time (the executor's). SIGPIPE must be ignored by the process.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "clawws/net/tls_context.hpp"

namespace clawws::net {

namespace asio = boost::asio;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

enum class Role : std::uint8_t { server, client };

enum class IoStatus : std::uint8_t { done, want_read, want_write, closed, failed };
struct IoResult {
  IoStatus status;
  std::size_t bytes;  // for done: at least 1
};

class TlsStream {
 public:
  using executor_type = Executor;

  // `socket` is open (connected, or for a client about to be); it is made non-blocking.
  TlsStream(TcpSocket socket, const TlsContext& context, Role role);
  TlsStream(TlsStream&&) noexcept = default;
  TlsStream& operator=(TlsStream&&) = delete;
  ~TlsStream();

  executor_type get_executor() noexcept { return socket_.get_executor(); }
  TcpSocket& socket() noexcept { return socket_; }
  ssl_st* ssl() noexcept { return ssl_.get(); }

  // Moves at most `size` bytes (a write: at most one TLS record of 16 KiB). Never blocks.
  // closed: the peer said close_notify. failed: see error().
  IoResult read_now(void* data, std::size_t size) noexcept;
  IoResult write_now(const void* data, std::size_t size) noexcept;
  IoResult handshake_now() noexcept;
  // Why the last call failed: the socket's error or OpenSSL's.
  const error_code& error() const noexcept { return error_; }
  // OpenSSL's own words for it; empty for a plain socket error.
  const std::string& error_detail() const noexcept { return error_detail_; }
  // True from a write that had to wait until the call that finished it.
  bool write_pending() const noexcept { return pending_bytes_ != 0; }
  // Bytes that OpenSSL holds already decrypted: no readiness event will announce them.
  bool has_decrypted() const noexcept;

  // Bytes of TLS records that the kernel has taken so far: what tells a slow peer from a dead one.
  std::uint64_t wire_bytes_written() const noexcept;

  // Gives OpenSSL's record buffers back when nothing is in them; false: something is. A client that
  // was sent a session ticket holds a 16 KiB write buffer for good otherwise.
  bool release_buffers() noexcept;

  // Sends close_notify if nothing is pending, without waiting. The socket stays open.
  void shutdown_now() noexcept;
  // Closes the socket; `reset` makes the kernel drop what it still holds and send RST.
  enum class CloseMode : std::uint8_t { graceful, reset };
  void close(CloseMode mode) noexcept;

  // `handler(error_code)` once the kernel has bytes, or takes some, or the socket failed.
  template <class Handler>
  void wait_read(Handler&& handler) {
    socket_.async_wait(TcpSocket::wait_read, std::forward<Handler>(handler));
  }
  template <class Handler>
  void wait_write(Handler&& handler) {
    socket_.async_wait(TcpSocket::wait_write, std::forward<Handler>(handler));
  }

  template <class Token>
  auto async_handshake(Token&& token) {
    return asio::async_compose<Token, void(error_code)>(HandshakeOp(*this), token, socket_);
  }
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const auto buffer = first_buffer<asio::mutable_buffer>(buffers);
    return asio::async_compose<Token, void(error_code, std::size_t)>(
        ReadOp(*this, buffer.data(), buffer.size()), token, socket_);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto buffer = first_buffer<asio::const_buffer>(buffers);
    return asio::async_compose<Token, void(error_code, std::size_t)>(
        WriteOp(*this, buffer.data(), buffer.size()), token, socket_);
  }

 private:
  struct SslFree {
    void operator()(ssl_st* ssl) const noexcept;
  };

  template <class Buffer, class Buffers>
  static Buffer first_buffer(const Buffers& buffers) {
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
      if (Buffer(*it).size() != 0) return *it;
    }
    return {};
  }

  IoResult outcome(int ssl_result) noexcept;
  error_code completion_error(IoStatus status) const noexcept;

  // Drives one operation: try, wait for what is wanted, try again. A result that is there at once
  // is delivered through the executor, since a handler must not run inside its initiating call.
  template <class Op, class Self>
  static void drive(Op& op, Self& self, const error_code& waited) {
    TlsStream& stream = op.stream;
    if (op.finished) {
      op.complete(self);
      return;
    }
    if (waited) {
      op.result = {IoStatus::failed, 0};
      op.error = waited;
      op.complete(self);
      return;
    }
    const bool initiating = !std::exchange(op.started, true);
    op.result = op.attempt();
    switch (op.result.status) {
      case IoStatus::want_read:
        stream.wait_read(std::move(self));
        return;
      case IoStatus::want_write:
        stream.wait_write(std::move(self));
        return;
      default:
        op.error = stream.completion_error(op.result.status);
        if (initiating) {
          op.finished = true;
          asio::post(stream.get_executor(), std::move(self));
        } else {
          op.complete(self);
        }
    }
  }

  struct OpState {
    explicit OpState(TlsStream& s) : stream(s) {}
    TlsStream& stream;
    bool started = false;
    bool finished = false;
    IoResult result{IoStatus::done, 0};
    error_code error;
  };
  struct HandshakeOp : OpState {
    using OpState::OpState;
    IoResult attempt() { return stream.handshake_now(); }
    template <class Self>
    void complete(Self& self) {
      self.complete(error);
    }
    template <class Self>
    void operator()(Self& self, const error_code& waited = {}) {
      drive(*this, self, waited);
    }
  };
  struct ReadOp : OpState {
    ReadOp(TlsStream& s, void* d, std::size_t n) : OpState(s), data(d), size(n) {}
    void* data;
    std::size_t size;
    IoResult attempt() { return size == 0 ? IoResult{IoStatus::done, 0} : stream.read_now(data, size); }
    template <class Self>
    void complete(Self& self) {
      self.complete(error, result.bytes);
    }
    template <class Self>
    void operator()(Self& self, const error_code& waited = {}) {
      drive(*this, self, waited);
    }
  };
  struct WriteOp : OpState {
    WriteOp(TlsStream& s, const void* d, std::size_t n) : OpState(s), data(d), size(n) {}
    const void* data;
    std::size_t size;
    IoResult attempt() { return size == 0 ? IoResult{IoStatus::done, 0} : stream.write_now(data, size); }
    template <class Self>
    void complete(Self& self) {
      self.complete(error, result.bytes);
    }
    template <class Self>
    void operator()(Self& self, const error_code& waited = {}) {
      drive(*this, self, waited);
    }
  };

  TcpSocket socket_;
  std::unique_ptr<ssl_st, SslFree> ssl_;
  std::size_t pending_bytes_ = 0;
  error_code error_;
  std::string error_detail_;
};

}  // namespace clawws::net
