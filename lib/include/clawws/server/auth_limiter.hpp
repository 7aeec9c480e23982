// Counts failed logins: at most 10 a minute per address and user, and 100 per address, whatever the
// user. An IPv6 address counts as its /64. Attempts that still run count as failures until they
// end, so that many at a time do not slip through. Memory is bounded: the entries that were idle
// longest leave first. Not thread-safe: owned and locked by the Authenticator. Time is always
// passed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "clawws/base/time.hpp"

namespace clawws::server {

// What counts as one address: IPv4 as it is (mapped IPv6 as well), IPv6 its /64.
std::string limiter_address(std::string_view peer_address);

class AuthLimiter {
 public:
  static constexpr std::size_t k_failures_per_user = 10;
  static constexpr std::size_t k_failures_per_address = 100;
  static constexpr std::chrono::seconds k_window{60};

  explicit AuthLimiter(std::size_t most_entries = 20'000) : most_entries_(most_entries) {}

  // Nothing when an attempt is allowed now, else the time until the next may be (at least 1 s).
  std::optional<std::chrono::seconds> wait(std::string_view address, std::string_view user,
                                           base::SteadyTime now);
  void failed(std::string_view address, std::string_view user, base::SteadyTime now);
  // An attempt that takes time: begin() before, end() behind it, failed() as well when it failed.
  void begin(std::string_view address, std::string_view user);
  void end(std::string_view address, std::string_view user);
  // How many attempts of this address run now.
  std::size_t running(std::string_view address) const;
  std::size_t entries() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    std::deque<base::SteadyTime> failures;  // of the last minute, oldest first
    std::size_t running = 0;
  };
  using Entries = std::list<Entry>;  // least recently used first

  Entry& entry(const std::string& key);
  std::optional<std::chrono::seconds> wait_of(const std::string& key, std::size_t most,
                                              base::SteadyTime now);

  std::size_t most_entries_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> index_;
};

}  // namespace clawws::server
