// How an attempt to connect, or a live connection, ended, and what that means for the next attempt:
// the one place where HTTP statuses, close codes and failures are sorted into "never again",
// "again after the back-off" and "again, not before the server's hint".
// Plain values and pure functions; no thread, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"
#include "clawws/base/time.hpp"

namespace clawws::net {

enum class Phase : std::uint8_t { resolve, connect, tls, upgrade, live };
CLAWWS_API std::string_view phase_name(Phase phase) noexcept;  // "DNS", "TCP", "TLS", …

enum class Again : std::uint8_t { never, backoff };

struct Ending {
  base::Errc code = base::Errc::connect_failed;  // gives the exit code when it is the end
  Again again = Again::backoff;
  Phase phase = Phase::live;
  std::optional<base::Millis> hint;  // not earlier than this: Retry-After, retry-ms
  int http_status = 0;               // of a refused upgrade, else 0
  std::uint16_t close_code = 0;      // of a close frame, else 0
  std::string what;                  // for people: what happened, where, what to try
};

// A failure that another attempt may mend.
CLAWWS_API Ending passing(Phase phase, std::string what,
                          base::Errc code = base::Errc::connect_failed);
// One that it cannot.
CLAWWS_API Ending final_ending(Phase phase, base::Errc code, std::string what);

// What came instead of the upgrade.
struct HttpAnswer {
  int status = 0;
  std::string_view retry_after;  // header values, empty when absent
  std::string_view location;
  std::string_view body;        // its first 16 KiB are looked at for {"message":…}; any bytes
  std::int64_t now_millis = 0;  // for a Retry-After that is a date
};
CLAWWS_API Ending http_ending(const HttpAnswer& answer);

// The same from the first bytes of an answer that was not read to its end, because it is too large,
// too slow, or was cut off. Nothing: they are no HTTP answer, an upgrade, or stop before the head's
// end and before 8 KiB of it.
CLAWWS_API std::optional<Ending> answer_ending(std::string_view bytes, std::int64_t now_millis);
CLAWWS_API bool is_upgrade(std::string_view bytes) noexcept;  // the answer begins with a 101
// As much of an answer is worth reading: a head and a short body.
constexpr std::size_t k_longest_head_bytes = 8 * 1024;
constexpr std::size_t k_longest_body_bytes = 16 * 1024;
constexpr std::size_t k_longest_answer_bytes = k_longest_head_bytes + k_longest_body_bytes;

// After a close frame from the server; `code` 1005 when it had none.
CLAWWS_API Ending close_ending(std::uint16_t code, std::string_view reason);

// Seconds or an IMF-fixdate; at most 10 minutes, so that no peer can send a client away for good.
CLAWWS_API std::optional<base::Millis> parse_retry_after(std::string_view value,
                                                         std::int64_t now_millis);
// The N of a word `retry-ms=N` in a close reason; at most 10 minutes.
CLAWWS_API std::optional<base::Millis> retry_hint(std::string_view close_reason);

}  // namespace clawws::net
