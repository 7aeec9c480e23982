// `--resolve`: an address for a host and port, instead of DNS. A plain value, free of Asio, so that
// configurations can hold it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"
#include "clawws/base/export.hpp"

namespace clawws::net {

struct ResolveEntry {
  std::string host;
  std::uint16_t port = 0;
  std::string address;
};
// Errc::usage when it is not HOST:PORT:ADDRESS with a numeric address (IPv6 with or without [ ]).
CLAWWS_API base::Result<ResolveEntry> parse_resolve_entry(std::string_view text);

}  // namespace clawws::net
