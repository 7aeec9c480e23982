// A proxy between clients and a server, both over TLS, that looks at each WebSocket frame the
// server sends and lets a test decide what becomes of it. Each connection has a thread of its own.
// What is no WebSocket goes through as it is, until cut_requests().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "clawws/base/posix.hpp"
#include "clawws/net/tls_context.hpp"

namespace clawws::test {

class FrameProxy {
 public:
  enum class Fate : std::uint8_t {
    pass,
    drop,
    twice,
    later,    // after the next one
    corrupt,  // with one byte of the payload changed
    cut,      // this connection ends, with a reset
  };
  // Called from the connections' threads. `connection` counts from 0.
  using Judge = std::function<Fate(std::size_t connection, std::string_view payload)>;

  // Listens on a free port of 127.0.0.1 and connects to `upstream` there.
  FrameProxy(std::uint16_t upstream, Judge judge);
  ~FrameProxy();
  FrameProxy(const FrameProxy&) = delete;
  FrameProxy& operator=(const FrameProxy&) = delete;

  std::uint16_t port() const { return port_; }
  // Ends the connections that did not become WebSockets.
  void cut_requests() { ++cuts_; }

 private:
  class Pair;
  void accept_loop();

  const std::uint16_t upstream_;
  const Judge judge_;
  net::TlsContext server_context_, client_context_;
  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> cuts_{0};
  std::mutex mutex_;
  std::vector<std::thread> threads_;  // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace clawws::test
