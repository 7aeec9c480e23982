// One request for the upstream, from its head to the end of its answer. Bodies go through as they
// come, both ways at once, with no more in memory than one read of each; who is too slow for the
// minimum rate is ended. A WebSocket of the upstream becomes a tunnel.
//
//   client --- request body ---> upload (a coroutine of its own) ---> upstream
//   client <--------------------- run() <------ head, body ---------- upstream
//   supervisor, in the shard's timing wheel: slow flows, a client that has gone
//
// Owned by the coroutine of its connection, on the shard's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "clawws/net/tls_stream.hpp"
#include "clawws/server/http.hpp"

namespace clawws::server {

class Shard;

// What the request's connection lends.
struct ProxyClient {
  Shard& shard;
  net::TlsStream& stream;
  std::string& input;  // read, not yet used: begins with the request's head
  boost::asio::ip::tcp::endpoint peer;
};

struct ProxyResult {
  enum class End : std::uint8_t {
    kept,     // answered; the next request may follow
    closes,   // answered; the connection ends, with its proper words
    dropped,  // cut off: the client has gone, or must see that the answer is not whole
    refused,  // nothing was answered yet: `refusal` is to be sent
  } end = End::dropped;
  HttpAnswer refusal;
  unsigned version = 11;
  BodyWanted wanted = BodyWanted::yes;
};

// Whether the request whose head, or a part of it, begins `input` is the upstream's; false when there
// is no upstream. Who reads /clawws is redirected to the dashboard, so that one is not.
bool goes_upstream(Shard& shard, std::string_view input);

// `head_bytes` of client.input have passed the gate.
boost::asio::awaitable<ProxyResult> proxy_request(ProxyClient client, std::size_t head_bytes);

}  // namespace clawws::server
