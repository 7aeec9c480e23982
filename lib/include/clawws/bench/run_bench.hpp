// The whole of `clawws bench` behind its options, with the process's signals, its own server and
// the reports. For main; free of Asio.
#pragma once

#include "clawws/bench/bench_options.hpp"

namespace clawws::bench {

struct BenchExit {
  int code = 0;
  int signal = 0;  // to be raised again by main; 0: none
};

// Blocks until the end. `config` has been validated. Ignores SIGPIPE and takes SIGINT and SIGTERM.
CLAWWS_API BenchExit run_bench(const BenchConfig& config, const client::Environment& environment);

}  // namespace clawws::bench
