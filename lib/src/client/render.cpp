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
// A UUID is 36 columns wide; where there is room, ids of that kind stand in a column of their own.
constexpr std::size_t k_subject_widest = 36;
constexpr std::size_t k_subject_least_widest = 14;
constexpr std::size_t k_wide_screen = 110;
// What is left of a long text or an id when a line is too long.
constexpr std::size_t k_least_text = 8;
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

// Makes subject and details fit into `room` columns, what matters least first: texts, what the
// subject has beyond its column, ids, the subject and its column, then what is left of the texts.
// Key words stay whole whatever the room.
void shorten(std::vector<Detail>& details, std::string& subject, std::size_t& subject_column,
             std::size_t room) {
  std::size_t needed = std::max(subject_column, display_width(subject));
  for (const Detail& detail : details) needed += display_width(detail.text) + 2;
  if (subject.empty() && !details.empty()) needed -= 2;
  std::size_t surplus = needed > room ? needed - room : 0;

  const auto cut = [&surplus](std::string& text, std::size_t least) {
    const std::size_t width = display_width(text);
    if (surplus == 0 || width <= least) return;
    text = fit(text, std::max(least, width > surplus ? width - surplus : 0));
    surplus -= std::min(surplus, width - display_width(text));
  };
  const auto cut_details = [&](Weight weight, std::size_t least) {
    for (auto detail = details.rbegin(); detail != details.rend(); ++detail)
      if (detail->weight == weight) cut(detail->text, least);
  };
  cut_details(Weight::text, k_least_text);
  cut(subject, std::max(k_least_text, subject_column));
  cut_details(Weight::id, k_least_text);
  const std::size_t padding = subject_column - std::min(subject_column, display_width(subject));
  const std::size_t unpadded = std::min(surplus, padding);
  subject_column -= unpadded;
  surplus -= unpadded;
  if (surplus > 0) {
    cut(subject, k_least_text);
    subject_column = display_width(subject);
  }
  cut_details(Weight::text, 1);
}

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
  const std::string time = time_column(message.timestamp, now_millis);
  // The column grows, so that lines stay aligned after the first that needs more.
  time_width_ = std::max(time_width_, display_width(time));

  // The subject is an id like others, in a column of its own; a built-in type without one gets "-".
  std::string subject = summary.subject;
  const bool is_known = !type_color(message.type).empty();
  if (subject.empty() && !summary.details.empty() && is_known) subject = "-";
  const bool is_narrow = config_.width != 0 && config_.width < k_wide_screen;
  const std::size_t subject_widest =
      is_narrow ? std::max(config_.width / 5, k_subject_least_widest) : k_subject_widest;
  subject_width_ = std::min(
      std::max(subject_width_, std::min(display_width(subject), subject_widest)), subject_widest);

  const std::string seq = "#" + std::to_string(message.seq);
  const std::size_t wanted =
      std::max(config_.width == 0 ? k_default_width : config_.width, k_least_width);
  std::size_t subject_column = subject.empty() ? 0 : subject_width_;
  std::vector<Detail> details = summary.details;
  if (config_.width != 0) {
    const std::size_t fixed = (time.empty() ? 0 : time_width_ + 2) +
                              std::max(display_width(type), k_type_width) + 2 + 2 + seq.size();
    const std::size_t room = wanted > fixed ? wanted - fixed : 0;
    shorten(details, subject, subject_column, room);
  }

  std::string out;
  std::size_t columns = 0;
  const auto put = [&](std::string_view color, std::string_view word, std::size_t width) {
    const std::string padded = pad(word, width);
    out += paint(is_bad ? k_red : color, padded);
    columns += display_width(padded);
  };
  const auto space = [&] {
    out += "  ";
    columns += 2;
  };
  if (!time.empty()) {
    put(k_dim, time, time_width_);
    space();
  }
  put(type_color(message.type), type, k_type_width);
  space();
  if (!subject.empty()) {
    put(summary.subject.empty() ? k_dim : k_bold, subject, subject_column);
    if (!details.empty()) space();
  }
  for (std::size_t i = 0; i < details.size(); ++i) {
    if (i > 0) space();
    put(mood_color(details[i].mood), details[i].text, 0);
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
