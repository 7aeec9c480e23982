// Names to addresses: getaddrinfo as a blocking call (for BackgroundCall), and what needs no DNS.
// Free functions, thread-safe.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clawws/net/resolve_entry.hpp"
#include "clawws/net/url.hpp"

namespace clawws::net {

// Endpoints to try in order; `problem` says why there are none.
struct Resolved {
  std::vector<boost::asio::ip::tcp::endpoint> endpoints;
  std::string problem;
};
// Blocks, for as long as the resolver takes.
Resolved resolve_blocking(const std::string& host, std::uint16_t port);

// The endpoints when an entry names them or the host is an address; else nothing.
std::optional<std::vector<boost::asio::ip::tcp::endpoint>> known_addresses(
    const Url& url, const std::vector<ResolveEntry>& entries);

}  // namespace clawws::net
