#include "clawws/client/render.hpp"

#include <time.h>

#include <algorithm>
#include <cstdio>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/client/summary.hpp"

namespace clawws::client {
namespace {

constexpr std::size_t k_type_width = 16;
constexpr std::size_t k_subject_widest = 24;
// Where #SEQ stands when nobody says how wide the screen is.
constexpr std::size_t k_default_width = 88;
constexpr std::size_t k_least_width = 40;

constexpr std::string_view k_reset = "\x1b[0m";
constexpr std::string_view k_dim = "\x1b[2m";
constexpr std::string_view k_bold = "\x1b[1m";
constexpr std::string_view k_red = "\x1b[31m";
constexpr std::string_view k_green = "\x1b[32m";
constexpr std::string_view k_yellow = "\x1b[33m";

std::string_view type_color(std::string_view type) {
  if (type.starts_with("session.")) return "\x1b[36m";
  if (type.starts_with("agent.")) return "\x1b[34m";
  if (type.starts_with("cron.")) return "\x1b[35m";
  if (type.starts_with("gateway.")) return k_yellow;
  return {};
}

std::string_view mood_color(Mood mood) {
  switch (mood) {
    case Mood::plain:
      return {};
    case Mood::good:
      return k_green;
    case Mood::warning:
      return k_yellow;
    case Mood::bad:
      return k_red;
  }
  return {};
}

enum class Zone : std::uint8_t { local, utc };

std::tm parts_of(std::int64_t unix_millis, Zone zone) {
  const time_t seconds = unix_millis / 1000;
  std::tm parts{};
  if (zone == Zone::utc)
    ::gmtime_r(&seconds, &parts);
  else
    ::localtime_r(&seconds, &parts);
  return parts;
}

std::string format(const char* form, const std::tm& parts) {
  char out[32];
  return std::string(out, std::strftime(out, sizeof out, form, &parts));
}

std::string clock_of(std::int64_t unix_millis, std::int64_t now_millis, Zone zone) {
  const std::tm parts = parts_of(unix_millis, zone);
  char millis[8];
  std::snprintf(millis, sizeof millis, ".%03d", static_cast<int>(unix_millis % 1000));
  // A time of another day says nothing without its date.
  const bool is_today = format("%F", parts) == format("%F", parts_of(now_millis, zone));
  return format(is_today ? "%T" : "%F %T", parts) + millis;
}

// The colours of one line; with colour off nothing is added.
class Paint {
 public:
  explicit Paint(Color color) : on_(color == Color::on) {}
  std::string operator()(std::string_view color, std::string_view text) const {
    if (!on_ || color.empty() || text.empty()) return std::string(text);
    return std::string(color) + std::string(text) + std::string(k_reset);
  }

 private:
  bool on_;
};

}  // namespace

std::string Renderer::line(const wire::ServerMessage& message, std::string_view text,
                           std::int64_t now_millis) {
  std::string out = config_.format == OutputFormat::ndjson ? one_json_line(text, config_.stream)
                                                           : pretty(message, text, now_millis);
  out += '\n';
  return out;
}

std::string Renderer::time_column(std::string_view timestamp, std::int64_t now_millis) {
  if (config_.time == TimeFormat::none) return {};
  const auto parsed = base::parse_rfc3339(timestamp);
  if (!parsed) return "-";
  const std::int64_t millis = *parsed;
  switch (config_.time) {
    case TimeFormat::iso:
      return base::format_rfc3339(millis);
    case TimeFormat::delta: {
      const std::int64_t delta = last_millis_ ? millis - *last_millis_ : 0;
      last_millis_ = millis;
      char out[32];
      std::snprintf(out, sizeof out, "%+.3f", static_cast<double>(delta) / 1000);
      return out;
    }
    case TimeFormat::utc:
      return clock_of(millis, now_millis, Zone::utc) + "Z";
    default:
      return clock_of(millis, now_millis, Zone::local);
  }
}

std::string Renderer::pretty(const wire::ServerMessage& message, std::string_view text,
                             std::int64_t now_millis) {
  const Paint paint(config_.color);
  const Summary summary = summarize(message.type, text);
  const std::string type = base::escape_terminal(message.type);
  const bool is_bad = summary.mood == Mood::bad;
  std::string out;
  std::size_t columns = 0;
  const auto put = [&](std::string_view color, const std::string& word, std::size_t width) {
    const std::string padded = pad(word, width);
    out += paint(is_bad ? k_red : color, padded);
    columns += display_width(padded);
  };
  const auto space = [&] {
    out += "  ";
    columns += 2;
  };

  const std::string time = time_column(message.timestamp, now_millis);
  if (!time.empty()) {
    // The column grows, so that lines stay aligned after the first that needs more.
    time_width_ = std::max(time_width_, display_width(time));
    put(k_dim, time, time_width_);
    space();
  }
  put(type_color(message.type), type, k_type_width);
  space();
  if (!summary.subject.empty()) {
    subject_width_ = std::clamp(display_width(summary.subject), subject_width_, k_subject_widest);
    put(k_bold, summary.subject, subject_width_);
    space();
  } else if (!summary.details.empty() && !type_color(message.type).empty()) {
    put(k_dim, "-", subject_width_);
    space();
  }

  const std::string seq = "#" + std::to_string(message.seq);
  const std::size_t wanted =
      std::max(config_.width == 0 ? k_default_width : config_.width, k_least_width);
  // On a terminal the details give way, so that an event stays one line.
  const std::size_t seq_room = seq.size() + 2;
  const bool must_fit = config_.width != 0 && columns + seq_room < wanted;
  std::size_t room = must_fit ? wanted - columns - seq_room : SIZE_MAX;
  for (std::size_t i = 0; i < summary.details.size() && room > 2; ++i) {
    const Detail& detail = summary.details[i];
    if (i > 0) {
      space();
      room -= room == SIZE_MAX ? 0 : 2;
    }
    const std::string word =
        room == SIZE_MAX ? detail.text : fit(detail.text, std::max<std::size_t>(room, 1));
    put(mood_color(detail.mood), word, 0);
    if (room != SIZE_MAX) room -= std::min(room, display_width(word));
  }
  const std::size_t seq_at = wanted > seq.size() ? wanted - seq.size() : 0;
  out.append(seq_at > columns + 2 ? seq_at - columns : 2, ' ');
  out += paint(k_dim, seq);
  return out;
}

std::string one_json_line(std::string_view text, StreamKind stream) {
  std::string out;
  out.reserve(text.size() + 1);
  if (stream == StreamKind::other) {
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    return out;
  }
  // What escape_terminal would change stands only inside strings, where JSON has its own escape.
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x7f) {
      out += lead < 0x20 ? ' ' : text[at];
      ++at;
      continue;
    }
    const std::size_t bytes = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const std::string_view character = text.substr(at, bytes);
    const std::string escaped = base::escape_terminal(character);
    if (escaped == character) {
      out += character;
    } else {
      unsigned code = lead;
      if (bytes > 1) code = lead & (0xffu >> (bytes + 1));
      for (std::size_t i = 1; i < character.size(); ++i)
        code = code << 6 | (static_cast<unsigned char>(character[i]) & 0x3fu);
      char form[16];
      std::snprintf(form, sizeof form, "\\u%04x", code & 0xffffu);
      out += form;
    }
    at += character.size();
  }
  return out;
}

std::string clock_text(std::int64_t unix_millis) {
  return format("%T", parts_of(unix_millis, Zone::local));
}

}  // namespace clawws::client
