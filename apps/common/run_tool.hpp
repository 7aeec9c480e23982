// What the mains of serve, tail and bench share: flags to a config, messages to the right stream,
// exit codes, and a signal raised again after a clean end. Header-only; used by main.cpp files
// alone.
#pragma once

#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "clawws/base/flags.hpp"
#include "clawws/net/crypto.hpp"

namespace clawws::apps {

// A descriptor of ours must never take the number of a standard stream that was closed: it would
// get what is meant for that stream. A closed stdout becomes one that refuses each write (EBADF).
inline void keep_standard_streams() {
  for (const auto& [number, mode] :
       {std::pair{0, O_RDONLY}, std::pair{1, O_RDONLY}, std::pair{2, O_WRONLY}})
    if (::fcntl(number, F_GETFD) < 0)
      ::open("/dev/null", mode);  // the lowest free number: this one
}

inline void print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

// "clawws tail: what is wrong" on stderr; returns the error's exit code.
inline int fail(const base::FlagSpec& spec, const base::Error& error) {
  print(stderr, spec.program + ": " + error.message() + "\n");
  return base::info(error.code).exit_code;
}

// What was asked for, to stdout; returns the exit code.
inline int answer(const base::FlagSpec& spec, const std::string& text) {
  print(stdout, text);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  return fail(spec,
              base::Error(base::Errc::io, "cannot write to stdout: " + base::errno_text(errno)));
}

// Flags into the config behind `spec`, `check` for what no flag can check alone, then `run`.
// `check(outcome)` gives Result<void>; `run()` gives the exit code.
template <class Check, class Run>
int run_tool(const base::FlagSpec& spec, int argc, char** argv, Check check, Run run) {
  keep_standard_streams();
  net::keep_openssl_until_exit();
  try {
    const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
    const auto outcome =
        base::parse_flags(spec, args, [](const char* name) { return std::getenv(name); });
    if (!outcome) return fail(spec, outcome.error());
    if (outcome->next == base::FlagOutcome::Next::print_and_exit) {
      return answer(spec, outcome->output);
    }
    if (const base::Result<void> checked = check(*outcome); !checked)
      return fail(spec, checked.error());
    if (outcome->print_config) {
      return answer(spec, base::print_config(spec, *outcome));
    }
    return run();
  } catch (const std::exception& error) {
    print(stderr, spec.program + ": internal failure: " + error.what() + "\n");
    return 1;
  }
}

// Ends the process by the signal it was told to end by, so that its parent sees that.
inline void raise_again(int number) {
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace clawws::apps
