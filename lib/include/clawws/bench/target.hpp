// Where the load goes: what every connection of a run shares. Made once in the preflight, immutable
// afterwards, so any thread may read it.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>

#include "clawws/client/attempt.hpp"
#include "clawws/net/ws_client.hpp"

namespace clawws::bench {

struct Target {
  std::shared_ptr<const net::WsTarget> ws;
  sockaddr_storage address{};
  socklen_t address_bytes = 0;
  std::string address_text;     // "127.0.0.1:8443"
  std::string upgrade_request;  // whole head; holds the credentials, never shown
  std::string expected_accept;  // Sec-WebSocket-Accept of a right answer
  std::string publish_head;     // up to and with "Content-Length: "; holds the credentials

  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target();  // wipes what holds credentials

  bool is_loopback() const noexcept;
  // The upgrade request with this query ("since=…"; "" for none) beside the URL's own. Holds the
  // credentials.
  std::string upgrade_request_with(std::string_view query) const;
};

// Resolves the host (blocking) and makes the heads. Errc::connect_failed: no such host.
base::Result<std::shared_ptr<const Target>> make_target(const client::Attempt& attempt);

// Whether something listens there now; waits 200 ms for it at most.
bool is_listening(const Target& target) noexcept;

// Few enough that neither ports nor a server's table of addresses become the limit.
inline constexpr std::size_t k_connections_an_address = 100;

// The address that connection `index` comes from, so that ten thousand of them do not use up one
// address's ports: 127.1.0.1 and up for a target in 127.0.0.0/8, else any (AF_UNSPEC).
sockaddr_storage source_address(const Target& target, std::size_t index) noexcept;

}  // namespace clawws::bench
