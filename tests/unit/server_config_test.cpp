#include "clawws/server/config.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace clawws::server {
namespace {

using base::Errc;
using base::Millis;

TEST(ServerConfig, TheDefaultsAreValid) {
  EXPECT_TRUE(validate(ServerConfig{}).has_value());
}

struct Case {
  const char* flag;  // what the sentence must name
  std::function<void(ServerConfig&)> change;
};

TEST(ServerConfig, WhatDoesNotFitIsNamedByItsFlag) {
  const Case cases[] = {
      {"--listen", [](ServerConfig& c) { c.listen.clear(); }},
      {"--cert and --key", [](ServerConfig& c) { c.cert_file = "a.pem"; }},
      {"--cert and --key", [](ServerConfig& c) { c.key_file = "a.pem"; }},
      {"--log-memory", [](ServerConfig& c) { c.log_memory_bytes = (1u << 20) - 1; }},
      {"--max-event", [](ServerConfig& c) { c.event_rules.max_event_bytes = 1023; }},
      {"--max-event", [](ServerConfig& c) { c.event_rules.max_event_bytes = (16u << 20) + 1; }},
      {"--log-memory",
       [](ServerConfig& c) {
         c.event_rules.max_event_bytes = (4u << 20) + 1, c.max_body_bytes = 8u << 20;
       }},
      {"--max-body", [](ServerConfig& c) { c.max_body_bytes = 64 * 1024 - 1; }},
      {"--max-batch", [](ServerConfig& c) { c.event_rules.max_batch = 0; }},
      {"--threads", [](ServerConfig& c) { c.threads = 65; }},
      {"--max-clients ", [](ServerConfig& c) { c.max_clients = 0; }},
      {"--max-clients-per-ip", [](ServerConfig& c) { c.max_clients_per_ip = 0; }},
      {"--message-rate", [](ServerConfig& c) { c.message_rate = 0; }},
      {"--retain-events", [](ServerConfig& c) { c.retention.events = 0; }},
      {"--retain-age", [](ServerConfig& c) { c.retention.age_millis = 0; }},
      {"--retain-bytes", [](ServerConfig& c) { c.retention.bytes = 64 * 1024 - 1; }},
      {"--max-lag-time", [](ServerConfig& c) { c.max_lag_time = Millis(199); }},
      {"--max-lag-time", [](ServerConfig& c) { c.max_lag_time = Millis(3'600'001); }},
      {"--ping-interval", [](ServerConfig& c) { c.ping_interval = Millis(0); }},
      {"--handshake-timeout", [](ServerConfig& c) { c.handshake_timeout = Millis(10); }},
      {"--header-timeout", [](ServerConfig& c) { c.header_timeout = Millis(10); }},
      {"--body-timeout", [](ServerConfig& c) { c.body_timeout = Millis(10); }},
      {"--upstream-timeout", [](ServerConfig& c) { c.upstream_timeout = Millis(10); }},
      {"--upstream ", [](ServerConfig& c) { c.upstream = net::parse_url("https://localhost:8443").value(); }},
      {"--upstream ",
       [](ServerConfig& c) {
         c.listen = {{"10.0.0.1", 443}}, c.upstream = net::parse_url("http://10.0.0.1:443").value();
       }},
      {"--upstream-cacert", [](ServerConfig& c) { c.upstream_cacert = "ca.pem"; }},
      {"--auth-upstream needs --upstream", [](ServerConfig& c) { c.auth_upstream = "/check"; }},
      {"--auth-upstream",
       [](ServerConfig& c) {
         c.auth_upstream = "check", c.upstream = net::parse_url("http://127.0.0.1:3000").value();
       }},
      {"--auth-upstream",
       [](ServerConfig& c) {
         c.auth_upstream = "/clawws/state", c.upstream = net::parse_url("http://127.0.0.1:3000").value();
       }},
      {"--auth-upstream",
       [](ServerConfig& c) {
         c.auth_upstream = "/a b", c.upstream = net::parse_url("http://127.0.0.1:3000").value();
       }},
      {"--upstream-cacert",
       [](ServerConfig& c) {
         c.upstream_cacert = "ca.pem", c.upstream = net::parse_url("http://127.0.0.1:3000").value();
       }},
  };
  for (const Case& one : cases) {
    ServerConfig config;
    one.change(config);
    const auto valid = validate(config);
    ASSERT_FALSE(valid.has_value()) << one.flag;
    EXPECT_EQ(valid.error().code, Errc::config);
    EXPECT_NE(valid.error().message().find(one.flag), std::string::npos) << valid.error().message();
  }
}

TEST(ServerConfig, TheLimitsThemselvesAreGood) {
  const std::function<void(ServerConfig&)> changes[] = {
      [](ServerConfig& c) { c.cert_file = "a.pem", c.key_file = "b.pem"; },
      [](ServerConfig& c) { c.log_memory_bytes = 1u << 20; },
      [](ServerConfig& c) { c.event_rules.max_event_bytes = 1024; },
      [](ServerConfig& c) {
        c.event_rules.max_event_bytes = 4u << 20, c.max_body_bytes = 4u << 20;
      },
      [](ServerConfig& c) { c.threads = 64; },
      [](ServerConfig& c) { c.upstream = net::parse_url("http://localhost:3000").value(); },
      [](ServerConfig& c) { c.upstream = net::parse_url("http://10.0.0.1:8443").value(); },
      [](ServerConfig& c) { c.max_lag_time = Millis(200), c.ping_interval = Millis(3'600'000); },
      [](ServerConfig& c) { c.drain = Millis(0); },
  };
  for (const auto& change : changes) {
    ServerConfig config;
    change(config);
    const auto valid = validate(config);
    EXPECT_TRUE(valid.has_value()) << valid.error().message();
  }
}

}  // namespace
}  // namespace clawws::server
