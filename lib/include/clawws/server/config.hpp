// What `clawws serve` is told: a plain struct, filled by the flag table (options.cpp), checked by
// validate(). Immutable while the server runs, but for what a reload replaces.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "clawws/base/log.hpp"
#include "clawws/base/time.hpp"
#include "clawws/hub/epoch_file.hpp"
#include "clawws/hub/event_store.hpp"
#include "clawws/net/url.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::server {

struct ServerConfig {
  std::vector<net::HostPort> listen{{"127.0.0.1", 8443}};
  std::string cert_file, key_file;             // both or neither
  std::filesystem::path state_dir;             // empty: base::default_state_directory()
  enum class Store : std::uint8_t { sqlite, memory } store = Store::sqlite;
  hub::Durability durability = hub::Durability::written;
  hub::Retention retention;
  enum class RetainBytes : std::uint8_t { by_store, given } retain_bytes = RetainBytes::by_store;
  std::size_t log_memory_bytes = 16u << 20;    // >= 1 MiB
  std::uint64_t replay_rate = 20'000;          // events a second, a user; 0: no limit

  std::string users_file, env_file;
  std::vector<std::string> publishers;         // empty: everybody may publish
  std::vector<std::string> origins;            // beside the own one
  std::vector<std::string> trusted_proxies;    // CIDR

  std::optional<net::Url> upstream;            // http or https, host and port alone
  std::string auth_upstream;                   // the path there that says who may come in; empty: not asked
  std::string upstream_cacert;                 // PEM; empty: the system's
  base::Millis upstream_timeout{60'000};       // for its answer, and between two pieces of it

  enum class Stdin : std::uint8_t { ignored, events } stdin_use = Stdin::ignored;
  wire::EventRules event_rules;
  std::size_t max_body_bytes = 1u << 20;

  std::size_t threads = 0;                     // 0: one per core, at most 8
  std::size_t max_clients = 20'000;
  std::size_t max_clients_per_ip = 1'000;      // loopback is free of it unless it was given
  enum class LoopbackLimit : std::uint8_t { none, as_others } loopback_limit = LoopbackLimit::none;
  base::Millis max_lag_time{15'000};
  base::Millis ping_interval{25'000};
  base::Millis drain{10'000};
  base::Millis handshake_timeout{5'000};
  base::Millis header_timeout{5'000};
  base::Millis body_timeout{30'000};
  std::uint64_t accept_rate = 0;               // connections a second; 0: off
  std::uint32_t message_rate = 60;             // client messages a minute
  enum class Hsts : std::uint8_t { off, on } hsts = Hsts::off;

  enum class LogFormat : std::uint8_t { automatic, text, logfmt, json } log_format = LogFormat::automatic;
  base::LogLevel log_level = base::LogLevel::info;
};

// Retention as the store gets it: in memory it keeps less, unless --retain-bytes says how much.
CLAWWS_API hub::Retention effective_retention(const ServerConfig& config);

// What must hold between the values. Errc::config with a sentence that names the flags.
CLAWWS_API base::Result<void> validate(const ServerConfig& config);

}  // namespace clawws::server
