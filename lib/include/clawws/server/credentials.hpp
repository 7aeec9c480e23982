// What a request says about who sends it, read from the values of its header fields, and the
// WebSocket subprotocol that its answer names. Pure functions; clawws-protocol(7) has the rules.
//
// Exactly one credential decides, the most explicit first: the one that follows `clawpanel` in
// Sec-WebSocket-Protocol, then Authorization. What is malformed decides as well: it is refused,
// and nothing behind it is tried.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"

namespace clawws::server {

// Holds secrets: never logged, never sent anywhere.
struct Presented {
  enum class Kind : std::uint8_t {
    none,       // nothing was given
    basic,      // user and password
    bearer,     // a token, user is empty
    malformed,  // something was given that is neither
  };
  Kind kind = Kind::none;
  std::string user;
  std::string password_or_token;
};

// From the values of the two fields; nothing where a field is absent. `offered_subprotocols` is
// Sec-WebSocket-Protocol: in `clawpanel, X` X is base64 of user:password, in the plain or the URL
// alphabet, padded or not. The first ':' ends the user's name. A NUL makes it malformed.
CLAWWS_API Presented credentials_from(std::optional<std::string_view> offered_subprotocols,
                                      std::optional<std::string_view> authorization);

// The answer to an offer of subprotocols.
struct Subprotocol {
  enum class Answer : std::uint8_t {
    none,       // none was offered: the answer names none, the session speaks clawws.v1
    clawws_v1,  // name it
    clawpanel,  // name it, and speak that dialect
    refuse,     // only unknown ones were offered: 400, but 401 first without other credentials
  };
  Answer answer = Answer::none;

  // What the answer's Sec-WebSocket-Protocol says; empty: the field is left out. Only ever one of
  // our own names: what was offered may be a credential and is not repeated.
  CLAWWS_API std::string_view name() const noexcept;
};

// The first of our names in the client's order. Linear in the length of the value.
CLAWWS_API Subprotocol
negotiate_subprotocol(std::optional<std::string_view> offered_subprotocols) noexcept;

}  // namespace clawws::server
