// The absolute schedule of a run: event e is to be sent at start + e / rate, whatever happened to
// those before it. Nothing ever moves it, so an event that had to wait is late by its wait. Pure.
#pragma once

#include <cmath>
#include <cstdint>

#include "clawws/bench/histogram.hpp"

namespace clawws::bench {

class Schedule {
 public:
  Schedule() = default;
  // `rate`: events a second, > 0.
  Schedule(Nanos start, double rate) : start_(start), rate_(rate) {}

  Nanos due(std::uint64_t event) const noexcept {
    return start_ + Nanos(std::llround(static_cast<double>(event) * 1e9 / rate_));
  }
  // How many events are due at `now`.
  std::uint64_t count_due(Nanos now) const noexcept {
    if (now < start_) return 0;
    const double since = static_cast<double>((now - start_).count());
    return static_cast<std::uint64_t>(since * rate_ / 1e9) + 1;
  }

 private:
  Nanos start_{0};
  double rate_ = 1;
};

}  // namespace clawws::bench
