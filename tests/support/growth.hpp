// How the cost of something grows with its input, without an absolute time: the least CPU time of a
// few runs with the large input, divided by that of the small one. CPU time of this thread, so a
// busy machine or a sanitizer changes both alike.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>

namespace clawws::test {

template <class Work>
std::int64_t least_cpu_nanos(Work work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
  };
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int run = 0; run < 7; ++run) {
    const std::int64_t before = now();
    work();
    least = std::min<std::int64_t>(least, now() - before);
  }
  return std::max<std::int64_t>(1, least);
}

// For inputs that differ eightfold: linear work gives 8, quadratic 64.
template <class Small, class Large>
double growth(Small small, Large large) {
  return static_cast<double>(least_cpu_nanos(large)) / static_cast<double>(least_cpu_nanos(small));
}

inline constexpr double k_between_linear_and_quadratic = 24;

}  // namespace clawws::test
