#include "clawws/wire/sse.hpp"

#include <algorithm>

#include "clawws/base/time.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::wire {
namespace {

// CR and LF end a line of the stream. In JSON they can stand only between tokens, where a space
// means the same; inside strings they are escaped already.
void append_line(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  out.append(text);
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
}

void append_id(std::string& out, std::string_view epoch, std::uint64_t seq) {
  out.append("id: ").append(epoch).append(":").append(std::to_string(seq)).append("\n");
}

}  // namespace

void append_sse_event(std::string& out, std::string_view epoch, std::uint64_t seq,
                      std::string_view type, std::string_view head, std::string_view tail) {
  append_id(out, epoch, seq);
  out.append("event: ");
  append_line(out, type);
  out.append("\ndata: ");
  append_line(out, head);
  append_line(out, tail);
  out.append("\n\n");
}

void append_sse_position(std::string& out, std::string_view epoch, std::uint64_t seq) {
  out.append(":\n");
  append_id(out, epoch, seq);
  out.append("\n");
}

void append_sse_comment(std::string& out, std::string_view text) {
  out.append(": ");
  append_line(out, text);
  out.append("\n\n");
}

void append_sse_retry(std::string& out, std::uint64_t millis) {
  out.append("retry: ").append(std::to_string(millis)).append("\n\n");
}

void append_sse_gap(std::string& out, std::int64_t now_millis, const Position& asked,
                    const StreamStart& start, const Position& goes_on_after) {
  const char* const cause = asked.epoch != start.epoch ? "new_epoch"
                            : asked.seq > start.seq    ? "ahead"
                                                       : "retention";
  const std::string text =
      "{\"type\":\"clawws.gap\",\"timestamp\":" + json_string(base::format_rfc3339(now_millis)) +
      ",\"payload\":{\"cause\":\"" + cause +
      "\",\"lost\":" + (start.lost ? std::to_string(*start.lost) : "null") +
      ",\"from\":" + json_string(to_string(asked)) +
      ",\"to\":" + json_string(to_string(goes_on_after)) + "}}";
  append_sse_event(out, goes_on_after.epoch, goes_on_after.seq, "clawws.gap", text);
}

}  // namespace clawws::wire
