#include "clawws/base/backoff.hpp"

#include <algorithm>

#include "clawws/base/assert.hpp"

namespace clawws::base {
namespace {

Millis uniform(std::mt19937_64& random, Millis window) {
  std::uniform_int_distribution<Millis::rep> spread(0, window.count());
  return Millis(spread(random));
}

}  // namespace

Backoff::Backoff(const BackoffConfig& config, std::uint64_t seed) : config_(config), random_(seed) {
  CLAWWS_ASSERT(config_.base.count() > 0 && config_.cap.count() >= 0 &&
                config_.early_cap.count() >= 0 && config_.floor.count() >= 0);
}

Millis Backoff::next(Millis outage) {
  const Millis cap = outage < config_.early ? config_.early_cap : config_.cap;
  Millis window = config_.base;
  for (std::uint32_t n = 0; n < attempt_ && window < cap; ++n) window *= 2;
  ++attempt_;
  return config_.floor + uniform(random_, std::min(window, cap));
}

// A server that says "at once" each time it ends a connection must not switch the back-off off.
Millis Backoff::next_hinted(Millis outage, Millis hint) {
  const bool is_first = attempt_ == 0;
  const Millis usual = next(outage);
  const Millis hinted = std::max(hint, Millis::zero()) + uniform(random_, config_.base);
  return is_first ? hinted : std::max(hinted, usual);
}

}  // namespace clawws::base
