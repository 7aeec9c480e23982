// What Beast's websocket::stream asks of a transport that it does not know: how to end it. To be
// included by every file that instantiates websocket::stream<net::TlsStream> (few should: the
// templates are slow to compile).
#pragma once

#include <boost/beast/core/role.hpp>

#include "clawws/net/tls_stream.hpp"

namespace clawws::net {

// After a WebSocket close: say close_notify if nothing is in the way, and close. Beast calls it
// where both sides have said their last word, so there is nothing to wait for.
inline void teardown(boost::beast::role_type, TlsStream& stream, error_code& error) {
  stream.shutdown_now();
  stream.close(TlsStream::CloseMode::graceful);
  error = {};
}

template <class Handler>
void async_teardown(boost::beast::role_type role, TlsStream& stream, Handler&& handler) {
  error_code error;
  teardown(role, stream, error);
  asio::post(stream.get_executor(),
             [done = std::forward<Handler>(handler)]() mutable { done(error_code{}); });
}

// Beast's own timeouts end with this.
inline void beast_close_socket(TlsStream& stream) {
  stream.close(TlsStream::CloseMode::graceful);
}

}  // namespace clawws::net
