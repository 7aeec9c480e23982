#include <unistd.h>

#include <algorithm>

#include "clawws/bench/bench_commands.hpp"
#include "clawws/bench/doctor.hpp"
#include "clawws/bench/output.hpp"
#include "clawws/bench/preflight.hpp"
#include "command_parts.hpp"

namespace clawws::bench {
namespace {

constexpr std::uint64_t k_default_connections = 10'000;

}  // namespace

base::FlagSpec doctor_flags(DoctorConfig& config) {
  base::FlagSpec spec;
  spec.program = "clawws bench doctor";
  spec.summary = "Says which limits of this machine stand in the way of so many connections.";
  spec.usage = "clawws bench doctor [OPTIONS]";
  spec.example_flag = "connections";
  spec.example_value = "20k";
  spec.epilog =
      "For a server and its load on this machine. What lifts a limit needs root.\n"
      "\n"
      "Exit status: 0 all is enough; 1 the answer cannot be written; 2 usage; 23 something is not "
      "enough.\n";
  spec.flags.push_back(base::setters::flag("connections", 'c', "N", k_command_options,
                                           "clients that are to be connected", "10k",
                                           base::setters::count(config.connections, 1, 1'000'000)));
  add_color(spec.flags, config.color);
  return spec;
}

int run_doctor(const DoctorConfig& config, const client::Environment& environment) {
  const std::uint64_t connections = config.connections.value_or(k_default_connections);
  const std::vector<Finding> findings = examine(read_limits(), connections);
  const auto color =
      client::decide_color(config.color, client::stream_kind(STDOUT_FILENO), environment);
  if (const auto written = write_all(STDOUT_FILENO, doctor_text(findings, connections, color));
      !written)
    return fail_command(written.error());
  const bool is_enough = std::all_of(findings.begin(), findings.end(),
                                     [](const Finding& finding) { return finding.is_enough; });
  return is_enough ? 0 : k_exit_preflight;
}

}  // namespace clawws::bench
