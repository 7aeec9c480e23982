// The whole of `clawws tail` behind its options, with the process's signals. For main; free of
// Asio.
#pragma once

#include "clawws/client/tail_options.hpp"

namespace clawws::client {

struct TailStreams {
  int data_fd = 1;
  int notes_fd = 2;
};

struct TailResult {
  int exit_code = 0;
  int signal = 0;  // to be raised again by main; 0: none
};

// Blocks until the end. `config` has been validated. Sets SIGPIPE to be ignored and takes SIGINT,
// SIGTERM, SIGUSR1 and SIGUSR2.
CLAWWS_API TailResult run_tail(const TailConfig& config, const Environment& environment,
                               TailStreams streams);

}  // namespace clawws::client
