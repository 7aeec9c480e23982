// clawws tail: flags, a check, the run, the exit code. Everything else is in the library's client
// layer.
#include "../common/run_tool.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/client/run_tail.hpp"

int main(int argc, char** argv) {
  namespace client = clawws::client;
  client::TailConfig config;
  const auto environment = [](const char* name) { return clawws::base::environment(name); };
  client::TailResult result;
  const int code = clawws::apps::run_tool(
      client::tail_flags(config), argc, argv,
      [&](const clawws::base::FlagOutcome& outcome) {
        return client::validate(config, outcome, environment);
      },
      [&] {
        result = client::run_tail(config, environment, {});
        return result.exit_code;
      });
  if (result.signal != 0) clawws::apps::raise_again(result.signal);
  return code;
}
