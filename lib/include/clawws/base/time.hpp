// Wall-clock times as milliseconds since 1970 (UTC), RFC 3339 text, and durations, counts and
// sizes as people write them. Pure functions; no thread or locale dependence.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"

namespace clawws::base {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;
using Millis = std::chrono::milliseconds;

// Now, in milliseconds since 1970-01-01T00:00:00Z.
CLAWWS_API std::int64_t unix_millis() noexcept;

// "2026-02-21T14:30:00.000Z"; `millis` in [0, 253402300799999], else clamped to it.
CLAWWS_API std::string format_rfc3339(std::int64_t millis);
// Writes the same 24 bytes at `out`; for hot paths. Returns out + 24.
CLAWWS_API char* write_rfc3339(std::int64_t millis, char* out) noexcept;

// RFC 3339, section 5.6: date, 'T' or 't' or a space, time, optional fraction, 'Z' or offset.
// Leap seconds (:60) count as :59.999. Years 1970 to 9999. Error: Errc::config with the reason.
CLAWWS_API Result<std::int64_t> parse_rfc3339(std::string_view text);

// "500ms", "10s", "2.5s", "5m", "2h", "7d", "1h30m"; a bare number needs a unit unless it is 0.
CLAWWS_API Result<Millis> parse_duration(std::string_view text);
// "0.21 s", "12 ms", "3 min 5 s": short, for people.
CLAWWS_API std::string format_duration(std::chrono::nanoseconds value);
// What parse_duration reads back to the same value, largest units first: "15s", "2.5s", "1h30m".
CLAWWS_API std::string duration_flag_text(Millis value);

// "1000", "10k", "1m", "2.5k" (k = 1,000, m = 1,000,000), upper or lower case.
CLAWWS_API Result<std::uint64_t> parse_count(std::string_view text);
// Bytes: "65536", "64KiB", "1MiB", "1GiB", "64k" (k, m, g = powers of 1,024; KB, MB, GB as well).
CLAWWS_API Result<std::uint64_t> parse_size(std::string_view text);
// "15.9 KiB", "1.0 GiB", "312 B".
CLAWWS_API std::string format_size(std::uint64_t bytes);
// 1234567 -> "1,234,567".
CLAWWS_API std::string format_count(std::uint64_t value);

}  // namespace clawws::base
