// A whole result of a run as one could have been: 50 clients, 1,000 events, all delivered in 1 to
// 2 ms, by a server that was watched. Tests change what they are about.
#pragma once

#include "clawws/bench/result.hpp"

namespace clawws::test {

inline bench::BenchResult bench_result() {
  using std::chrono::microseconds;
  bench::BenchResult r;
  r.plan.events = 1'000;
  r.plan.thresholds = {*bench::parse_threshold("delivery.p99<100ms"),
                       *bench::parse_threshold("lost==0")};
  r.plan.cores = 2;
  r.run = "0a1b2c3d";
  r.url = "wss://localhost:8443/ws";
  r.server_source = "own server";
  r.tls = "TLSv1.3 TLS_AES_128_GCM_SHA256";
  r.started_millis = 1'771'684'200'000;
  r.took = std::chrono::seconds(23);
  r.live = r.plan.connections;
  r.connect_took = std::chrono::milliseconds(104);
  for (bench::Histogram* h :
       {&r.fleet.connect, &r.fleet.tcp, &r.fleet.tls, &r.fleet.upgrade, &r.fleet.first_frame})
    h->record(microseconds(900), 50);
  r.fleet.measured = 50;
  r.fleet.recorded = 50'000;
  r.fleet.ledger = {50'000, 50'000, 0, 0, 0};
  r.delivery.values.record(microseconds(1'000), 49'000);
  r.delivery.values.record(microseconds(2'000), 1'000);
  r.first.values.record(microseconds(700), 1'000);
  r.to_all.values.record(microseconds(2'000), 1'000);
  r.canary.values.record(microseconds(1'900), 5'000);
  r.fairness_min = r.fairness_median = microseconds(1'000);
  r.fairness_max = microseconds(2'000);
  r.publish.lag.record(microseconds(80), 1'000);
  r.publish.response.record(microseconds(800), 1'000);
  r.publish.accepted = r.publish.requests = 1'000;
  r.server = bench::ServerUse{4711,
                              0.06,
                              std::chrono::milliseconds(40),
                              std::chrono::milliseconds(1'200),
                              {12u << 20, 13u << 20, 14u << 20, 55}};
  r.threads = {{"worker 0", 0.02, microseconds(300), microseconds(900)},
               {"publisher", 0.01, microseconds(100), microseconds(200)}};
  r.client_cores = 0.05;
  r.client_memory = {8u << 20, 9u << 20, 10u << 20, 55};
  return r;
}

// The same with all 50 clients cut off and back again.
inline bench::BenchResult comeback_result(bench::Scenario scenario) {
  using std::chrono::milliseconds;
  bench::BenchResult r = bench_result();
  r.plan.scenario = scenario;
  bench::Comeback& comeback = r.fleet.comeback.emplace();
  comeback.live_again.record(milliseconds(200), 49);
  comeback.live_again.record(milliseconds(400));
  comeback.catch_up.record(milliseconds(3), 50);
  comeback.replayed.record(milliseconds(150), 1'000);
  comeback.lost = 50;
  comeback.dropped = 2;
  comeback.gaps = 1;
  r.fleet.returns.record(milliseconds(4), 50);
  r.fleet.returns_failed = 7;
  r.fleet.return_failures = {{"refused", 7}};
  r.all_back = milliseconds(400);
  r.server_down = milliseconds(300);
  r.publish.repeated = 3;
  r.before.values.record(milliseconds(1), 20'000);
  return r;
}

}  // namespace clawws::test
