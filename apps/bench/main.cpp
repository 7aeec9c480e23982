// clawws bench: flags, a check, the run, the exit code. Everything else is in the library's bench
// layer.
#include "../common/run_tool.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/bench/run_bench.hpp"

int main(int argc, char** argv) {
  namespace bench = clawws::bench;
  bench::BenchConfig config;
  const auto environment = [](const char* name) { return clawws::base::environment(name); };
  bench::BenchExit result;
  const int code = clawws::apps::run_tool(
      bench::bench_flags(config), argc, argv,
      [&](const clawws::base::FlagOutcome& outcome) {
        return bench::validate(config, outcome, environment);
      },
      [&] {
        result = bench::run_bench(config, environment);
        return result.code;
      });
  if (result.signal != 0) clawws::apps::raise_again(result.signal);
  return code;
}
