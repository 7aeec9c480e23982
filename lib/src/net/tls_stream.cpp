#include "clawws/net/tls_stream.hpp"

namespace clawws::net {

namespace {

int non_blocking_fd(TcpSocket& socket) {
  error_code ignored_if_closed;
  socket.native_non_blocking(true, ignored_if_closed);
  return static_cast<int>(socket.native_handle());
}

}  // namespace

TlsStream::TlsStream(TcpSocket socket, const TlsContext& context, Role role)
    : TlsChannel(non_blocking_fd(socket), context, role), socket_(std::move(socket)) {}

TlsStream::~TlsStream() = default;

void TlsStream::close(CloseMode mode) noexcept {
  if (!socket_.is_open()) return;
  error_code ignored;  // the socket is given up either way
  if (mode == CloseMode::reset) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

}  // namespace clawws::net
