// One run, from preflight to close, on threads of its own:
//
//   controller (the caller's thread)   phases, waiting, /proc, progress
//   worker 0 … n-1                     a Loop with a Fleet each: the connections asked for
//   publisher                          a Loop with all publishers
//   canary                             a Loop with a small Fleet: what an idle thread sees of the
//                                      same stream, and the stalled readers
//
// Canaries are spread over the ramp, because a server writes to its clients one after the other:
// the one that came first sees nothing of the others' turn.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "clawws/bench/disturbance.hpp"
#include "clawws/bench/preflight.hpp"
#include "clawws/bench/result.hpp"
#include "clawws/bench/watch.hpp"

namespace clawws::bench {

struct RunSetup {
  BenchPlan plan;
  std::shared_ptr<const Target> target;
  std::string server_source;
  std::optional<pid_t> server_pid;
  std::optional<ServerControl> control;           // must be there for a restart
  std::function<int()> signal;                    // number of one that came, or 0
  std::function<void(const Snapshot&)> progress;  // may be empty
  Nanos progress_every{std::chrono::milliseconds(250)};
};

// Blocks until the end. Throws std::system_error when the kernel gives no thread or descriptor.
std::variant<BenchResult, RunFailure> run_once(const RunSetup& setup);

}  // namespace clawws::bench
