// The application behind this server (--upstream): where it is, and the connections to it.
//
//   Upstream      one a server, immutable but for what it has logged; any thread
//   UpstreamPool  one a loop: makes connections, keeps those that may be used again; the loop's
//   thread UpstreamLink  one connection, owned by who uses it, or by the pool while nobody does
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/base/log.hpp"
#include "clawws/net/any_stream.hpp"
#include "clawws/net/background_call.hpp"
#include "clawws/net/resolve.hpp"
#include "clawws/net/tls_context.hpp"
#include "clawws/net/url.hpp"
#include "clawws/server/config.hpp"
#include "clawws/server/log_pace.hpp"

namespace clawws::server {

class Upstream {
 public:
  // Errc::usage, tls: the CA file cannot be used.
  static base::Result<void> check(const ServerConfig& config);
  // The same errors; config.upstream is there. `log` outlives it.
  static base::Result<std::shared_ptr<Upstream>> from(const ServerConfig& config,
                                                      base::Logger& log);

  const net::Url& url() const noexcept { return url_; }
  const net::ClientTlsConfig& tls() const noexcept { return tls_; }
  const net::TlsContext& tls_context() const noexcept { return context_; }  // nothing for http://
  const std::string& authority() const noexcept { return authority_; }      // "127.0.0.1:3000"

  // What this server calls itself in Via: "clawws-" and 16 digits that no other process has.
  const std::string& via_name() const noexcept { return via_name_; }

  // A request came back that had gone to it. Logged at most once a minute.
  void goes_round();
  // Logged once each time it changes, however many requests notice.
  void is_away(const std::string& why);
  void is_back();

 private:
  Upstream(net::Url url, base::Logger& log);

  net::Url url_;
  std::string authority_;
  net::ClientTlsConfig tls_;
  net::TlsContext context_;
  const std::string via_name_;
  base::Logger& log_;
  std::atomic<bool> away_{false};
  LogPace round_pace_;
};

struct UpstreamLink {
  explicit UpstreamLink(net::AnyStream connected) : stream(std::move(connected)) {}

  net::AnyStream stream;
  std::string input;                                               // read, not yet used
  enum class Age : std::uint8_t { fresh, kept } age = Age::fresh;  // kept: it has served before
  base::SteadyTime idle_since{};
  base::SteadyTime idle_until{};
};

class UpstreamPool {
 public:
  UpstreamPool(net::Executor executor, Upstream& upstream);

  Upstream& upstream() noexcept { return upstream_; }

  // The connection that was put back last, if it was within `idle_at_most` and the other side has
  // not closed it; else nothing.
  std::unique_ptr<UpstreamLink> take_kept(base::Millis idle_at_most);
  // Errc::connect_failed, timed_out or tls, with what happened, for the log.
  net::asio::awaitable<base::Result<std::unique_ptr<UpstreamLink>>> connect();
  // For another request, for at most `idle` (Keep-Alive: timeout=N of the answer), 30 s without it.
  void put_back(std::unique_ptr<UpstreamLink> link, std::optional<base::Millis> idle);
  std::size_t kept() const noexcept { return kept_.size(); }

 private:
  struct Attempt;

  net::asio::awaitable<net::Resolved> addresses();
  net::asio::awaitable<base::Result<net::TcpSocket>> connect_tcp(std::shared_ptr<Attempt> attempt);
  void sweep();

  net::Executor executor_;
  Upstream& upstream_;
  std::vector<std::unique_ptr<UpstreamLink>> kept_;  // newest last
  net::asio::steady_timer sweeping_;
  bool sweeps_ = false;

  // Names are looked up once for all who wait.
  std::optional<net::BackgroundCall<net::Resolved>> lookup_;
  net::asio::steady_timer looked_up_;
  net::Resolved resolved_;
  base::SteadyTime resolved_until_{};
};

}  // namespace clawws::server
