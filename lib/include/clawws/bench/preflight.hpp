// What is looked at before the first connection of a run: whether this process may have so many,
// and whether the server takes a subscriber and an event and brings the one to the other.
// The controller's thread.
#pragma once

#include "clawws/bench/probe.hpp"
#include "clawws/bench/result.hpp"
#include "clawws/bench/watch.hpp"

namespace clawws::bench {

inline constexpr int k_exit_preflight = 23;
// Files that a run has open beside its connections, at most: canaries, publishers, loops and logs.
inline constexpr std::size_t k_other_files = 128;

// A run that found nothing: what it ends the process with, and why.
struct RunFailure {
  int exit_code = 1;
  std::string what;
  int signal = 0;
};

// After a signal, with nothing measured yet.
RunFailure interrupted(const Watch& watch);

// Raises the limit of open files as far as it goes; a failure when that is too few for `plan`.
std::optional<RunFailure> check_limits(const BenchPlan& plan);

// Exit code 3 to 6 when connecting or the credentials are at fault, else k_exit_preflight. The
// publisher stays connected.
std::optional<RunFailure> ask_server(const BenchPlan& plan, Probe& probe, Publisher& publisher,
                                     Watch& watch);

}  // namespace clawws::bench
