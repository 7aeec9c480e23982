// The time series as CSV (RFC 4180): a header, CRLF, one row a second. No field needs quotes: they
// are numbers and words of our own.
#include "clawws/bench/numbers.hpp"
#include "clawws/bench/report.hpp"

namespace clawws::bench {
namespace {

std::string millis_or_nothing(const std::optional<Nanos>& value) {
  return value ? decimal(static_cast<double>(value->count()) / 1e6, 3) : "";
}

std::string number_or_nothing(const std::optional<std::uint64_t>& value) {
  return value ? std::to_string(*value) : "";
}

}  // namespace

std::string csv_report(std::span<const BenchResult> runs) {
  std::string text =
      "t,phase,connected,published,delivered,lost,p50,p99,max,server_rss,server_files,run\r\n";
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (const SeriesRow& row : runs[i].series) {
      text += decimal(static_cast<double>(row.at.count()) / 1e9, 3) + ",";
      text += phase_word(row.phase);
      for (const std::uint64_t count : {row.connected, row.published, row.delivered, row.lost})
        text += "," + std::to_string(count);
      for (const auto& value : {row.p50, row.p99, row.max}) text += "," + millis_or_nothing(value);
      for (const auto& value : {row.server_rss, row.server_files})
        text += "," + number_or_nothing(value);
      text += "," + std::to_string(i + 1) + "\r\n";
    }
  return text;
}

}  // namespace clawws::bench
