// A histogram of durations with 3 significant digits from 1 ns to 10 minutes, in constant memory
// (about 240 KiB): the buckets of an HDR histogram. A value is known to half a bucket, which is at
// most 0.05 % of it, wherever it lies. Merging adds counts, so many threads' histograms become one
// exactly. Not thread-safe: one per thread, merged at the end.
//
// Bucket layout: values below 2,048 ns have a bucket each; above, each doubling has 1,024 buckets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "clawws/base/export.hpp"

namespace clawws::bench {

using Nanos = std::chrono::nanoseconds;

class CLAWWS_API Histogram {
 public:
  static constexpr Nanos k_highest = std::chrono::minutes(10);

  Histogram();

  // Below 0 counts as 0, above k_highest as k_highest (and in saturated()).
  void record(Nanos value, std::uint64_t times = 1) noexcept;
  void merge(const Histogram& other) noexcept;
  void clear() noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t saturated() const noexcept { return saturated_; }
  // Exact, not of a bucket; 0 when empty.
  Nanos min() const noexcept { return count_ == 0 ? Nanos(0) : min_; }
  Nanos max() const noexcept { return max_; }
  Nanos mean() const noexcept;

  // The smallest value that at least `percent` of all values do not exceed (nearest rank), as the
  // middle of its bucket and never outside [min, max]. `beyond` counts further values that are
  // larger than any recorded one: nothing when the rank falls among those, or when all is empty.
  std::optional<Nanos> percentile(double percent, std::uint64_t beyond = 0) const noexcept;

  // A bucket by its middle, which lies in it.
  struct Bucket {
    Nanos middle{0};
    std::uint64_t count = 0;
  };
  // Those that hold something, ascending: with min(), max() and mean() all that restored() needs to
  // make an equal histogram.
  std::vector<Bucket> buckets() const;
  static Histogram restored(const std::vector<Bucket>& buckets, Nanos min, Nanos max, Nanos mean);

 private:
  static constexpr unsigned k_half_bits = 10;
  static constexpr std::size_t k_half = std::size_t{1} << k_half_bits;

  static std::size_t index_of(std::uint64_t nanos) noexcept;
  static std::uint64_t middle_of(std::size_t index) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t saturated_ = 0;
  Nanos min_ = Nanos::max();
  Nanos max_{0};
  double sum_ = 0;
};

// The same idea in 2.6 KiB, for one connection of many: values from 8 us to 8 s within 1.6 %,
// counted in 32 bits.
class CLAWWS_API SmallHistogram {
 public:
  SmallHistogram();
  void record(Nanos value) noexcept;
  void merge(const SmallHistogram& other) noexcept;
  std::optional<Nanos> percentile(double percent, std::uint64_t beyond = 0) const noexcept;
  std::uint64_t count() const noexcept { return count_; }

 private:
  std::vector<std::uint32_t> counts_;
  std::uint64_t count_ = 0;
};

}  // namespace clawws::bench
