// Everything that one run found, as plain data: what reports are written from, thresholds checked
// against, and the trust in the run judged by.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "clawws/bench/fleet.hpp"
#include "clawws/bench/plan.hpp"
#include "clawws/bench/publisher.hpp"

namespace clawws::bench {

// A distribution of which some values are only known to be larger than all others.
struct Distribution {
  Histogram values;
  std::uint64_t beyond = 0;

  std::uint64_t samples() const noexcept { return values.count() + beyond; }
};

struct ThreadUse {
  std::string name;  // "worker 0", "publisher", "canary"
  double cores = 0;  // CPU time over the measured time
  Nanos lag_p99{0}, lag_max{0};
};

// Resident memory of a process, in bytes.
struct MemoryUse {
  std::uint64_t before = 0;   // the first connection
  std::uint64_t settled = 0;  // with all connections, before the first event
  std::uint64_t peak = 0;
  std::uint64_t connections = 0;  // that lie between the first two

  // Nothing without connections.
  std::optional<double> bytes_per_connection() const noexcept;
};

struct ServerUse {
  pid_t pid = 0;
  double cores = 0;      // over the measured time
  Nanos cpu_connect{0};  // CPU time from the first connection until all were settled
  Nanos cpu_measured{0};
  MemoryUse memory;
};

// How fast something of the server's grows, over the second half of the measured phase.
struct Growth {
  double an_hour = 0;
  std::size_t rows = 0;  // of the series, that the line was fitted to

  bool operator==(const Growth&) const = default;
};
struct BenchResult;
// Nothing without a server to look at, or with fewer than 5 rows.
std::optional<Growth> rss_growth(const BenchResult& result);    // bytes
std::optional<Growth> files_growth(const BenchResult& result);  // descriptors; of soak alone

struct Verdict {
  bool valid = false;
  std::vector<std::string> reasons;  // why it is not
  std::vector<std::string> notes;    // what was excused, and why
};

// One row of the time series: a second of a phase, or what is left of it.
struct SeriesRow {
  Phase phase = Phase::connect;
  Nanos at{0};  // its begin, from the first attempt to connect
  Nanos lasts{0};
  // At its end.
  std::uint64_t connected = 0;
  std::optional<std::uint64_t> server_rss, server_files;  // bytes; descriptors, of soak alone
  // Of the events that were due in it, wherever their deliveries fell. Of measured rows alone, but
  // for `published`, which counts the warm-up too.
  std::uint64_t published = 0, delivered = 0, lost = 0;
  std::optional<Nanos> p50, p99, max;  // p50 and p99 within 1.6 %
};

struct BenchResult {
  BenchPlan plan;
  std::string run;  // id of the run, in its events
  std::string url;
  std::string server_source;  // "own server", "--spawn", "already running"
  std::string tls;            // "TLSv1.3 TLS_AES_128_GCM_SHA256"
  std::int64_t started_millis = 0;
  Nanos took{0};
  int signal = 0;  // that cut the run short

  std::uint64_t live = 0;  // connections that were opened, canaries and stalled ones not counted
  Nanos connect_took{0};   // from the first dial until the last was live or had failed
  Tally fleet;             // of the connections asked for; its histograms are moved out
  Distribution delivery, first, to_all, canary;
  // Delivery, apart: of slow-consumer its two halves; where clients come back, what was due before
  // the loss and, of resume, live ones to the others while some caught up.
  Distribution before, disturbed;
  std::optional<Nanos> fairness_min, fairness_median, fairness_max;  // of the connections' p99
  std::optional<std::uint64_t> owed;  // churn: deliveries, counted by event rather than by client
  std::uint64_t stalled_ended = 0;    // slow-consumer: stalled clients that the server has ended
  // Where clients come back: from the loss (resume: from being let back) until the last of them was
  // live again; nothing while one is not. And how long a restarted server did not listen.
  std::optional<Nanos> all_back, server_down;
  PublishTally publish;
  std::vector<SeriesRow> series;

  std::optional<ServerUse> server;
  std::vector<ThreadUse> threads;
  double client_cores = 0;
  MemoryUse client_memory;

  std::vector<Outcome> outcomes;
  Verdict verdict;
};

// What was missed came again at this rate, events a second; nothing without any, or while one of
// the clients is not back.
std::optional<double> catch_up_rate(const BenchResult& result);

// Fills outcomes and verdict from the rest.
void judge(BenchResult& result);
// 0, 20 or 22; of several runs the highest, since one that cannot be trusted outranks the others.
int exit_code(const BenchResult& result) noexcept;
int exit_code(std::span<const BenchResult> runs) noexcept;

}  // namespace clawws::bench
