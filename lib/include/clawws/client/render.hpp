// Events as lines. pretty: one aligned line an event, made for each built-in type (what a person
// wants to know first), errors in red, nothing in it that could drive a terminal. ndjson: the
// event's JSON as it came, one line. Not thread-safe: it remembers column widths and the last time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/client/terminal.hpp"
#include "clawws/wire/message.hpp"

namespace clawws::client {

enum class OutputFormat : std::uint8_t { pretty, ndjson };
enum class TimeFormat : std::uint8_t { local, utc, iso, delta, none };

struct RenderConfig {
  OutputFormat format = OutputFormat::pretty;
  TimeFormat time = TimeFormat::local;
  Color color = Color::off;
  StreamKind stream = StreamKind::other;  // terminal: ndjson is made harmless, too
  std::size_t width = 0;                  // columns to fit into; 0: as long as it gets
};

class CLAWWS_API Renderer {
 public:
  explicit Renderer(const RenderConfig& config) : config_(config) {}

  // The line with its newline. `text` is the event's JSON, `now_millis` decides whether a date is
  // shown beside the time.
  std::string line(const wire::ServerMessage& message, std::string_view text,
                   std::int64_t now_millis);
  void set_width(std::size_t columns) { config_.width = columns; }

 private:
  std::string pretty(const wire::ServerMessage& message, std::string_view text,
                     std::int64_t now_millis);
  std::string time_column(std::string_view timestamp, std::int64_t now_millis);

  RenderConfig config_;
  std::size_t time_width_ = 0;
  std::size_t subject_width_ = 14;
  std::optional<std::int64_t> last_millis_;
};

// One line of JSON: raw line ends between tokens become spaces. For a terminal also DEL, C1, bidi
// and invisible characters become \u escapes, which mean the same in JSON.
std::string one_json_line(std::string_view text, StreamKind stream);

// "14:30:12" or "2026-02-21 14:30:12.118" in local time, for notes.
std::string clock_text(std::int64_t unix_millis);

}  // namespace clawws::client
