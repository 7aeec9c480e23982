// What a client reads from a server it should not have to trust. The one-pass reading of an event's
// envelope finds what a DOM of the same text finds.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "clawws/wire/message.hpp"
#include "fuzz.hpp"

namespace {

using namespace clawws;
using Kind = wire::ServerMessage::Kind;
using nlohmann::json;

// A text with escaped names or a name twice is read differently on purpose.
void check_against_dom(std::string_view text, const wire::ServerMessage& message) {
  if (text.find('\\') != std::string_view::npos) return;
  const auto dom = json::parse(text, nullptr, false);
  if (dom.is_discarded()) return;
  FUZZ_CHECK(dom.is_object());
  FUZZ_CHECK(dom.at("type") == message.type);
  if (message.kind == Kind::event) {
    FUZZ_CHECK(dom.at("seq") == message.seq);
    FUZZ_CHECK(dom.contains("prev") == message.prev.has_value());
    if (message.prev) FUZZ_CHECK(dom.at("prev") == *message.prev);
  }
  if (!message.timestamp.empty()) FUZZ_CHECK(dom.at("timestamp") == message.timestamp);
}

// The other way round: what is plainly an event must be read as one.
void check_not_refused(std::string_view text) {
  if (text.find('\\') != std::string_view::npos) return;
  std::size_t members = 0;
  int deepest = 0;
  const auto look = [&](int depth, json::parse_event_t event, json&) {
    if (depth == 1 && event == json::parse_event_t::key) ++members;
    deepest = std::max(deepest, depth);
    return true;
  };
  const auto dom = json::parse(text, look, false);
  if (!dom.is_object() || dom.size() != members || deepest > 60) return;
  const auto is_count = [&dom](const char* name) {
    return !dom.contains(name) || dom.at(name).is_number_unsigned();
  };
  if (!is_count("seq") || !is_count("prev") || text.find("-0") != std::string_view::npos) return;
  if (!dom.contains("type") || !dom.at("type").is_string()) return;
  const auto& type = dom.at("type").get_ref<const std::string&>();
  for (const char* own : {"auth.success", "pong", "position", "subscribed", "error"}) {
    if (type == own) return;
  }
  FUZZ_CHECK(!"a plain message was refused");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const fuzz::Input input(data, size_bytes);
  const auto text = input.rest();
  const auto message = wire::parse_server_message(text);
  if (!message) {
    FUZZ_CHECK(message.error().code == base::Errc::protocol);
    FUZZ_CHECK(fuzz::is_decent_text(message.error().context, 5'000));
    if (text.find('\0') == std::string_view::npos) check_not_refused(text);
    return 0;
  }
  FUZZ_CHECK(message->types.size() <= 64);
  FUZZ_CHECK(message->received_at_json.size() <= 64);
  if (message->kind == Kind::subscribed) {
    const auto again =
        wire::parse_server_message(wire::encode_subscribed(0, message->types, message->start));
    FUZZ_CHECK(again.has_value() && again->types == message->types);
    FUZZ_CHECK(again->start.seq == message->start.seq && again->start.lost == message->start.lost);
  }
  if (message->kind == Kind::error) {
    const auto again =
        wire::parse_server_message(wire::encode_error(0, message->code, message->message));
    FUZZ_CHECK(again.has_value() && again->message == message->message);
  }
  check_against_dom(text, *message);
  return 0;
}
