// What all parts of one server share, by reference: made by Server, outlives them all.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "clawws/base/log.hpp"
#include "clawws/hub/hub.hpp"
#include "clawws/net/tls_context.hpp"
#include "clawws/server/admission.hpp"
#include "clawws/server/authenticator.hpp"
#include "clawws/server/config.hpp"
#include "clawws/server/counters.hpp"
#include "clawws/server/origin.hpp"
#include "clawws/server/origin_log.hpp"
#include "clawws/server/tickets.hpp"
#include "clawws/server/upstream.hpp"

namespace clawws::server {

// The server's certificate, replaced as a whole on reload; connections keep the one they began with.
class CertificateSlot {
 public:
  void set(net::TlsContext context) {
    const std::lock_guard lock(mutex_);
    context_ = std::move(context);
  }
  net::TlsContext get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }

 private:
  mutable std::mutex mutex_;
  net::TlsContext context_;
};

struct Services {
  const ServerConfig& config;
  base::Logger& log;
  hub::Hub& hub;
  Authenticator& authenticator;
  const OriginRules& origins;
  const ProxyRules& proxies;
  Admission& admission;
  Counters& counters;
  CertificateSlot certificate;
  Tickets tickets;
  std::string epoch;
  std::string server_name;           // "clawws/0.1.0"
  std::atomic<bool> ready{false};    // what GET /clawws/ready says
  std::atomic<bool> draining{false};
  std::shared_ptr<Upstream> upstream = nullptr;
  OriginLog refused_origins{};
};

}  // namespace clawws::server
