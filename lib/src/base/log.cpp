#include "clawws/base/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"

namespace clawws::base {
namespace {

std::string_view level_word(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

// Between double quotes, as both logfmt and JSON read it: after escape_terminal only the quote and
// the backslash are left to be escaped.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : escape_terminal(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_pair(std::string& out, std::string_view key, std::string_view value) {
  out += key;
  out += '=';
  const bool plain = !value.empty() && value.find_first_of(" =\"\\") == std::string_view::npos &&
                     escape_terminal(value).size() == value.size();
  if (plain) {
    out += value;
  } else {
    append_quoted(out, value);
  }
}

// A person at the terminal reads it, so it is local time.
std::string local_time(std::int64_t unix_millis) {
  const auto seconds = static_cast<std::time_t>(unix_millis / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &parts);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s.%03d", date.data(),
                static_cast<int>(unix_millis % 1000));
  return text.data();
}

}  // namespace

Logger::Logger(int fd, LogFormat format, LogLevel least)
    : fd_(fd), format_(format), least_(least) {}

void Logger::debug(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::debug, message, fields);
}
void Logger::info(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::info, message, fields);
}
void Logger::warning(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::warning, message, fields);
}
void Logger::error(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::error, message, fields);
}

std::string Logger::format(LogLevel level, std::int64_t unix_millis, std::string_view message,
                           std::initializer_list<LogField> fields) const {
  const std::string_view word = level_word(level);
  std::string line;
  switch (format_) {
    case LogFormat::text:
      line = local_time(unix_millis) + ' ' + std::string(word) + std::string(6 - word.size(), ' ') +
             escape_terminal(message);
      for (const LogField& field : fields) {
        line += &field == fields.begin() ? "  " : " ";
        append_pair(line, field.key, field.value);
      }
      break;
    case LogFormat::logfmt:
      line = "ts=" + format_rfc3339(unix_millis) + " level=" + std::string(word) + " msg=";
      append_quoted(line, message);
      for (const LogField& field : fields) {
        line += ' ';
        append_pair(line, field.key, field.value);
      }
      break;
    case LogFormat::json:
      line = "{\"ts\":\"" + format_rfc3339(unix_millis) + "\",\"level\":\"" + std::string(word) +
             "\",\"msg\":";
      append_quoted(line, message);
      for (const LogField& field : fields) {
        line += ',';
        append_quoted(line, field.key);
        line += ':';
        if (field.number) {
          line += field.value;
        } else {
          append_quoted(line, field.value);
        }
      }
      line += '}';
      break;
  }
  line += '\n';
  return line;
}

void Logger::write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) {
  if (!enabled(level)) return;
  const std::string line = format(level, base::unix_millis(), message, fields);
  const std::lock_guard lock(mutex_);
  if (lost_ != 0 && has_room()) {
    put(format(LogLevel::warning, base::unix_millis(), "log lines were lost, nobody took them", {{"lines", lost_}}));
    lost_ = 0;
  }
  if (has_room()) {
    put(line);
  } else {
    ++lost_;
  }
}

// A pipe that nobody reads must not stop who writes. What is broken has room: its write fails at once.
bool Logger::has_room() const noexcept {
  pollfd what{fd_, POLLOUT, 0};
  return ::poll(&what, 1, 0) != 0;
}

void Logger::put(std::string_view line) const noexcept {
  // A log that cannot be written has nowhere to say so; the server goes on.
  while (::write(fd_, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace clawws::base
