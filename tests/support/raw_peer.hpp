// A client that may do everything wrong: raw bytes over TCP or TLS, any request head, any frame.
// Made on OpenSSL and POSIX sockets, so that it shares no code with what it tests. Blocking, every
// call with a deadline; one thread at a time. Nothing is verified: certificates are made at run
// time.
//
//   RawPeer peer(port);                         TCP
//   peer.handshake();                           TLS
//   peer.send(upgrade_request("…"));            HTTP
//   peer.read_answer()->status == 101;
//   peer.send(client_text("…"));                WebSocket, see ws_bytes.hpp
//   peer.read_frame()->payload; peer.read_close_code(); peer.wait_end();
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/base/posix.hpp"
#include "support/eventually.hpp"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace clawws::test {

struct HttpAnswer {
  int status = 0;
  std::string head;  // with the status line and the blank line
  std::string body;  // chunks joined

  // The field's value; nothing when it is not there. Any case of the name.
  std::optional<std::string> field(std::string_view name) const;
};

struct ServerFrame {
  unsigned first = 0;  // FIN, reserved bits and opcode as on the wire
  std::string payload;

  unsigned opcode() const { return first & 0x0F; }
  // Of a close frame; 1005 when it holds none.
  unsigned close_code() const;
  std::string close_reason() const { return payload.size() < 2 ? "" : payload.substr(2); }
};

// How the peer's side of the connection ended.
enum class End : std::uint8_t { open, close_notify, fin, reset, alert };

struct PeerOptions {
  int receive_buffer_bytes = 0;   // SO_RCVBUF, 0: the system's
  std::string from_address = {};  // e.g. "127.0.0.7": another address for per-address limits
};

struct TlsOptions {
  int least_version = 0;  // TLS1_VERSION and so on; 0: OpenSSL's own choice
  int most_version = 0;
  std::string server_name = "localhost";  // "": no SNI
  std::shared_ptr<ssl_session_st> resume = {};
};

class RawPeer {
 public:
  using Millis = std::chrono::milliseconds;

  // Connects to 127.0.0.1; throws std::runtime_error when that fails.
  explicit RawPeer(std::uint16_t port, const PeerOptions& options = {});
  // The first bytes of a TLS handshake, to be sent in any way.
  static std::string client_hello();
  // True when TLS stands; otherwise see tls_error().
  bool handshake(const TlsOptions& options = {}, Millis limit = k_patience);
  // OpenSSL's words for what went wrong last.
  const std::string& tls_error() const { return tls_error_; }
  bool resumed() const;
  std::shared_ptr<ssl_session_st> session() const;
  // "/CN=localhost" or alike, of the certificate that the server showed.
  std::string certificate_subject() const;
  // TLS 1.2: asks for a second handshake on the same connection; true when the server goes along.
  bool renegotiate(Millis limit = k_patience);
  int fd() const { return fd_.get(); }

  // Over TLS once it stands, else as they are. False when the connection is gone or takes no more
  // within `limit`.
  bool send(std::string_view bytes, Millis limit = k_patience);
  // What has come, up to `most` bytes, waiting for at least one; "" at the end or after `limit`.
  std::string read_some(Millis limit = k_patience, std::size_t most = 64 * 1024);

  // Nothing when the connection ended or `limit` passed before it was whole.
  enum class Body : std::uint8_t { as_announced, none };
  std::optional<HttpAnswer> read_answer(Millis limit = k_patience, Body body = Body::as_announced);
  std::optional<ServerFrame> read_frame(Millis limit = k_patience);
  // The next text frame's payload; pings and pongs are passed over.
  std::optional<std::string> read_text(Millis limit = k_patience);
  // Passes over what comes before the close frame; nothing when none came.
  std::optional<ServerFrame> read_close(Millis limit = k_patience);

  // Reads and drops until the other side ends; `open` when it did not within `limit`.
  End wait_end(Millis limit = k_patience);
  End end() const { return end_; }
  // What was received and not yet taken by a read_ call.
  const std::string& received() const { return in_; }

  void send_close_notify();
  void send_fin();
  // Drops the connection with a RST.
  void reset();

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  bool wait(short events, Deadline deadline) const;
  // Appends to in_; false at the end or the deadline.
  bool receive(Deadline deadline);
  // Judges OpenSSL's result: true when the call is worth repeating.
  bool retry(int result, Deadline deadline);
  bool fill(std::size_t bytes, Deadline deadline);
  std::string take(std::size_t bytes);
  bool read_body(HttpAnswer& answer, Deadline deadline);

  struct SslFree {
    void operator()(ssl_st* ssl) const noexcept;
    void operator()(ssl_ctx_st* context) const noexcept;
  };

  base::UniqueFd fd_;
  std::unique_ptr<ssl_ctx_st, SslFree> context_;
  std::unique_ptr<ssl_st, SslFree> ssl_;
  bool secure_ = false;
  End end_ = End::open;
  std::string in_;
  std::string tls_error_;
};

// "GET /ws" with everything that an upgrade needs; `fields` are further lines, each with its CRLF.
std::string upgrade_request(std::string_view fields = {}, std::string_view target = "/ws");
// "Authorization: Basic …" with its CRLF.
std::string basic(std::string_view user_and_password);

}  // namespace clawws::test
