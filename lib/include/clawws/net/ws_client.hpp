// One WebSocket connection as a client: DNS, TCP, TLS, upgrade, live, end. It knows neither events
// nor reconnecting; it says how each phase went and sorts the end (net/ending.hpp).
//
//   WsTarget (shared, immutable) --.
//   WsRequest (this attempt) -------+--> WsClient --> WsEvents: on_open, on_text …, on_end (once)
//
// Everything happens on the executor's one thread, callbacks included; none runs inside connect().
// The object may be destroyed at any time, from inside a callback too: the connection is dropped
// and no further callback comes. SIGPIPE must be ignored. Built for 10,000 in one process: about 20
// KB each when idle, most of it OpenSSL's; the message buffer is let go when a large message has
// passed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "clawws/base/time.hpp"
#include "clawws/net/dial_target.hpp"
#include "clawws/net/ending.hpp"

namespace clawws::net {

// Where to and how; shared by any number of connections.
struct WsTarget : DialTarget {
  std::string user_agent;
  std::size_t max_message_bytes = 16u << 20;
};
// Checks the configuration and makes the context.
CLAWWS_API base::Result<std::shared_ptr<const WsTarget>> make_ws_target(WsTarget target);

// What differs from attempt to attempt.
struct WsRequest {
  enum class Depth : std::uint8_t { tls, websocket };  // tls: a probe, on_open comes after TLS

  Depth depth = Depth::websocket;
  std::string target;        // path and query of the request line; empty: the URL's
  std::string subprotocols;  // "clawws.v1"; empty: none offered
  std::vector<std::pair<std::string, std::string>> headers;  // Authorization …; never logged here
  std::string local_address;  // to connect from; empty: the kernel's choice
};

struct WsOpened {
  PhaseTimes phase_times{};
  std::string peer;         // "127.0.0.1:8443"
  std::string tls;          // "TLSv1.3 TLS_AES_128_GCM_SHA256"
  std::string subprotocol;  // what the server chose, "" for none
  std::string server;       // its Server field
};

class WsEvents {
 public:
  virtual ~WsEvents() = default;
  virtual void on_open(const WsOpened& opened) = 0;
  // A whole text message, valid UTF-8; `text` is gone when this returns.
  virtual void on_text(std::string_view text) = 0;
  // A ping or pong frame came.
  virtual void on_control() = 0;
  // Exactly once, the last call: the attempt failed or the connection ended.
  virtual void on_end(const Ending& ending) = 0;
};

class CLAWWS_API WsClient {
 public:
  using Executor = boost::asio::io_context::executor_type;

  // `events` must outlive this object.
  WsClient(Executor executor, std::shared_ptr<const WsTarget> target, WsEvents& events);
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;
  ~WsClient();

  // Once.
  void connect(WsRequest request);
  // Queued; sent in order. Ignored before on_open and after the end.
  void send_text(std::string text);
  void ping();
  // Close handshake with a time limit; on_end follows in any case.
  void close(std::uint16_t code, std::string_view reason, base::Millis limit);
  // No on_text until resume(); the kernel's buffers fill and the peer feels it.
  void pause_reading();
  void resume_reading();
  // Drops the connection now (RST) and ends with `ending`; on_end comes from the executor.
  void abort(Ending ending);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace clawws::net
