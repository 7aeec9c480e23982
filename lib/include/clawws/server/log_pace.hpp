// Keeps a line that anybody's request may cause out of the log but once a minute. Thread-safe.
#pragma once

#include <atomic>

#include "clawws/base/time.hpp"

namespace clawws::server {

class LogPace {
 public:
  static constexpr base::Millis k_interval{60'000};

  // True for the first, and then for one caller in each interval.
  bool due(base::SteadyTime now) noexcept {
    const auto ticks = now.time_since_epoch().count();
    auto next = next_.load(std::memory_order_relaxed);
    const auto after = (now + k_interval).time_since_epoch().count();
    return ticks >= next && next_.compare_exchange_strong(next, after, std::memory_order_relaxed);
  }

 private:
  std::atomic<base::SteadyTime::rep> next_{base::SteadyTime::min().time_since_epoch().count()};
};

}  // namespace clawws::server
