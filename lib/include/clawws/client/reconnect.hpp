// When to try again, how long to wait first, and when to give up: the decisions of a client that
// stays connected, without a socket or a timer. tail and bench share it. One per connection; not
// thread-safe. Time is handed in, so tests have their own.
//
// The first connect fails fast unless `wait` is set; after the first success attempts go on for
// ever, within `max_retries` and `max_outage`. An outage and its retries end once the stream is
// live again; the back-off's window ends only with a *stable* connection: 10 s connected with one
// event or pong, so that a server that accepts and drops at once is not hammered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "clawws/base/backoff.hpp"
#include "clawws/net/ending.hpp"

namespace clawws::client {

struct ReconnectConfig {
  enum class FirstConnect : std::uint8_t { fail_fast, wait };
  enum class Afterwards : std::uint8_t { reconnect, end };

  base::BackoffConfig backoff;
  FirstConnect first_connect = FirstConnect::fail_fast;
  std::optional<base::Millis> wait_limit;  // for the first connect; nothing: for ever
  Afterwards afterwards = Afterwards::reconnect;
  std::optional<std::uint32_t> max_retries;  // attempts within one outage
  std::optional<base::Millis> max_outage;    // from the loss of the connection
};

class CLAWWS_API Reconnect {
 public:
  // `again` false: give up, `reason` says why (and what the last failure was), `code` is its error.
  struct Decision {
    bool again = false;
    base::Millis delay{0};
    std::uint32_t retry = 0;  // the number of the attempt to come, from 1, within this outage
    base::Errc code = base::Errc::connect_failed;
    std::string reason;
  };

  Reconnect(const ReconnectConfig& config, std::uint64_t seed, base::SteadyTime start);

  void connected(base::SteadyTime now);
  // An event came, or it is known that none was missed: the outage and its retries are over. A
  // server that only lets in and drops does not end them.
  void progressed();
  // An event or a pong came over the connection.
  void alive(base::SteadyTime now);
  // An attempt failed, or the connection ended.
  Decision failed(const net::Ending& ending, base::SteadyTime now);
  // The machine slept, or somebody asked for an attempt at once: the back-off starts afresh.
  void start_afresh(base::SteadyTime now);

  bool ever_connected() const noexcept { return ever_connected_; }
  // All retries so far, over all outages.
  std::uint64_t total_retries() const noexcept { return total_retries_; }

 private:
  Decision give_up(const net::Ending& ending, const std::string& why) const;

  ReconnectConfig config_;
  base::Backoff backoff_;
  std::optional<base::SteadyTime> outage_since_;
  std::optional<base::SteadyTime> unstable_since_;  // as far as the back-off is concerned
  std::optional<base::SteadyTime> connected_since_;
  std::uint32_t retries_ = 0;
  std::uint64_t total_retries_ = 0;
  bool ever_connected_ = false;
};

}  // namespace clawws::client
