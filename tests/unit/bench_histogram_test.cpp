// The histogram against the truth: the same samples, sorted.
#include "clawws/bench/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace clawws::bench {
namespace {

using Random = std::mt19937_64;
constexpr std::size_t k_samples = 200'000;
constexpr double k_percents[] = {0.1, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

Nanos exact(const std::vector<Nanos>& sorted, double percent) {
  const auto total = static_cast<double>(sorted.size());
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * total - 1e-9 * total));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

struct Distribution {
  std::string name;
  std::function<double(Random&)> next;  // microseconds
};

std::vector<Distribution> distributions() {
  const auto pick = [](Random& random, double share) {
    return std::uniform_real_distribution<>(0, 1)(random) < share;
  };
  return {
      {"constant", [](Random&) { return 4711.0; }},
      {"uniform", [](Random& r) { return std::uniform_real_distribution<>(1, 100'000)(r); }},
      {"uniform low", [](Random& r) { return std::uniform_real_distribution<>(1, 50)(r); }},
      {"normal", [](Random& r) { return std::abs(std::normal_distribution<>(900, 120)(r)) + 1; }},
      {"exponential", [](Random& r) { return std::exponential_distribution<>(1 / 800.0)(r) + 1; }},
      {"lognormal", [](Random& r) { return std::lognormal_distribution<>(6, 2)(r) + 1; }},
      {"pareto",
       [](Random& r) {
         return std::min(200 / std::pow(std::uniform_real_distribution<>(1e-9, 1)(r), 1 / 1.2),
                         5e8);
       }},
      {"two humps",
       [pick](Random& r) {
         return pick(r, 0.97) ? std::normal_distribution<>(300, 20)(r)
                              : std::normal_distribution<>(40'000, 900)(r);
       }},
      {"pauses",
       [pick](Random& r) {
         return pick(r, 0.999) ? std::uniform_real_distribution<>(80, 120)(r)
                               : std::uniform_real_distribution<>(2e6, 5.9e8)(r);
       }},
      {"whole range",
       [](Random& r) { return std::pow(10, std::uniform_real_distribution<>(0, 8.77)(r)); }},
  };
}

TEST(BenchHistogram, StaysWithinAThousandthOfSortedSamples) {
  const std::vector<Distribution> all = distributions();
  ASSERT_EQ(all.size(), 10U);
  for (const Distribution& distribution : all) {
    Random random(20260221);
    Histogram histogram;
    std::vector<Nanos> samples;
    for (std::size_t i = 0; i < k_samples; ++i) {
      const Nanos value(std::llround(distribution.next(random) * 1000));
      samples.push_back(value);
      histogram.record(value);
    }
    std::sort(samples.begin(), samples.end());
    for (const double percent : k_percents) {
      const auto truth = static_cast<double>(exact(samples, percent).count());
      const auto said = static_cast<double>(histogram.percentile(percent)->count());
      EXPECT_NEAR(said, truth, truth * 0.001) << distribution.name << " p" << percent;
    }
    EXPECT_EQ(histogram.min(), samples.front()) << distribution.name;
    EXPECT_EQ(histogram.max(), samples.back()) << distribution.name;
    EXPECT_EQ(histogram.count(), k_samples);
  }
}

TEST(BenchHistogram, MergedIsWhatOneHistogramWouldHold) {
  Random random(7);
  Histogram whole, parts[4], merged;
  for (std::size_t i = 0; i < k_samples; ++i) {
    const Nanos value(std::llround(std::lognormal_distribution<>(14, 3)(random)));
    whole.record(value);
    parts[i % 4].record(value);
  }
  for (const Histogram& part : parts) merged.merge(part);
  EXPECT_EQ(merged.count(), whole.count());
  EXPECT_EQ(merged.min(), whole.min());
  EXPECT_EQ(merged.max(), whole.max());
  EXPECT_EQ(merged.saturated(), whole.saturated());
  for (double percent = 0; percent <= 100; percent += 0.25)
    EXPECT_EQ(merged.percentile(percent), whole.percentile(percent)) << percent;
}

TEST(BenchHistogram, SmallValuesAreExact) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.record(Nanos(i));
  EXPECT_EQ(histogram.percentile(50), Nanos(500));
  EXPECT_EQ(histogram.percentile(99.9), Nanos(999));
  EXPECT_EQ(histogram.percentile(100), Nanos(1000));
  EXPECT_EQ(histogram.mean(), Nanos(501));
}

TEST(BenchHistogram, WhatLiesBeyondIsInThePercentiles) {
  Histogram histogram;
  histogram.record(std::chrono::milliseconds(1), 990);
  EXPECT_TRUE(histogram.percentile(99, 10).has_value());
  EXPECT_FALSE(histogram.percentile(99.1, 10).has_value());
  EXPECT_FALSE(Histogram().percentile(50, 3).has_value());
  EXPECT_FALSE(Histogram().percentile(50).has_value());
}

TEST(BenchHistogram, ValuesOutsideTheRangeCountAtItsEnds) {
  Histogram histogram;
  histogram.record(Nanos(-5));
  histogram.record(std::chrono::hours(1), 2);
  EXPECT_EQ(histogram.min(), Nanos(0));
  EXPECT_EQ(histogram.max(), Histogram::k_highest);
  EXPECT_EQ(histogram.saturated(), 2U);
  EXPECT_EQ(histogram.percentile(100), Histogram::k_highest);
}

TEST(BenchHistogram, ClearedIsAsNew) {
  Histogram histogram;
  histogram.record(Nanos(17));
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), Nanos(0));
  EXPECT_FALSE(histogram.percentile(50).has_value());
}

TEST(BenchSmallHistogram, StaysWithinTwoPercent) {
  Random random(11);
  SmallHistogram histogram;
  std::vector<Nanos> samples;
  for (std::size_t i = 0; i < k_samples; ++i) {
    const Nanos value(std::llround(std::exp(std::uniform_real_distribution<>(9.2, 22.7)(random))));
    samples.push_back(value);
    histogram.record(value);
  }
  std::sort(samples.begin(), samples.end());
  for (const double percent : k_percents) {
    const auto truth = static_cast<double>(exact(samples, percent).count());
    EXPECT_NEAR(static_cast<double>(histogram.percentile(percent)->count()), truth, truth * 0.017)
        << percent;
  }
  EXPECT_FALSE(histogram.percentile(100, 1).has_value());
}

}  // namespace
}  // namespace clawws::bench
