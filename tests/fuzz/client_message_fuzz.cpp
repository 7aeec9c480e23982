// What clients say on their connection. What is accepted stays within the protocol's limits and
// survives being written and read again.
#include <nlohmann/json.hpp>

#include "clawws/wire/filter.hpp"
#include "clawws/wire/message.hpp"
#include "fuzz.hpp"

namespace {

using namespace clawws;

void check_subscribe(const wire::ClientMessage& message) {
  if (message.since && !wire::parse_since(*message.since)) {
    FUZZ_CHECK(fuzz::is_decent_text(wire::parse_since(*message.since).error().context));
  }
  if (!message.types) return;
  FUZZ_CHECK(message.types->size() <= wire::k_max_filter_globs);
  const auto filter = wire::Filter::from_globs(*message.types);
  if (filter) {
    FUZZ_CHECK(wire::Filter::from_globs(filter->globs())->key() == filter->key());
    FUZZ_CHECK(filter->without(*filter).globs().empty());
  } else {
    FUZZ_CHECK(fuzz::is_decent_text(filter.error().context));
  }
  const auto again = wire::parse_client_message(
      wire::encode_subscribe(*message.types, message.since.value_or("")));
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->types == message.types);
  FUZZ_CHECK(again->since.value_or("") == message.since.value_or(""));
}

void check_ping(const wire::ClientMessage& message) {
  FUZZ_CHECK(message.received_at_json.size() <= 64);
  FUZZ_CHECK(nlohmann::json::accept(message.received_at_json));
  const auto pong =
      wire::parse_server_message(wire::encode_pong(0, message.received_at_json, "e1", 7));
  FUZZ_CHECK(pong.has_value() && pong->kind == wire::ServerMessage::Kind::pong);
  FUZZ_CHECK(pong->received_at_json == message.received_at_json);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const fuzz::Input input(data, size_bytes);
  const auto message = wire::parse_client_message(input.rest());
  if (!message) {
    const auto code = message.error().code;
    FUZZ_CHECK(code == base::Errc::bad_message || code == base::Errc::bad_filter ||
               code == base::Errc::bad_position);
    FUZZ_CHECK(fuzz::is_decent_text(message.error().context, 5'000));
    return 0;
  }
  FUZZ_CHECK(nlohmann::json::accept(input.rest()));
  switch (message->kind) {
    case wire::ClientMessage::Kind::ping:
      check_ping(*message);
      break;
    case wire::ClientMessage::Kind::subscribe:
    case wire::ClientMessage::Kind::unsubscribe:
      check_subscribe(*message);
      break;
    case wire::ClientMessage::Kind::ack:
      break;
  }
  return 0;
}
