#include "clawws/bench/target.hpp"

#include <netinet/in.h>
#include <poll.h>

#include <cerrno>
#include <cstring>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/net/resolve.hpp"

namespace clawws::bench {
namespace {

constexpr int k_listen_wait_ms = 200;
constexpr std::string_view k_websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

}  // namespace

Target::~Target() {
  net::wipe(upgrade_request);
  net::wipe(publish_head);
}

bool Target::is_loopback() const noexcept {
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    return std::memcmp(&v6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &address, sizeof v4);
  return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
}

std::string Target::upgrade_request_with(std::string_view query) const {
  if (query.empty()) return upgrade_request;
  const std::string target = ws->url.target();
  std::string request = "GET " + target + (ws->url.query.empty() ? '?' : '&');
  request.reserve(upgrade_request.size() + 1 + query.size());
  request.append(query).append(upgrade_request, 4 + target.size());
  return request;
}

// From the clients' addresses, not from the server's own: a client that asks a free port of its own
// address often enough will one day be given that very port to ask from, and meet itself.
bool is_listening(const Target& target) noexcept {
  const base::UniqueFd fd(
      ::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_storage source = source_address(target, 0);
  if (source.ss_family == AF_INET)
    ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof(sockaddr_in));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target.address),
                target.address_bytes) == 0)
    return true;
  pollfd waiting{fd.get(), POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  return errno == EINPROGRESS && ::poll(&waiting, 1, k_listen_wait_ms) == 1 &&
         ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

base::Result<std::shared_ptr<const Target>> make_target(const client::Attempt& attempt) {
  const net::Url& url = attempt.target->url;
  auto endpoints = net::known_addresses(url, attempt.target->resolve);
  if (!endpoints) {
    net::Resolved resolved = net::resolve_blocking(url.host, url.port);
    if (resolved.endpoints.empty())
      return base::Error(base::Errc::connect_failed, resolved.problem);
    endpoints = std::move(resolved.endpoints);
  }
  auto target = std::make_shared<Target>();
  target->ws = attempt.target;
  const auto& endpoint = endpoints->front();
  std::memcpy(&target->address, endpoint.data(), endpoint.size());
  target->address_bytes = static_cast<socklen_t>(endpoint.size());
  target->address_text = text_of(endpoint);

  const std::string key = base::base64_encode(base::random_bytes(16));
  target->expected_accept = base::base64_encode(net::sha1(key + std::string(k_websocket_guid)));
  const std::string host =
      "Host: " + url.authority() + "\r\nUser-Agent: " + attempt.target->user_agent + "\r\n" +
      (attempt.authorization.empty() ? "" : "Authorization: " + attempt.authorization + "\r\n");
  target->upgrade_request =
      "GET " + url.target() + " HTTP/1.1\r\n" + host +
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Protocol: clawws.v1\r\nSec-WebSocket-Key: " +
      key + "\r\n\r\n";
  target->publish_head = "POST /clawws/events HTTP/1.1\r\n" + host +
                         "Content-Type: application/json\r\nContent-Length: ";
  return std::shared_ptr<const Target>(std::move(target));
}

// An address has about 28,000 free ports, and each connection to one destination takes one.
sockaddr_storage source_address(const Target& target, std::size_t index) noexcept {
  sockaddr_storage source{};
  if (target.address.ss_family != AF_INET || !target.is_loopback()) return source;
  const std::size_t number = index / k_connections_an_address;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr =
      htonl(static_cast<std::uint32_t>(0x7f010001 + (number / 250 << 8) + number % 250));
  std::memcpy(&source, &v4, sizeof v4);
  return source;
}

}  // namespace clawws::bench
