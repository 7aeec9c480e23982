#include "clawws/server/config.hpp"

#include <algorithm>

#include "clawws/wire/http_gate.hpp"

namespace clawws::server {

using base::Errc;
using base::Error;

namespace {
constexpr std::uint64_t k_memory_store_bytes = 64ull << 20;

bool is_path_of_upstream(const std::string& path) {
  const bool visible = std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  return path.front() == '/' && visible && wire::path_owner(path) == wire::PathOwner::other;
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

// Requests for the upstream would go round for ever.
bool is_itself(const ServerConfig& config) {
  const net::Url& upstream = *config.upstream;
  for (const net::HostPort& place : config.listen) {
    const bool every = place.host == "0.0.0.0" || place.host == "::" || is_loopback(place.host);
    if (place.port == upstream.port && (place.host == upstream.host || (every && is_loopback(upstream.host)))) return true;
  }
  return false;
}
}

hub::Retention effective_retention(const ServerConfig& config) {
  hub::Retention retention = config.retention;
  if (config.store == ServerConfig::Store::memory && config.retain_bytes == ServerConfig::RetainBytes::by_store) {
    retention.bytes = k_memory_store_bytes;
  }
  return retention;
}

base::Result<void> validate(const ServerConfig& config) {
  const auto wrong = [](std::string text) { return Error(Errc::config, std::move(text)); };
  if (config.listen.empty()) return wrong("--listen: at least one HOST:PORT");
  if (config.cert_file.empty() != config.key_file.empty()) return wrong("--cert and --key go together");
  if (config.log_memory_bytes < (1u << 20)) return wrong("--log-memory must be at least 1MiB");
  if (config.event_rules.max_event_bytes < 1024 || config.event_rules.max_event_bytes > (16u << 20)) {
    return wrong("--max-event must be between 1KiB and 16MiB");
  }
  if (config.event_rules.max_event_bytes * 4 > config.log_memory_bytes) {
    return wrong("--log-memory must be at least four times --max-event");
  }
  if (config.max_body_bytes < config.event_rules.max_event_bytes) return wrong("--max-body must be at least --max-event");
  if (config.event_rules.max_batch == 0) return wrong("--max-batch must be at least 1");
  if (config.threads > 64) return wrong("--threads must be at most 64");
  if (config.max_clients == 0) return wrong("--max-clients must be at least 1");
  if (config.max_clients_per_ip == 0) return wrong("--max-clients-per-ip must be at least 1");
  if (config.message_rate == 0) return wrong("--message-rate must be at least 1");
  if (config.retention.events == 0) return wrong("--retain-events must be at least 1");
  if (config.retention.age_millis <= 0) return wrong("--retain-age must be longer than 0");
  if (config.retention.bytes < config.event_rules.max_event_bytes) {
    return wrong("--retain-bytes must be at least --max-event");
  }
  if (config.store == ServerConfig::Store::memory && config.durability != hub::Durability::written) {
    return wrong("--durability fsync needs a store on disk: --store sqlite");
  }
  if (!config.upstream_cacert.empty() && (!config.upstream || config.upstream->scheme != "https")) {
    return wrong("--upstream-cacert is for an --upstream that begins with https://");
  }
  if (!config.auth_upstream.empty() && !config.upstream) {
    return wrong("--auth-upstream needs --upstream URL, the application that is asked");
  }
  if (!config.auth_upstream.empty() && !is_path_of_upstream(config.auth_upstream)) {
    return wrong("--auth-upstream must be a path of the application that needs its credentials, as in /api/auth/check");
  }
  if (config.upstream && config.upstream->host.empty()) {
    return wrong("--upstream takes no user or password: each client's own credentials are passed on");
  }
  if (config.upstream && is_itself(config)) {
    return wrong("--upstream " + config.upstream->authority() +
                 " is where clawws itself listens; give the application's own address, or another --listen");
  }
  struct Bound {
    const char* name;
    base::Millis value;
  };
  for (const Bound& bound : {Bound{"--max-lag-time", config.max_lag_time}, Bound{"--ping-interval", config.ping_interval},
                             Bound{"--handshake-timeout", config.handshake_timeout},
                             Bound{"--upstream-timeout", config.upstream_timeout},
                             Bound{"--header-timeout", config.header_timeout}, Bound{"--body-timeout", config.body_timeout}}) {
    if (bound.value < base::Millis(200) || bound.value > base::Millis(3'600'000)) {
      return wrong(std::string(bound.name) + " must be between 200ms and 1h");
    }
  }
  return {};
}

}  // namespace clawws::server
