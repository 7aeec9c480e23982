// The protocol's messages, as the server reads a client's and as a client reads the server's.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "clawws/wire/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view text(reinterpret_cast<const char*>(data), size_bytes);
  const auto message = clawws::wire::parse_client_message(text);
  if (message.has_value() && message.value().received_at_json.size() > 64) std::abort();
  if (message.has_value() && message.value().kind == clawws::wire::ClientMessage::Kind::ping) {
    // What a client put into its ping comes back inside a pong that a client can read.
    const std::string pong =
        clawws::wire::encode_pong(0, message.value().received_at_json, "epoch", 7);
    const auto read = clawws::wire::parse_server_message(pong);
    if (read.has_error() || read.value().kind != clawws::wire::ServerMessage::Kind::pong) {
      std::abort();
    }
  }
  (void)clawws::wire::parse_server_message(text);
  return 0;
}
