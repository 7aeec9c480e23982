// TLS on a non-blocking socket's descriptor (SSL_set_fd), without an event loop: plain calls that
// never block and say what they wait for. The transports build on it: TlsStream with Asio, the load
// generator with its own epoll loop. No BIO pair and no buffers of its own.
//
// A pending write is sacred: after want_write the next write_now must offer the same bytes and the
// same length; OpenSSL 3.0 ends the connection or mixes content otherwise. The length is asserted
// here, the bytes are the caller's duty.
//
// One thread at a time. The descriptor stays the owner's. SIGPIPE must be ignored by the process.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "clawws/net/tls_context.hpp"

namespace clawws::net {

using boost::system::error_code;

enum class Role : std::uint8_t { server, client };

enum class IoStatus : std::uint8_t { done, want_read, want_write, closed, failed };
struct IoResult {
  IoStatus status;
  std::size_t bytes;  // for done: at least 1
};

class TlsChannel {
 public:
  TlsChannel(int fd, const TlsContext& context, Role role);
  TlsChannel(TlsChannel&&) noexcept = default;
  TlsChannel& operator=(TlsChannel&&) = delete;
  ~TlsChannel();

  // "TLSv1.3 TLS_AES_128_GCM_SHA256"; after the handshake.
  std::string description() const;
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

  // From now on one read(2) takes all that waits, up to a record's buffer, instead of two for each
  // record. has_buffered() then says whether to read on before the next readiness event.
  void read_ahead() noexcept;
  bool has_buffered() const noexcept;

  // Bytes of TLS records that the kernel has taken so far: what tells a slow peer from a dead one.
  std::uint64_t wire_bytes_written() const noexcept;

  // Gives OpenSSL's record buffers back when nothing is in them; false: something is. A client that
  // was sent a session ticket holds a 16 KiB write buffer for good otherwise.
  bool release_buffers() noexcept;

  // Sends close_notify if nothing is pending, without waiting. The socket stays open.
  void shutdown_now() noexcept;

 protected:
  error_code completion_error(IoStatus status) const noexcept;

 private:
  struct SslFree {
    void operator()(ssl_st* ssl) const noexcept;
  };
  IoResult outcome(int ssl_result) noexcept;

  std::unique_ptr<ssl_st, SslFree> ssl_;
  std::size_t pending_bytes_ = 0;
  error_code error_;
  std::string error_detail_;
};

}  // namespace clawws::net
