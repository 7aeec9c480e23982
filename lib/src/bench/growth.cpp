// The slope of a least-squares line. The first half is left out: buffers and caches that fill once
// are no leak.
#include "clawws/bench/result.hpp"

namespace clawws::bench {
namespace {

constexpr std::size_t k_least_rows = 5;
constexpr double k_hour = 3'600;

std::optional<Growth> growth(const BenchResult& result,
                             std::optional<std::uint64_t> SeriesRow::*field) {
  std::vector<std::pair<double, double>> points;
  for (const SeriesRow& row : result.series)
    if (row.phase == Phase::measure && row.*field)
      points.emplace_back(std::chrono::duration<double>(row.at + row.lasts).count(),
                          static_cast<double>(*(row.*field)));
  points.erase(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(points.size() / 2));
  if (points.size() < k_least_rows) return std::nullopt;
  const auto n = static_cast<double>(points.size());
  double x_mean = 0, y_mean = 0, xy = 0, xx = 0;
  for (const auto& [x, y] : points) x_mean += x / n, y_mean += y / n;
  for (const auto& [x, y] : points) {
    xy += (x - x_mean) * (y - y_mean);
    xx += (x - x_mean) * (x - x_mean);
  }
  if (xx <= 0) return std::nullopt;
  return Growth{xy / xx * k_hour, points.size()};
}

}  // namespace

std::optional<Growth> rss_growth(const BenchResult& result) {
  return growth(result, &SeriesRow::server_rss);
}

std::optional<Growth> files_growth(const BenchResult& result) {
  return growth(result, &SeriesRow::server_files);
}

}  // namespace clawws::bench
