#include "clawws/bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace clawws::bench {
namespace {

// The 1-based rank of the percentile among `total` values.
std::uint64_t rank_of(double percent, std::uint64_t total) {
  const double exact = percent / 100.0 * static_cast<double>(total);
  // 99.9 % of 1,000 is 999, whatever a double makes of it.
  const auto rank =
      static_cast<std::uint64_t>(std::ceil(exact - 1e-9 * static_cast<double>(total)));
  return std::clamp<std::uint64_t>(rank, 1, total);
}

// SmallHistogram: 32 buckets for each doubling from 2^13 ns (8 us) to 2^33 ns (8.6 s).
constexpr unsigned k_small_bits = 5;
constexpr unsigned k_small_lowest = 13, k_small_highest = 33;
constexpr std::size_t k_small_buckets = (k_small_highest - k_small_lowest) << k_small_bits;

std::size_t small_index(std::uint64_t nanos) {
  const std::uint64_t in_range = std::clamp<std::uint64_t>(
      nanos, std::uint64_t{1} << k_small_lowest, (std::uint64_t{1} << k_small_highest) - 1);
  const unsigned power = static_cast<unsigned>(std::bit_width(in_range)) - 1;
  const std::uint64_t offset = (in_range >> (power - k_small_bits)) & ((1u << k_small_bits) - 1);
  return (std::size_t{power - k_small_lowest} << k_small_bits) + offset;
}

Nanos small_middle(std::size_t index) {
  const auto power = static_cast<unsigned>(index >> k_small_bits) + k_small_lowest;
  const std::uint64_t offset = index & ((1u << k_small_bits) - 1);
  const std::uint64_t width = std::uint64_t{1} << (power - k_small_bits);
  return Nanos((std::uint64_t{1} << power) + offset * width + width / 2);
}

}  // namespace

Histogram::Histogram() : counts_(index_of(static_cast<std::uint64_t>(k_highest.count())) + 1) {}

std::size_t Histogram::index_of(std::uint64_t nanos) noexcept {
  if (nanos < 2 * k_half) return nanos;
  const unsigned shift = static_cast<unsigned>(std::bit_width(nanos)) - (k_half_bits + 1);
  // nanos >> shift lies in [k_half, 2 * k_half).
  return shift * k_half + (nanos >> shift);
}

std::uint64_t Histogram::middle_of(std::size_t index) noexcept {
  if (index < 2 * k_half) return index;
  const auto shift = static_cast<unsigned>(index / k_half) - 1;
  const std::uint64_t low = (index - shift * k_half) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1);
}

void Histogram::record(Nanos value, std::uint64_t times) noexcept {
  if (times == 0) return;
  if (value > k_highest) {
    value = k_highest;
    saturated_ += times;
  }
  value = std::max(value, Nanos(0));
  counts_[index_of(static_cast<std::uint64_t>(value.count()))] += times;
  count_ += times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value.count()) * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  saturated_ += other.saturated_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void Histogram::clear() noexcept {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = saturated_ = 0;
  min_ = Nanos::max();
  max_ = Nanos(0);
  sum_ = 0;
}

Nanos Histogram::mean() const noexcept {
  return count_ == 0 ? Nanos(0) : Nanos(std::llround(sum_ / static_cast<double>(count_)));
}

std::optional<Nanos> Histogram::percentile(double percent, std::uint64_t beyond) const noexcept {
  if (count_ + beyond == 0) return std::nullopt;
  const std::uint64_t rank = rank_of(percent, count_ + beyond);
  if (rank > count_) return std::nullopt;
  if (rank == count_) return max_;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::clamp(Nanos(middle_of(i)), min_, max_);
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> found;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] > 0) found.push_back({Nanos(middle_of(i)), counts_[i]});
  return found;
}

Histogram Histogram::restored(const std::vector<Bucket>& buckets, Nanos min, Nanos max,
                              Nanos mean) {
  Histogram histogram;
  // The highest bucket's middle may lie above k_highest, which is in it too.
  for (const Bucket& bucket : buckets)
    histogram.record(std::min(bucket.middle, k_highest), bucket.count);
  if (histogram.count_ == 0) return histogram;
  histogram.min_ = min;
  histogram.max_ = max;
  histogram.sum_ = static_cast<double>(mean.count()) * static_cast<double>(histogram.count_);
  return histogram;
}

SmallHistogram::SmallHistogram() : counts_(k_small_buckets) {}

void SmallHistogram::record(Nanos value) noexcept {
  ++counts_[small_index(static_cast<std::uint64_t>(std::max(value, Nanos(0)).count()))];
  ++count_;
}

void SmallHistogram::merge(const SmallHistogram& other) noexcept {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
}

std::optional<Nanos> SmallHistogram::percentile(double percent,
                                                std::uint64_t beyond) const noexcept {
  if (count_ + beyond == 0) return std::nullopt;
  const std::uint64_t rank = rank_of(percent, count_ + beyond);
  if (rank > count_) return std::nullopt;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return small_middle(i);
  }
  return small_middle(counts_.size() - 1);
}

}  // namespace clawws::bench
