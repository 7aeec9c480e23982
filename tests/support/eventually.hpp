// Waiting for a condition with a deadline, in place of sleeping and hoping. Any thread.
#pragma once

#include <chrono>
#include <thread>

namespace clawws::test {

// Long enough for a loaded machine under a sanitizer; a test that passes does not wait for it.
inline constexpr std::chrono::milliseconds k_patience{10'000};

// Asks until `condition()` is true; false when it was not within `limit`.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds limit = k_patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // poll
  }
  return true;
}

}  // namespace clawws::test
