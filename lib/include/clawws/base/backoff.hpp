// The one back-off of tail, bench and the gateway source: how long to wait before attempt n.
// window = min(cap, base * 2^n), delay = 50 ms + uniform(0, window); the cap is short in the first
// minutes of an outage, so that a server that comes back is found in under 3 s, and long later.
// Not thread-safe; owned by one connection. Does not sleep: it only says how long.
#pragma once

#include <cstdint>
#include <random>

#include "clawws/base/time.hpp"

namespace clawws::base {

struct BackoffConfig {
  Millis base{250};            // > 0
  Millis early_cap{2'000};     // the cap while the outage is younger than `early`
  Millis early{120'000};
  Millis cap{30'000};          // later
  Millis floor{50};            // added to every delay
};

class CLAWWS_API Backoff {
 public:
  explicit Backoff(const BackoffConfig& config, std::uint64_t seed);

  // The delay before the next attempt. `outage` is how long the connection has been away.
  Millis next(Millis outage);
  // At least `hint` (Retry-After, retry-ms) plus the jitter of the first window; from the second
  // attempt on no less than next() either.
  Millis next_hinted(Millis outage, Millis hint);
  // After 10 s connected with one event or pong: the next delay is from the first window again.
  void reset() noexcept { attempt_ = 0; }
  std::uint32_t attempt() const noexcept { return attempt_; }

 private:
  BackoffConfig config_;
  std::uint32_t attempt_ = 0;
  std::mt19937_64 random_;
};

}  // namespace clawws::base
