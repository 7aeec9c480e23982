// The protocol's own messages, both ways: what the server says besides events, what clients say,
// and what clients read. JSON text without a WebSocket frame around it. Pure; bounded: client text
// is at most 64 KiB by the codec's limit, nested at most 32 deep, at most 64 globs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/wire/position.hpp"

namespace clawws::wire {

// ---- server to client -------------------------------------------------------------------------

struct Welcome {  // auth.success
  std::string user_id;
  std::int64_t now_millis = 0;
  std::string server;  // "clawws/0.1.0"
  StreamStart start;
  std::uint64_t behind = 0;  // positions between the start and the newest, whatever the filter
};
CLAWWS_API std::string encode_welcome(const Welcome& welcome);

// `received_at_json`: the ping's own "timestamp" value as JSON text ("null" when it had none).
CLAWWS_API std::string encode_pong(std::int64_t now_millis, std::string_view received_at_json,
                                   std::string_view epoch, std::uint64_t seq);
CLAWWS_API std::string encode_position(std::int64_t now_millis, std::string_view epoch, std::uint64_t seq);
CLAWWS_API std::string encode_subscribed(std::int64_t now_millis, const std::vector<std::string>& types,
                                         const StreamStart& start);
// `code`: bad_position, bad_filter or bad_message.
CLAWWS_API std::string encode_error(std::int64_t now_millis, std::string_view code, std::string_view message);

// ---- client to server -------------------------------------------------------------------------

struct ClientMessage {
  enum class Kind : std::uint8_t { ping, subscribe, unsubscribe, ack } kind;
  std::string received_at_json = "null";        // ping: its timestamp as JSON text, at most 64 bytes, else "null"
  std::optional<std::vector<std::string>> types; // subscribe, unsubscribe; nothing: not given (subscribe: everything)
  std::optional<std::string> since;             // subscribe
  std::uint64_t seq = 0;                        // ack
};
// Errc::bad_message for what is not one of them, or not JSON; bad_filter for a `types` that is no
// list of strings or is longer than 64; bad_position for a `since` that is no string. Never throws.
CLAWWS_API base::Result<ClientMessage> parse_client_message(std::string_view text);

CLAWWS_API std::string encode_ping(std::int64_t now_millis);
CLAWWS_API std::string encode_subscribe(const std::vector<std::string>& types, const std::string& since);

// ---- what a client reads ----------------------------------------------------------------------

struct ServerMessage {
  enum class Kind : std::uint8_t { welcome, event, pong, position, subscribed, error, unknown } kind;
  std::string type;
  std::string timestamp;
  std::uint64_t seq = 0;                  // event; pong and position: of the payload
  std::optional<std::uint64_t> prev;      // event on a filtered subscription
  std::string epoch;                      // pong, position
  std::string received_at_json;           // pong
  StreamStart start;                      // welcome, subscribed
  std::uint64_t behind = 0;               // welcome
  std::string user_id, server;            // welcome
  std::vector<std::string> types;         // subscribed
  std::string code, message;              // error
};
// Events: only the envelope is looked at, the payload stays in `text`. Errc::protocol for what is
// not a JSON object with a "type", or one of the protocol's own without its fields (an epoch that is
// none included).
CLAWWS_API base::Result<ServerMessage> parse_server_message(std::string_view text);

}  // namespace clawws::wire
