#include "clawws/net/resolve.hpp"

#include <netdb.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "clawws/base/text.hpp"

namespace clawws::net {
namespace {

using boost::asio::ip::tcp;

std::optional<boost::asio::ip::address> numeric(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return address;
}

struct AddrinfoFree {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

}  // namespace

base::Result<ResolveEntry> parse_resolve_entry(std::string_view text) {
  // The host may be a bracketed IPv6 address, the address may hold colons: HOST ends at the first
  // colon outside brackets.
  std::size_t from = 0;
  if (!text.empty() && text.front() == '[') from = std::min(text.find(']'), text.size());
  const std::size_t first = text.find(':', from);
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos || first == 0)
    return base::Error(base::Errc::usage, "expected HOST:PORT:ADDRESS");
  ResolveEntry entry;
  std::string_view host = text.substr(0, first);
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  entry.host = host;
  const std::string_view port = text.substr(first + 1, second - first - 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), entry.port);
  if (failed != std::errc() || end != port.data() + port.size() || entry.port == 0)
    return base::Error(base::Errc::usage, "expected HOST:PORT:ADDRESS with a port from 1 to 65535");
  entry.address = text.substr(second + 1);
  if (!numeric(entry.address))
    return base::Error(base::Errc::usage,
                       "'" + base::escape_terminal(entry.address) + "' is no IP address");
  return entry;
}

Resolved resolve_blocking(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int result = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  // On a host with nothing but loopback AI_ADDRCONFIG hides everything.
  if (result == EAI_NONAME || result == EAI_ADDRFAMILY || result == EAI_NODATA) {
    hints.ai_flags = AI_NUMERICSERV;
    result = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  }
  Resolved resolved;
  if (result != 0) {
    const std::string reason =
        result == EAI_SYSTEM ? base::errno_text(errno) : std::string(::gai_strerror(result));
    resolved.problem =
        "cannot resolve the host name '" + base::escape_terminal(host) + "': " + reason;
    return resolved;
  }
  const std::unique_ptr<addrinfo, AddrinfoFree> list(found);
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    resolved.endpoints.push_back(endpoint);
  }
  if (resolved.endpoints.empty())
    resolved.problem = "the host name '" + base::escape_terminal(host) + "' has no IP address";
  return resolved;
}

std::optional<std::vector<tcp::endpoint>> known_addresses(
    const Url& url, const std::vector<ResolveEntry>& entries) {
  std::vector<tcp::endpoint> endpoints;
  for (const ResolveEntry& entry : entries)
    if (base::iequals(entry.host, url.host) && entry.port == url.port)
      if (const auto address = numeric(entry.address)) endpoints.emplace_back(*address, url.port);
  if (endpoints.empty())
    if (const auto address = numeric(url.host)) endpoints.emplace_back(*address, url.port);
  if (endpoints.empty()) return std::nullopt;
  return endpoints;
}

}  // namespace clawws::net
