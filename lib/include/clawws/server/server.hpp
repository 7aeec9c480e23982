// A whole server: store, hub, shards, listeners, users, certificate. Made, started, stopped; signals
// and the terminal are the caller's business (serve.hpp). start() and stop() from one thread; the
// rest from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/base/log.hpp"
#include "clawws/server/config.hpp"
#include "clawws/server/counters.hpp"

namespace clawws::hub {
class Hub;
}

namespace clawws::server {

class CLAWWS_API Server {
 public:
  // `log` outlives the server. `config` has passed validate().
  Server(ServerConfig config, base::Logger& log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Opens everything and serves. Errc::address_in_use, locked, config, tls, io: nothing is left open.
  base::Result<void> start();
  // Ready goes 503, accepting stops, requests in flight end, the store is flushed, every client gets
  // what is due and 1012; returns when all are gone, at the latest after config.drain.
  void stop();
  // Ends a stop() that waits, at once.
  void stop_now();
  // Reads users and certificate anew; what is bad is refused whole, logged, and the old one stays.
  // Live clients whose credentials changed are closed (4001).
  void reload();

  // Where it listens, the chosen ports filled in.
  std::vector<net::HostPort> bound() const;
  std::uint16_t port() const { return bound().front().port; }
  // "wss://localhost:8443/ws"
  std::string url() const;
  // What a client elsewhere needs to know, by the certificate's first name.
  struct Reach {
    std::string origin;   // "panel.example:8443"
    std::string resolve;  // "panel.example:8443:127.0.0.1" when only this host reaches it, else empty
    std::string trust;    // the certificate's file when it is self-signed, else empty
  };
  Reach reach() const;
  const std::filesystem::path& state_directory() const noexcept;
  std::string certificate_file() const;
  // The user and the file of the password that the server made itself; empty when users are configured.
  std::string generated_password_file() const;
  const Counters& counters() const noexcept;
  hub::Hub& hub() noexcept;
  // One line for SIGUSR1: clients, events, lag.
  void log_summary();

 private:
  class Implementation;
  std::unique_ptr<Implementation> self_;
};

// What `--check` does: everything that start() would read, nothing bound, nothing written.
CLAWWS_API base::Result<std::string> check(const ServerConfig& config);

}  // namespace clawws::server
