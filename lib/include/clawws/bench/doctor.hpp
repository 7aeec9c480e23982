// Can this machine hold so many connections? What each limit is, what is needed of it, and the
// command that lifts it. read_limits() asks the system; examine() is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clawws/client/terminal.hpp"

namespace clawws::bench {

// Nothing where the system does not say.
struct SystemLimits {
  std::optional<std::uint64_t> files;         // RLIMIT_NOFILE, hard: tools raise themselves to it
  std::optional<std::uint64_t> files_most;    // fs.nr_open: what a hard limit can be
  std::optional<std::uint64_t> files_system;  // fs.file-max
  std::optional<std::uint64_t> files_in_use;  // of those
  std::optional<std::uint64_t> ports_first, ports_last;  // net.ipv4.ip_local_port_range
  std::optional<std::uint64_t> memory_bytes;             // available, within the control group
  std::optional<std::uint64_t> cores;                    // this process may run on
  std::optional<std::uint64_t> backlog;                  // net.core.somaxconn
};
SystemLimits read_limits();

struct Finding {
  std::string limit;   // "open files"
  std::string needed;  // "10,150"
  std::string has;     // "1,048,576"; "unknown"
  bool is_enough = false;
  std::string note;  // what the number means
  std::string lift;  // command; empty when it is enough
};
// For `connections` clients beside a server of their own on this host.
std::vector<Finding> examine(const SystemLimits& limits, std::uint64_t connections);

std::string doctor_text(const std::vector<Finding>& findings, std::uint64_t connections,
                        client::Color color);

}  // namespace clawws::bench
