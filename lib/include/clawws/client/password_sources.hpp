// The two places of a password that are not a file: a command's output, and a person at the
// terminal. Both block; neither is ever logged.
#pragma once

#include <string>

#include "clawws/base/error.hpp"
#include "clawws/client/secret.hpp"

namespace clawws::client {

// Runs `sh -c command` with nothing to read, our stderr and none of our other descriptors, signals
// as at a fresh start; it dies with us. Returns what it wrote (at most 64 KiB). Errc::config when
// it could not run or ended otherwise than with 0; the text of the command is not repeated.
base::Result<Secret> run_password_command(const std::string& command);

// Asks on /dev/tty without echo. A signal that ends the process sets the terminal right first.
// Errc::usage when there is no terminal, or nothing was typed.
base::Result<Secret> ask_for_password(const std::string& prompt);

}  // namespace clawws::client
