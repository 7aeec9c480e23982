// The URLs that the tools take: where to connect. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"
#include "clawws/base/export.hpp"

namespace clawws::net {

struct Url {
  std::string scheme;  // "wss", "https", "ws", "http"
  std::string host;    // without brackets
  std::uint16_t port = 0;
  std::string path;    // begins with '/', without query
  std::string query;   // without '?'

  // "wss://localhost:8443/ws"; brackets around IPv6, default ports left out.
  CLAWWS_API std::string text() const;
  // Host, with brackets where needed, and ":port" unless it is the scheme's own: the Host field.
  CLAWWS_API std::string authority() const;
  // Path and query, as a request line has them.
  CLAWWS_API std::string target() const;
};

// Errc::usage: no such scheme, user:password@ inside (the message names the safe ways to give a
// password and never repeats the text), a fragment, a port outside 1 to 65535.
CLAWWS_API base::Result<Url> parse_url(std::string_view text);

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
// "127.0.0.1:8443", "[::1]:0", "localhost:8443".
CLAWWS_API base::Result<HostPort> parse_host_port(std::string_view text);

}  // namespace clawws::net
