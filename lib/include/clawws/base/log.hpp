// Log lines of the server: one line an event, one write(2) a line, in three formats.
//   text    2026-02-21 14:30:00.118 info  client connected  peer=127.0.0.1:5123 user=admin
//   logfmt  ts=2026-02-21T14:30:00.118Z level=info msg="client connected" peer=127.0.0.1:5123
//   json    {"ts":"…","level":"info","msg":"client connected","peer":"127.0.0.1:5123"}
// Thread-safe, and never waits: what a full pipe has no room for is counted, and the number said later.
// Never given a credential, a ticket or a payload: callers log names and numbers.
// Values are escaped (escape_terminal), so that no peer can forge a line.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"

namespace clawws::base {

enum class LogFormat : std::uint8_t { text, logfmt, json };
enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogField {
  std::string_view key;
  std::string value;
  bool number = false;  // stands without quotes in json

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  template <class N>
  requires(std::integral<N> || std::floating_point<N>) LogField(std::string_view k, N v)
      : key(k), value(std::to_string(v)), number(v - v == N{}) {}  // not for nan and infinity
};

class CLAWWS_API Logger {
 public:
  // Writes to `fd`, which stays the caller's.
  Logger(int fd, LogFormat format, LogLevel least);

  void debug(std::string_view message, std::initializer_list<LogField> fields = {});
  void info(std::string_view message, std::initializer_list<LogField> fields = {});
  void warning(std::string_view message, std::initializer_list<LogField> fields = {});
  void error(std::string_view message, std::initializer_list<LogField> fields = {});
  bool enabled(LogLevel level) const noexcept { return level >= least_; }
  // The line that a call would write, newline included; for tests.
  std::string format(LogLevel level, std::int64_t unix_millis, std::string_view message,
                     std::initializer_list<LogField> fields) const;

 private:
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);
  bool has_room() const noexcept;
  void put(std::string_view line) const noexcept;

  const int fd_;
  const LogFormat format_;
  const LogLevel least_;
  std::mutex mutex_;        // one line at a time; guards what follows
  std::uint64_t lost_ = 0;  // lines since the last one that was written
};

}  // namespace clawws::base
