// The protocol's messages as they are written.
#include "clawws/wire/message.hpp"

#include "clawws/base/time.hpp"
#include "clawws/wire/event.hpp"
#include "json_guard.hpp"

namespace clawws::wire {
namespace {

// `{"type":…,"timestamp":…` without the brace that ends it.
std::string begin(std::string_view type, std::int64_t now_millis) {
  std::string text = "{\"type\":\"";
  text += type;
  text += "\",\"timestamp\":\"" + base::format_rfc3339(now_millis) + '"';
  return text;
}

// `member` is literal JSON up to the value, comma and colon included.
void append_string(std::string& text, std::string_view member, std::string_view value) {
  text += member;
  append_json_string(text, value);
}

void append_count(std::string& text, std::string_view member, std::uint64_t value) {
  text += member;
  append_number(text, value);
}

// `,"seq":…,"oldest":…,"resumed":…,"lost":…`, which both first frames have.
void append_start(std::string& text, const StreamStart& start) {
  append_string(text, ",\"epoch\":", start.epoch);
  append_count(text, ",\"seq\":", start.seq);
  append_count(text, ",\"oldest\":", start.oldest);
  text += start.resumed ? ",\"resumed\":true" : ",\"resumed\":false";
  if (start.lost) {
    append_count(text, ",\"lost\":", *start.lost);
  } else {
    text += ",\"lost\":null";
  }
}

void append_strings(std::string& text, const std::vector<std::string>& values) {
  text += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    append_string(text, i == 0 ? "" : ",", values[i]);
  }
  text += ']';
}

}  // namespace

std::string encode_welcome(const Welcome& welcome) {
  auto text = begin("auth.success", welcome.now_millis);
  append_string(
      text, ",\"payload\":{\"message\":\"Connected successfully\",\"userId\":", welcome.user_id);
  text += ",\"connectionTime\":\"" + base::format_rfc3339(welcome.now_millis) + '"';
  append_string(text, ",\"server\":", welcome.server);
  append_start(text, welcome.start);
  append_count(text, ",\"behind\":", welcome.behind);
  return text += "}}";
}

std::string encode_pong(std::int64_t now_millis, std::string_view received_at_json,
                        std::string_view epoch, std::uint64_t seq) {
  auto text = begin("pong", now_millis);
  text += ",\"payload\":{\"receivedAt\":";
  text += received_at_json;
  append_string(text, ",\"epoch\":", epoch);
  append_count(text, ",\"seq\":", seq);
  return text += "}}";
}

std::string encode_position(std::int64_t now_millis, std::string_view epoch, std::uint64_t seq) {
  auto text = begin("position", now_millis);
  append_string(text, ",\"payload\":{\"epoch\":", epoch);
  append_count(text, ",\"seq\":", seq);
  return text += "}}";
}

std::string encode_subscribed(std::int64_t now_millis, const std::vector<std::string>& types,
                              const StreamStart& start) {
  auto text = begin("subscribed", now_millis);
  text += ",\"payload\":{\"types\":";
  append_strings(text, types);
  append_start(text, start);
  return text += "}}";
}

std::string encode_error(std::int64_t now_millis, std::string_view code, std::string_view message) {
  auto text = begin("error", now_millis);
  append_string(text, ",\"payload\":{\"code\":", code);
  append_string(text, ",\"message\":", message);
  return text += "}}";
}

std::string encode_ping(std::int64_t now_millis) {
  return begin("ping", now_millis) += '}';
}

std::string encode_subscribe(const std::vector<std::string>& types, const std::string& since) {
  std::string text = "{\"type\":\"subscribe\",\"payload\":{\"types\":";
  append_strings(text, types);
  if (!since.empty()) append_string(text, ",\"since\":", since);
  return text += "}}";
}

}  // namespace clawws::wire
