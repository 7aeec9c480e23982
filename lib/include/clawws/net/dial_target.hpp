// Where to connect and whom to expect there: a plain value, shared by any number of attempts.
#pragma once

#include <array>
#include <chrono>
#include <vector>

#include "clawws/base/time.hpp"
#include "clawws/net/resolve_entry.hpp"
#include "clawws/net/tls_context.hpp"
#include "clawws/net/url.hpp"

namespace clawws::net {

struct DialTarget {
  Url url;
  ClientTlsConfig tls;
  TlsContext context;  // made from `tls`
  std::vector<ResolveEntry> resolve;
  base::Millis connect_timeout{2'500};  // for one attempt: DNS, TCP, TLS and what follows, together
};

// Time spent in each phase, by its number; `live` is 0.
using PhaseTimes = std::array<std::chrono::nanoseconds, 5>;

}  // namespace clawws::net
