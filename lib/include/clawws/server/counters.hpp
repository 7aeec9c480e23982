// What a server counts: for the summary line and for what is logged when a client goes. Written by
// shards with relaxed atomics, read by anybody; a snapshot is not one moment's.
#pragma once

#include <atomic>
#include <cstdint>

namespace clawws::server {

struct Counters {
  using Count = std::atomic<std::uint64_t>;
  Count connections_accepted{0};   // TCP
  Count connections_open{0};       // in the TLS or HTTP stage
  Count connections_refused{0};    // over a limit
  Count handshakes_failed{0};      // TLS: timed out, refused, garbage
  Count requests{0};               // HTTP requests answered
  Count requests_running{0};
  Count sessions_opened{0};
  Count sessions_open{0};          // live WebSocket clients
  Count sessions_slow{0};          // of those ended: by the slow-client rule
  Count logins_refused{0};         // 401, 429
  Count events_published{0};
  Count deliveries{0};             // event frames handed to the kernel
  Count bytes_sent{0};             // of frames, before TLS
};

}  // namespace clawws::server
