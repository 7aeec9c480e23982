// The protocol's messages as they are read: what clients say, and what clients read.
#include <array>

#include "clawws/wire/event.hpp"
#include "clawws/wire/filter.hpp"
#include "clawws/wire/message.hpp"
#include "envelope.hpp"
#include "message_reader.hpp"

namespace clawws::wire {
namespace {

using base::Errc;
using base::Error;
using Slot = MessageReader::Slot;
using Kind = MessageReader::Kind;

constexpr std::size_t k_max_received_at = 64;

// A scalar as JSON text if it is short, else null: an answer must not carry what the asker chose
// beyond what a time needs.
std::string short_json(const MessageReader::Value& value) {
  std::string text = "null";
  if (value.is(Kind::string)) text = json_string(value.text);
  if (value.is(Kind::count) || value.is(Kind::number)) text = value.text;
  return text.size() <= k_max_received_at ? text : "null";
}

// Whether the globs are good is Filter's business; here only that they are a short list of strings.
base::Result<void> read_types(const MessageReader& reader, ClientMessage& message) {
  if (reader[Slot::types].is(Kind::absent)) return {};
  if (!reader[Slot::types].is(Kind::strings)) {
    return Error(Errc::bad_filter, "types is a list of strings");
  }
  if (reader.has_too_many_types()) {
    return Error(Errc::bad_filter,
                 "a filter has at most " + std::to_string(k_max_filter_globs) + " entries");
  }
  message.types = reader.types();
  return {};
}

// What stands beside the payload is refused: passed over, it would make a filter that someone wrote
// one brace too early mean "everything".
base::Result<ClientMessage> read_subscribe(const MessageReader& reader, ClientMessage message) {
  const bool is_subscribe = message.kind == ClientMessage::Kind::subscribe;
  if (!reader[Slot::top_types].is(Kind::absent) || !reader[Slot::top_since].is(Kind::absent)) {
    return Error(Errc::bad_message, "types and since belong into payload");
  }
  const auto& payload = reader[Slot::payload];
  if (!payload.is(Kind::absent) && !payload.is(Kind::object)) {
    return Error(Errc::bad_message, "payload is an object");
  }
  if (auto types = read_types(reader, message); !types) return types.error();
  if (!is_subscribe && !message.types) {
    return Error(Errc::bad_filter, "unsubscribe needs types, the entries to remove");
  }
  if (is_subscribe && !reader[Slot::since].is(Kind::absent)) {
    if (!reader[Slot::since].is(Kind::string)) {
      return Error(Errc::bad_position, "since is a string");
    }
    message.since = reader[Slot::since].text;
  }
  return message;
}

Error not_readable(std::string why) {
  return Error(Errc::protocol, std::move(why));
}

bool has_position(const MessageReader& reader) {
  return reader[Slot::epoch].is(Kind::string) && is_epoch(reader[Slot::epoch].text) &&
         reader[Slot::payload_seq].is(Kind::count);
}

// The members that `auth.success` and `subscribed` share. False: one is missing or of another kind.
bool read_start(const MessageReader& reader, StreamStart& start) {
  if (!has_position(reader) || !reader[Slot::resumed].is(Kind::boolean)) return false;
  start.epoch = reader[Slot::epoch].text;
  start.seq = reader[Slot::payload_seq].count;
  start.oldest = reader[Slot::oldest].count;
  start.resumed = reader[Slot::resumed].truth;
  if (reader[Slot::lost].is(Kind::count)) start.lost = reader[Slot::lost].count;
  return true;
}

struct NamedKind {
  std::string_view name;
  ServerMessage::Kind kind;
};
constexpr NamedKind k_server_kinds[] = {
    {"auth.success", ServerMessage::Kind::welcome}, {"pong", ServerMessage::Kind::pong},
    {"position", ServerMessage::Kind::position},    {"subscribed", ServerMessage::Kind::subscribed},
    {"error", ServerMessage::Kind::error},
};

// The messages that are not events come seldom and are small: they may cost a second reading.
base::Result<ServerMessage> read_own_message(std::string_view text, ServerMessage::Kind kind) {
  MessageReader reader;
  if (!reader.read(text)) return not_readable(reader.problem());
  ServerMessage message;
  message.kind = kind;
  message.type = reader[Slot::type].text;
  message.timestamp = reader[Slot::timestamp].text;
  switch (kind) {
    case ServerMessage::Kind::welcome:
      if (!read_start(reader, message.start)) {
        return not_readable("auth.success without a valid epoch, seq and resumed");
      }
      message.behind = reader[Slot::behind].count;
      message.user_id = reader[Slot::user_id].text;
      message.server = reader[Slot::server].text;
      break;
    case ServerMessage::Kind::subscribed:
      if (!read_start(reader, message.start) || !reader[Slot::types].is(Kind::strings)) {
        return not_readable("subscribed without types, a valid epoch, seq and resumed");
      }
      message.types = reader.types();
      break;
    case ServerMessage::Kind::pong:
      message.received_at_json = short_json(reader[Slot::received_at]);
      [[fallthrough]];
    case ServerMessage::Kind::position:
      if (!has_position(reader)) {
        return not_readable(message.type + " without a valid epoch and seq");
      }
      message.epoch = reader[Slot::epoch].text;
      message.seq = reader[Slot::payload_seq].count;
      break;
    case ServerMessage::Kind::error:
      message.code = reader[Slot::code].text;
      message.message = reader[Slot::message].text;
      break;
    case ServerMessage::Kind::event:
    case ServerMessage::Kind::unknown:
      break;
  }
  return message;
}

}  // namespace

base::Result<ClientMessage> parse_client_message(std::string_view text) {
  MessageReader reader;
  if (!reader.read(text)) return Error(Errc::bad_message, reader.problem());
  if (!reader[Slot::type].is(Kind::string)) {
    return Error(Errc::bad_message, "a message has a type, a string");
  }
  const std::string& type = reader[Slot::type].text;
  ClientMessage message{};
  if (type == "ping") {
    message.kind = ClientMessage::Kind::ping;
    message.received_at_json = short_json(reader[Slot::timestamp]);
    return message;
  }
  if (type == "subscribe") {
    message.kind = ClientMessage::Kind::subscribe;
    return read_subscribe(reader, std::move(message));
  }
  if (type == "unsubscribe") {
    message.kind = ClientMessage::Kind::unsubscribe;
    return read_subscribe(reader, std::move(message));
  }
  if (type == "ack") {
    if (!reader[Slot::payload_seq].is(Kind::count)) {
      return Error(Errc::bad_message, "ack needs payload.seq, an integer");
    }
    message.kind = ClientMessage::Kind::ack;
    message.seq = reader[Slot::payload_seq].count;
    return message;
  }
  return Error(Errc::bad_message, "a message is a ping, subscribe, unsubscribe or ack");
}

base::Result<ServerMessage> parse_server_message(std::string_view text) {
  Envelope envelope;
  if (!scan_envelope(text, envelope)) {
    return not_readable("not a JSON object with a \"type\"");
  }
  for (const NamedKind& each : k_server_kinds) {
    if (each.name == envelope.type) return read_own_message(text, each.kind);
  }
  ServerMessage message;
  message.kind = envelope.seq ? ServerMessage::Kind::event : ServerMessage::Kind::unknown;
  message.type = envelope.type;
  message.timestamp = envelope.timestamp;
  message.seq = envelope.seq.value_or(0);
  message.prev = envelope.prev;
  return message;
}

}  // namespace clawws::wire
