#include "clawws/base/time.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace clawws::base {
namespace {

using namespace std::chrono_literals;

std::optional<std::int64_t> time_of(std::string_view text) {
  const auto value = parse_rfc3339(text);
  return value ? std::optional(*value) : std::nullopt;
}
std::optional<Millis> duration_of(std::string_view text) {
  const auto value = parse_duration(text);
  return value ? std::optional(*value) : std::nullopt;
}
std::optional<std::uint64_t> count_of(std::string_view text) {
  const auto value = parse_count(text);
  return value ? std::optional(*value) : std::nullopt;
}
std::optional<std::uint64_t> size_of(std::string_view text) {
  const auto value = parse_size(text);
  return value ? std::optional(*value) : std::nullopt;
}

TEST(BaseTime, FormatsRfc3339) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(1'771'684'200'118), "2026-02-21T14:30:00.118Z");
  EXPECT_EQ(format_rfc3339(1'709'164'800'000), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(-1), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(INT64_MAX), "9999-12-31T23:59:59.999Z");
}

TEST(BaseTime, ParsesRfc3339) {
  constexpr std::int64_t k_time = 1'771'684'200'000;
  EXPECT_EQ(time_of("2026-02-21T14:30:00Z"), k_time);
  EXPECT_EQ(time_of("2026-02-21t14:30:00z"), k_time);
  EXPECT_EQ(time_of("2026-02-21 14:30:00.1Z"), k_time + 100);
  EXPECT_EQ(time_of("2026-02-21T14:30:00.12Z"), k_time + 120);
  EXPECT_EQ(time_of("2026-02-21T14:30:00.123999999999Z"), k_time + 123);
  EXPECT_EQ(time_of("2026-02-21T16:30:00+02:00"), k_time);
  EXPECT_EQ(time_of("2026-02-21T09:00:00-05:30"), k_time);
  EXPECT_EQ(time_of("2026-02-21T14:30:00-00:00"), k_time);
  EXPECT_EQ(time_of("2016-12-31T23:59:60Z"), 1'483'228'799'999);
  EXPECT_EQ(time_of("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(BaseTime, RefusesWhatIsNotATime) {
  for (const char* text : {"",
                           "2026",
                           "2026-02-21",
                           "2026-02-21T14:30:00",
                           "2026-02-21T14:30Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-02-00T00:00:00Z",
                           "2026-02-21T24:00:00Z",
                           "2026-02-21T14:60:00Z",
                           "2026-02-21T14:30:61Z",
                           "2026-02-21T14:30:00.Z",
                           "2026-02-21T14:30:00Zx",
                           "2026-02-21T14:30:00+2:00",
                           "2026-02-21T14:30:00+24:00",
                           "2026-02-21T14:30:00+02:60",
                           "26-02-21T14:30:00Z",
                           "2026-02-21T14:30:00+0200",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:59-01:00",
                           " 2026-02-21T14:30:00Z",
                           "2026-02-21T-1:30:00Z",
                           "\xef\xbc\x92"
                           "026-02-21T14:30:00Z"}) {
    EXPECT_EQ(time_of(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_rfc3339("x").error().code, Errc::config);
  EXPECT_NE(parse_rfc3339("x").error().context.find("2026-02-21T14:30:00Z"), std::string::npos);
}

TEST(BaseTime, Rfc3339RoundTrips) {
  std::mt19937_64 random(4);
  std::uniform_int_distribution<std::int64_t> any(0, 253'402'300'799'999);
  for (int i = 0; i < 2'000; ++i) {
    const std::int64_t millis = any(random);
    ASSERT_EQ(time_of(format_rfc3339(millis)), millis);
  }
}

TEST(BaseTime, ParsesDurations) {
  EXPECT_EQ(duration_of("500ms"), 500ms);
  EXPECT_EQ(duration_of("10s"), 10s);
  EXPECT_EQ(duration_of("2.5s"), 2500ms);
  EXPECT_EQ(duration_of("0.25m"), 15s);
  EXPECT_EQ(duration_of("5m"), 5min);
  EXPECT_EQ(duration_of("2h"), 2h);
  EXPECT_EQ(duration_of("7d"), 168h);
  EXPECT_EQ(duration_of("1h30m"), 90min);
  EXPECT_EQ(duration_of("1m2.5s"), 62500ms);
  EXPECT_EQ(duration_of("0"), 0ms);
  EXPECT_EQ(duration_of("0s"), 0ms);
  for (const char* text : {"", "10", "s", "-1s", "1x", "5m5m", "30m1h", "1.5", ".5s", "1.s", "1 s",
                           "1s ", "1.0001s", "1e3s", "99999999999999999999s", "40000d", "10S",
                           "18446744073709551615ms", "0.00000000001s"}) {
    EXPECT_EQ(duration_of(text), std::nullopt) << text;
  }
  EXPECT_NE(parse_duration("10").error().context.find("needs a unit"), std::string::npos);
}

TEST(BaseTime, DurationFlagTextReadsBack) {
  EXPECT_EQ(duration_flag_text(15s), "15s");
  EXPECT_EQ(duration_flag_text(2500ms), "2.5s");
  EXPECT_EQ(duration_flag_text(90min), "1h30m");
  EXPECT_EQ(duration_flag_text(168h), "7d");
  EXPECT_EQ(duration_flag_text(250ms), "250ms");
  EXPECT_EQ(duration_flag_text(0ms), "0");
  std::mt19937_64 random(5);
  for (int i = 0; i < 2'000; ++i) {
    const Millis value(static_cast<Millis::rep>(random() >> (24 + random() % 40)));
    ASSERT_EQ(duration_of(duration_flag_text(value)), value) << duration_flag_text(value);
  }
}

TEST(BaseTime, FormatsDurationsForPeople) {
  EXPECT_EQ(format_duration(0ns), "0 s");
  EXPECT_EQ(format_duration(850ns), "850 ns");
  EXPECT_EQ(format_duration(2500ns), "2.5 us");
  EXPECT_EQ(format_duration(999'700ns), "1 ms");
  EXPECT_EQ(format_duration(2100us), "2.1 ms");
  EXPECT_EQ(format_duration(12ms), "12 ms");
  EXPECT_EQ(format_duration(999600us), "1 s");
  EXPECT_EQ(format_duration(210ms), "0.21 s");
  EXPECT_EQ(format_duration(1200ms), "1.2 s");
  EXPECT_EQ(format_duration(30s), "30 s");
  EXPECT_EQ(format_duration(59'960ms), "1 min");
  EXPECT_EQ(format_duration(185s), "3 min 5 s");
  EXPECT_EQ(format_duration(2h + 5min), "2 h 5 min");
  EXPECT_EQ(format_duration(76h), "3 d 4 h");
  EXPECT_EQ(format_duration(-12ms), "-12 ms");
}

TEST(BaseTime, ParsesCountsAndSizes) {
  EXPECT_EQ(count_of("1000"), 1000u);
  EXPECT_EQ(count_of("10k"), 10'000u);
  EXPECT_EQ(count_of("1M"), 1'000'000u);
  EXPECT_EQ(count_of("2.5k"), 2'500u);
  EXPECT_EQ(count_of("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "k", "-1", "+1", "1.5", "0.0001k", "1kk", "1,000", "10 k", "0x10",
                           "18446744073709551616", "18446744073709551615k", "1g"}) {
    EXPECT_EQ(count_of(text), std::nullopt) << text;
  }
  EXPECT_EQ(size_of("65536"), 65'536u);
  EXPECT_EQ(size_of("64KiB"), 65'536u);
  EXPECT_EQ(size_of("64k"), 65'536u);
  EXPECT_EQ(size_of("1MB"), 1u << 20);
  EXPECT_EQ(size_of("1.5GiB"), 3u << 29);
  EXPECT_EQ(size_of("0.5TiB"), std::uint64_t{1} << 39);
  for (const char* text : {"", "KiB", "1KB ", "1x", "-1", "0.1k", "99999999999TiB"}) {
    EXPECT_EQ(size_of(text), std::nullopt) << text;
  }
}

TEST(BaseTime, FormatsSizesAndCounts) {
  EXPECT_EQ(format_size(312), "312 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(16'282), "15.9 KiB");
  EXPECT_EQ(format_size(1u << 30), "1.0 GiB");
  EXPECT_EQ(format_size((1u << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
}

}  // namespace
}  // namespace clawws::base
