#include "clawws/bench/doctor.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/preflight.hpp"
#include "clawws/bench/target.hpp"

namespace clawws::bench {
namespace {

using base::format_count;
using base::format_size;
using Number = std::optional<std::uint64_t>;

// At most, for each connection: of the generator with a ledger and a histogram, of the server with
// its TLS. Measured at 10,000 connections: 18 and 16 KiB.
constexpr std::uint64_t k_client_bytes = 40 * 1024, k_server_bytes = 24 * 1024;
// Both processes without a connection, and the server's log in memory.
constexpr std::uint64_t k_base_bytes = 64u << 20;
// One for the server, one for who measures it.
constexpr std::uint64_t k_cores = 2;
// Connections that are opened at the same time: 256 on each of at most 2 threads.
constexpr std::uint64_t k_at_once = 512;

// The numbers in a file of /proc or /sys; none when it is not there. "max" is no number.
std::vector<std::uint64_t> numbers_in(const char* path) {
  std::vector<std::uint64_t> found;
  const auto text = base::read_file(path, 1u << 20);
  if (!text) return found;
  const char* at = text->data();
  const char* const end = at + text->size();
  while (at != end) {
    std::uint64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error == std::errc()) found.push_back(value);
    at = next == at ? at + 1 : next;
  }
  return found;
}

Number number_in(const char* path, std::size_t index = 0) {
  const auto found = numbers_in(path);
  return index < found.size() ? Number(found[index]) : std::nullopt;
}

Number available_memory() {
  Number available;
  if (const auto text = base::read_file("/proc/meminfo")) {
    constexpr std::string_view k_name = "MemAvailable:";
    const std::size_t at = text->find(k_name);
    std::uint64_t kib = 0;
    const std::string_view rest =
        at == std::string::npos
            ? std::string_view()
            : base::trim(std::string_view(*text).substr(at + k_name.size(), 40));
    if (std::from_chars(rest.data(), rest.data() + rest.size(), kib).ec == std::errc())
      available = kib * 1024;
  }
  // A container's own limit, in either version of control groups.
  for (const auto& [limit, used] :
       {std::pair{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
         "/sys/fs/cgroup/memory/memory.usage_in_bytes"}}) {
    const Number most = number_in(limit), now = number_in(used);
    if (!most || !now) continue;
    const std::uint64_t left = *most - std::min(*most, *now);
    available = std::min(available.value_or(left), left);
  }
  return available;
}

Number allowed_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(CPU_COUNT(&allowed));
}

std::string shown(const Number& value) {
  // fs.file-max is often the largest number there is.
  if (value && *value >> 50 != 0) return "no limit";
  return value ? format_count(*value) : "unknown";
}

// What the system does not say cannot be too little.
bool enough(const Number& has, std::uint64_t needed) {
  return !has || *has >= needed;
}

Finding open_files(const SystemLimits& limits, std::uint64_t connections) {
  const std::uint64_t needed = connections + k_other_files;
  Finding finding{"open files",
                  format_count(needed),
                  shown(limits.files),
                  enough(limits.files, needed),
                  "of each process (ulimit -Hn)",
                  ""};
  if (finding.is_enough) return finding;
  finding.lift = "ulimit -Hn " + std::to_string(needed) + "   (as root; LimitNOFILE= in a unit)";
  if (!enough(limits.files_most, needed))
    finding.lift = "sysctl -w fs.nr_open=" + std::to_string(needed) + " && " + finding.lift;
  return finding;
}

Finding system_files(const SystemLimits& limits, std::uint64_t connections) {
  // Each connection is a file of the server and one of the client.
  const std::uint64_t needed = limits.files_in_use.value_or(0) + 2 * (connections + k_other_files);
  Finding finding{"files of the system",
                  format_count(needed),
                  shown(limits.files_system),
                  enough(limits.files_system, needed),
                  "with those in use (fs.file-max)",
                  ""};
  if (!finding.is_enough) finding.lift = "sysctl -w fs.file-max=" + std::to_string(needed * 2);
  return finding;
}

Finding ports(const SystemLimits& limits, std::uint64_t connections) {
  const std::uint64_t needed = std::min<std::uint64_t>(connections, k_connections_an_address);
  Number has;
  if (limits.ports_first && limits.ports_last && *limits.ports_last >= *limits.ports_first)
    has = *limits.ports_last - *limits.ports_first + 1;
  const std::uint64_t addresses =
      (connections + k_connections_an_address - 1) / k_connections_an_address;
  Finding finding{"local ports",
                  format_count(needed),
                  shown(has),
                  enough(has, needed),
                  "of each source address; " + format_count(addresses) + " in 127.0.0.0/8 are used",
                  ""};
  if (!enough(has, connections))
    finding.note += "; to another host one address has all " + format_count(connections);
  if (!finding.is_enough || !enough(has, connections))
    finding.lift = "sysctl -w net.ipv4.ip_local_port_range='1024 65535'";
  return finding;
}

Finding memory(const SystemLimits& limits, std::uint64_t connections) {
  const std::uint64_t needed = k_base_bytes + connections * (k_client_bytes + k_server_bytes);
  Finding finding{"memory",
                  format_size(needed),
                  limits.memory_bytes ? format_size(*limits.memory_bytes) : "unknown",
                  enough(limits.memory_bytes, needed),
                  "at most 40 KiB a connection here, 24 KiB in the server",
                  ""};
  if (!finding.is_enough)
    finding.lift = "run the server on another machine, or ask for at most " +
                   format_count((limits.memory_bytes.value_or(0) -
                                 std::min(limits.memory_bytes.value_or(0), k_base_bytes)) /
                                (k_client_bytes + k_server_bytes)) +
                   " connections";
  return finding;
}

Finding processors(const SystemLimits& limits) {
  Finding finding{"cores",
                  format_count(k_cores),
                  shown(limits.cores),
                  enough(limits.cores, k_cores),
                  "one for the server, one to measure it",
                  ""};
  if (!finding.is_enough)
    finding.lift = "taskset -c 0,1 clawws bench   (or a machine with more: runs may be INVALID)";
  return finding;
}

Finding backlog(const SystemLimits& limits, std::uint64_t connections) {
  const std::uint64_t needed = std::min(connections, k_at_once);
  Finding finding{"waiting connections",
                  format_count(needed),
                  shown(limits.backlog),
                  enough(limits.backlog, needed),
                  "opened at once (net.core.somaxconn)",
                  ""};
  if (!enough(limits.backlog, connections))
    finding.note += "; connect-storm opens all " + format_count(connections);
  if (!finding.is_enough) finding.lift = "sysctl -w net.core.somaxconn=4096";
  return finding;
}

}  // namespace

SystemLimits read_limits() {
  SystemLimits limits;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) limits.files = files.rlim_max;
  limits.files_most = number_in("/proc/sys/fs/nr_open");
  limits.files_system = number_in("/proc/sys/fs/file-max");
  limits.files_in_use = number_in("/proc/sys/fs/file-nr");
  limits.ports_first = number_in("/proc/sys/net/ipv4/ip_local_port_range");
  limits.ports_last = number_in("/proc/sys/net/ipv4/ip_local_port_range", 1);
  limits.memory_bytes = available_memory();
  limits.cores = allowed_cores();
  limits.backlog = number_in("/proc/sys/net/core/somaxconn");
  return limits;
}

std::vector<Finding> examine(const SystemLimits& limits, std::uint64_t connections) {
  return {open_files(limits, connections),
          system_files(limits, connections),
          ports(limits, connections),
          memory(limits, connections),
          processors(limits),
          backlog(limits, connections)};
}

std::string doctor_text(const std::vector<Finding>& findings, std::uint64_t connections,
                        client::Color color) {
  const auto word = [&](const Finding& finding) {
    const std::string text = finding.is_enough ? "enough" : "TOO FEW";
    if (color == client::Color::off) return client::pad(text, 9);
    return (finding.is_enough ? "\x1b[32m" : "\x1b[31m") + client::pad(text, 9) + "\x1b[0m";
  };
  std::string text = "doctor   for " + format_count(connections) +
                     (connections == 1 ? " connection" : " connections") + " on this machine\n" +
                     std::string(9, ' ') + client::pad("limit", 21) + client::pad("needed", 13) +
                     "has\n";
  for (const Finding& finding : findings) {
    text += word(finding) + client::pad(finding.limit, 21) + client::pad(finding.needed, 13) +
            client::pad(finding.has, 13) + finding.note + "\n";
    if (!finding.lift.empty()) text += std::string(9, ' ') + "→ " + finding.lift + "\n";
  }
  return text;
}

}  // namespace clawws::bench
