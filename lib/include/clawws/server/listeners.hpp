// The listening sockets: opened from --listen, or taken over from systemd (LISTEN_FDS), and the
// accept loops that deal connections round-robin to the shards. Runs on the control context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/base/log.hpp"
#include "clawws/net/tls_stream.hpp"
#include "clawws/server/config.hpp"
#include "clawws/server/shard.hpp"

namespace clawws::server {

class Listeners {
 public:
  Listeners(net::asio::io_context& control, const ServerConfig& config, base::Logger& log);

  // Errc::address_in_use, io. Sockets from systemd take the place of config.listen.
  base::Result<void> open();
  std::vector<net::HostPort> bound() const;
  bool all_loopback() const;
  // Accepts into `shards` until close(). Control thread.
  void accept_into(std::vector<std::unique_ptr<Shard>>& shards);
  void close();

 private:
  void accept_next(std::size_t listener);
  void accept_later(std::size_t listener, base::Millis wait);

  net::asio::io_context& control_;
  const ServerConfig& config_;
  base::Logger& log_;
  std::vector<net::TcpAcceptor> acceptors_;
  std::vector<net::asio::steady_timer> pauses_;
  std::vector<std::unique_ptr<Shard>>* shards_ = nullptr;
  std::size_t next_shard_ = 0;
  TokenBucket rate_;
  bool accept_fails_ = false;
};

}  // namespace clawws::server
