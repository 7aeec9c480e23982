#include "clawws/server/origin.hpp"

#include <algorithm>
#include <charconv>

#include "clawws/base/text.hpp"
#include "clawws/net/url.hpp"

namespace clawws::server {

using base::Errc;
using base::Error;
using base::Result;
using boost::asio::ip::address;
using boost::asio::ip::address_v6;

std::optional<std::string> normalised_origin(std::string_view origin) {
  const Result<net::Url> url = net::parse_url(origin);
  if (!url || (url->scheme != "https" && url->scheme != "http")) return std::nullopt;
  // An origin is scheme, host and port: a path, a query or a trailing slash is something else.
  if (!url->query.empty() || url->path != "/" || origin.back() == '/' || origin.back() == '?') return std::nullopt;
  return url->scheme + "://" + base::to_lower(url->authority());
}

Result<OriginRules> OriginRules::from(const std::vector<std::string>& listed) {
  OriginRules rules;
  for (const std::string& origin : listed) {
    // As it is copied from a browser's address bar.
    const std::string_view whole = origin;
    auto normal = normalised_origin(whole.ends_with('/') ? whole.substr(0, whole.size() - 1) : whole);
    if (!normal) {
      return Error(Errc::config, "--origin '" + base::escape_terminal(origin) +
                                     "' is not an origin like https://panel.example:8443 (no path)");
    }
    rules.listed_.push_back(std::move(*normal));
  }
  return rules;
}

bool OriginRules::allows(std::optional<std::string_view> origin, std::string_view host) const {
  if (!origin) return true;
  const auto given = normalised_origin(*origin);
  if (!given) return false;
  if (given == normalised_origin("https://" + std::string(host))) return true;
  return std::find(listed_.begin(), listed_.end(), *given) != listed_.end();
}

namespace {

// IPv4 addresses inside IPv6 ones are the same host.
address plain(const address& given) {
  if (given.is_v6() && given.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, given.to_v6());
  }
  return given;
}

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const unsigned mask = (0xff00U >> here) & 0xffU;
    if ((a[i] & mask) != (b[i] & mask)) return false;
    bits -= here;
  }
  return true;
}

}  // namespace

Result<ProxyRules> ProxyRules::from(const std::vector<std::string>& cidrs) {
  ProxyRules rules;
  for (const std::string& cidr : cidrs) {
    const std::size_t slash = cidr.find('/');
    boost::system::error_code bad;
    const address network = plain(boost::asio::ip::make_address(cidr.substr(0, slash), bad));
    unsigned prefix = network.is_v4() ? 32 : 128;
    const unsigned most = prefix;
    bool good = !bad;
    if (slash != std::string::npos) {
      const char* const end = cidr.data() + cidr.size();
      const auto [stop, failed] = std::from_chars(cidr.data() + slash + 1, end, prefix);
      good = good && failed == std::errc() && stop == end && prefix <= most;
    }
    if (!good) {
      return Error(Errc::config, "--trusted-proxy '" + base::escape_terminal(cidr) +
                                     "' is not an address or network like 10.0.0.0/8");
    }
    rules.networks_.push_back({network, prefix});
  }
  return rules;
}

bool ProxyRules::trusts(const address& given) const {
  const address peer = plain(given);
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    if (network.address.is_v4() != peer.is_v4()) return false;
    return peer.is_v4() ? same_prefix(network.address.to_v4().to_bytes(), peer.to_v4().to_bytes(), network.prefix)
                        : same_prefix(network.address.to_v6().to_bytes(), peer.to_v6().to_bytes(), network.prefix);
  });
}

std::string ProxyRules::client_address(const address& peer, std::optional<std::string_view> forwarded_for) const {
  std::string client = plain(peer).to_string();
  if (!forwarded_for || !trusts(peer)) return client;
  const std::vector<std::string_view> hops = base::split(*forwarded_for, ',');
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    boost::system::error_code bad;
    const address parsed = boost::asio::ip::make_address(std::string(base::trim(*hop)), bad);
    if (bad) break;
    client = plain(parsed).to_string();
    if (!trusts(parsed)) break;
  }
  return client;
}

}  // namespace clawws::server
