// Which pages may talk to us, and whose address a request has: the Origin rule and X-Forwarded-For
// from trusted proxies (clawws-protocol(7), "Who you are"). Immutable after parsing; thread-safe.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"

namespace clawws::server {

class OriginRules {
 public:
  OriginRules() = default;
  // `listed`: "https://panel.example" and so on, without path. Errc::config names a bad one.
  static base::Result<OriginRules> from(const std::vector<std::string>& listed);

  // True when there is no Origin (not a browser), when it is the own one (`https://` + Host), or a
  // listed one. Scheme, host and port must be equal; "null" never is.
  bool allows(std::optional<std::string_view> origin, std::string_view host) const;

 private:
  std::vector<std::string> listed_;  // normalised
};

// Scheme and host in lower case, without the scheme's own port; nothing for what is no origin.
std::optional<std::string> normalised_origin(std::string_view origin);

class ProxyRules {
 public:
  ProxyRules() = default;
  // `cidrs`: "10.0.0.0/8", "::1", ... Errc::config names a bad one.
  static base::Result<ProxyRules> from(const std::vector<std::string>& cidrs);

  // The right-most address of `forwarded_for` that is not a trusted proxy, when the peer is one;
  // else the peer's.
  std::string client_address(const boost::asio::ip::address& peer,
                             std::optional<std::string_view> forwarded_for) const;
  bool trusts(const boost::asio::ip::address& address) const;

 private:
  struct Network {
    boost::asio::ip::address address;
    unsigned prefix;
  };
  std::vector<Network> networks_;
};

}  // namespace clawws::server
