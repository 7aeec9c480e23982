#include "clawws/base/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace clawws::base {
namespace {

constexpr Millis k_soon{1'000};
constexpr Millis k_late{600'000};

// The largest and smallest delay of attempt `attempt` over many seeds.
std::pair<Millis, Millis> range(std::uint32_t attempt, Millis outage) {
  Millis low = Millis::max();
  Millis high = Millis::min();
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Backoff backoff({}, seed);
    for (std::uint32_t n = 0; n < attempt; ++n) backoff.next(outage);
    const Millis delay = backoff.next(outage);
    low = std::min(low, delay);
    high = std::max(high, delay);
  }
  return {low, high};
}

void expect_window(std::uint32_t attempt, Millis outage, Millis window) {
  const auto [low, high] = range(attempt, outage);
  EXPECT_GE(low, Millis(50)) << attempt;
  EXPECT_LT(low, Millis(50) + window / 10) << attempt;
  EXPECT_LE(high, Millis(50) + window) << attempt;
  EXPECT_GT(high, Millis(50) + window * 9 / 10) << attempt;
}

TEST(BaseBackoff, WindowDoublesUpToTheShortCapEarlyInAnOutage) {
  expect_window(0, k_soon, Millis(250));
  expect_window(1, k_soon, Millis(500));
  expect_window(2, k_soon, Millis(1'000));
  expect_window(3, k_soon, Millis(2'000));
  expect_window(20, k_soon, Millis(2'000));
  expect_window(20, Millis(119'999), Millis(2'000));
}

TEST(BaseBackoff, LongCapLater) {
  expect_window(20, Millis(120'000), Millis(30'000));
  expect_window(5, k_late, Millis(8'000));
}

TEST(BaseBackoff, ManyAttemptsDoNotOverflow) {
  Backoff backoff({}, 1);
  for (int i = 0; i < 10'000; ++i) {
    const Millis delay = backoff.next(k_late);
    ASSERT_GE(delay, Millis(50));
    ASSERT_LE(delay, Millis(30'050));
  }
}

TEST(BaseBackoff, ResetGoesBackToTheFirstWindow) {
  Backoff backoff({}, 7);
  for (int i = 0; i < 9; ++i) backoff.next(k_late);
  EXPECT_EQ(backoff.attempt(), 9u);
  backoff.reset();
  EXPECT_EQ(backoff.attempt(), 0u);
  EXPECT_LE(backoff.next(k_late), Millis(300));
}

TEST(BaseBackoff, HintIsTheLeast) {
  Millis high{0};
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Backoff backoff({}, seed);
    const Millis delay = backoff.next_hinted(k_soon, Millis(1'500));
    EXPECT_GE(delay, Millis(1'500));
    EXPECT_LE(delay, Millis(1'750));
    EXPECT_EQ(backoff.attempt(), 1u);
    high = std::max(high, delay);
  }
  EXPECT_GT(high, Millis(1'700));
  Backoff backoff({}, 1);
  EXPECT_GE(backoff.next_hinted(k_soon, Millis(-5'000)), Millis(0));
}

TEST(BaseBackoff, AHintShortensOnlyTheFirstWait) {
  Millis total{0};
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Backoff backoff({}, seed);
    EXPECT_LE(backoff.next_hinted(k_soon, Millis(0)), Millis(250));
    for (int i = 0; i < 6; ++i) backoff.next_hinted(k_soon, Millis(0));
    const Millis delay = backoff.next_hinted(k_soon, Millis(0));
    EXPECT_GE(delay, Millis(50));
    total += delay;
  }
  // The window of 2 s, as without a hint.
  EXPECT_GT(total / 400, Millis(900));
}

TEST(BaseBackoff, SameSeedSameDelays) {
  Backoff a({}, 5);
  Backoff b({}, 5);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(a.next(k_soon), b.next(k_soon));
}

}  // namespace
}  // namespace clawws::base
