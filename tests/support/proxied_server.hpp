// A server before an application: a TestServer whose --upstream is the one given.
#pragma once

#include <functional>
#include <string>

#include "clawws/net/url.hpp"
#include "support/raw_upstream.hpp"
#include "support/test_server.hpp"

namespace clawws::test {

class ProxiedServer : public TestServer {
 public:
  explicit ProxiedServer(const std::string& upstream,
                         const std::function<void(server::ServerConfig&)>& adjust = {})
      : TestServer([&](server::ServerConfig& config) {
          config.threads = 1;  // one pool of connections, so that they can be counted
          config.upstream = net::parse_url(upstream).value();
          if (adjust) adjust(config);
        }) {}

  static std::string get(std::string_view target, std::string_view fields = {},
                         std::string_view version = "1.1") {
    return "GET " + std::string(target) + " HTTP/" + std::string(version) +
           "\r\nHost: panel.example\r\n" + std::string(fields) + "\r\n";
  }
  std::unique_ptr<RawPeer> client(const PeerOptions& options = {}) {
    auto peer = std::make_unique<RawPeer>(port(), options);
    EXPECT_TRUE(peer->handshake()) << peer->tls_error();
    return peer;
  }
};

}  // namespace clawws::test
