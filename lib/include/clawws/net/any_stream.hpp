// A connected stream to another server, plain TCP or TLS, with the face of TlsStream for callers
// that try first and wait only when the kernel says "not now" (net/tls_channel.hpp has the meaning
// of the results, also that a write which had to wait must be offered again, unchanged).
//
// One thread at a time (the executor's). SIGPIPE must be ignored by the process.
#pragma once

#include <variant>

#include "clawws/net/tls_stream.hpp"

namespace clawws::net {

class AnyStream {
 public:
  // A plain one is made non-blocking.
  explicit AnyStream(TcpSocket socket);
  explicit AnyStream(TlsStream stream) : way_(std::move(stream)) {}

  TcpSocket& socket() noexcept;
  // `closed` is the other side's proper end: close_notify, or on plain TCP its FIN.
  IoResult read_now(void* data, std::size_t size) noexcept;
  IoResult write_now(const void* data, std::size_t size) noexcept;
  // Why the last call failed, for people.
  std::string problem() const;

 private:
  IoResult outcome(ssize_t result, IoStatus not_now) noexcept;

  std::variant<TcpSocket, TlsStream> way_;
  error_code error_;  // of a plain one
};

}  // namespace clawws::net
