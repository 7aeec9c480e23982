// The TLS transport of servers and clients: a TlsChannel on an Asio socket. The reactor is asked
// only when the kernel says "not now". Asio's ssl::stream keeps two 17 KiB buffers a connection and
// copies every byte twice.
//
// Two faces over one connection:
//  * read_now / write_now (see net/tls_channel.hpp, also on pending writes) with wait_read /
//    wait_write: plain calls for the broadcast's hot path;
//  * async_read_some / async_write_some / async_handshake: Asio's stream concept, for Beast.
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
#include <utility>

#include "clawws/net/tls_channel.hpp"

namespace clawws::net {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

class TlsStream : public TlsChannel {
 public:
  using executor_type = Executor;

  // `socket` is open (connected, or for a client about to be); it is made non-blocking.
  TlsStream(TcpSocket socket, const TlsContext& context, Role role);
  TlsStream(TlsStream&&) noexcept = default;
  TlsStream& operator=(TlsStream&&) = delete;
  ~TlsStream();

  executor_type get_executor() noexcept { return socket_.get_executor(); }
  TcpSocket& socket() noexcept { return socket_; }

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
  template <class Buffer, class Buffers>
  static Buffer first_buffer(const Buffers& buffers) {
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
      if (Buffer(*it).size() != 0) return *it;
    }
    return {};
  }

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
};

}  // namespace clawws::net
