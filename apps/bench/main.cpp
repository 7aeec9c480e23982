// clawws bench: flags, a check, the run, the exit code; and the same for the commands that a first
// argument names. Everything else is in the library's bench layer.
#include <string_view>

#include "../common/run_tool.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/bench/bench_commands.hpp"
#include "clawws/bench/run_bench.hpp"

namespace {

namespace base = clawws::base;
namespace bench = clawws::bench;

std::string environment(const char* name) {
  return base::environment(name);
}

int measure(int argc, char** argv) {
  bench::BenchConfig config;
  bench::BenchExit result;
  const int code = clawws::apps::run_tool(
      bench::bench_flags(config), argc, argv,
      [&](const base::FlagOutcome& outcome) {
        return bench::validate(config, outcome, environment);
      },
      [&] {
        result = bench::run_bench(config, environment);
        return result.code;
      });
  if (result.signal != 0) clawws::apps::raise_again(result.signal);
  return code;
}

int compare(int argc, char** argv) {
  bench::CompareConfig config;
  return clawws::apps::run_tool(
      bench::compare_flags(config), argc, argv,
      [&](const base::FlagOutcome&) { return bench::validate(config); },
      [&] { return bench::run_compare(config, environment); });
}

int report(int argc, char** argv) {
  bench::ReportConfig config;
  return clawws::apps::run_tool(
      bench::report_flags(config), argc, argv,
      [&](const base::FlagOutcome&) { return bench::validate(config); },
      [&] { return bench::run_report(config, environment); });
}

int doctor(int argc, char** argv) {
  bench::DoctorConfig config;
  return clawws::apps::run_tool(
      bench::doctor_flags(config), argc, argv,
      [](const base::FlagOutcome&) { return base::Result<void>(); },
      [&] { return bench::run_doctor(config, environment); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "compare") return compare(argc - 1, argv + 1);
  if (command == "report") return report(argc - 1, argv + 1);
  if (command == "doctor") return doctor(argc - 1, argv + 1);
  return measure(argc, argv);
}
