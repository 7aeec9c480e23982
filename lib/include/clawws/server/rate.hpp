// A token bucket: `per_minute` on average, `burst` at once. Not thread-safe; 24 bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "clawws/base/time.hpp"

namespace clawws::server {

class TokenBucket {
 public:
  TokenBucket(std::uint32_t per_minute, std::uint32_t burst, base::SteadyTime now)
      : tokens_(static_cast<float>(burst)), burst_(static_cast<float>(burst)),
        per_second_(static_cast<float>(per_minute) / 60.0F), last_(now) {}

  // Takes one; false when there is none.
  bool take(base::SteadyTime now) noexcept {
    const auto passed = std::chrono::duration<float>(now - last_).count();
    last_ = now;
    tokens_ = std::min(burst_, tokens_ + passed * per_second_);
    if (tokens_ < 1.0F) return false;
    tokens_ -= 1.0F;
    return true;
  }

 private:
  float tokens_;
  float burst_;
  float per_second_;
  base::SteadyTime last_;
};

}  // namespace clawws::server
