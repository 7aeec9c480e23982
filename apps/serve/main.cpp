// clawws serve: flags, validation, the server, the exit code.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "clawws/server/options.hpp"
#include "clawws/server/serve.hpp"
#include "clawws/server/server.hpp"

using clawws::base::Errc;

namespace {

int fail(const clawws::base::Error& error) {
  std::fprintf(stderr, "clawws serve: %s\n", error.message().c_str());
  // What the configuration names and cannot be used is a mistake of the configuration.
  const bool configuration = error.code == Errc::usage || error.code == Errc::config || error.code == Errc::tls;
  return configuration ? 2 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  clawws::server::ServeOptions options;
  const clawws::base::FlagSpec spec = clawws::server::serve_flags(options);
  const auto parsed = clawws::base::parse_flags(spec, std::vector<std::string>(argv + 1, argv + argc),
                                                [](const char* name) -> const char* { return std::getenv(name); });
  if (!parsed) return fail(parsed.error());
  if (parsed->next == clawws::base::FlagOutcome::Next::print_and_exit) {
    std::fputs(parsed->output.c_str(), stdout);
    return 0;
  }
  if (const auto valid = clawws::server::validate(options.config); !valid) return fail(valid.error());
  if (parsed->print_config) {
    std::fputs(clawws::base::print_config(spec, *parsed).c_str(), stdout);
    return 0;
  }
  if (options.action == clawws::server::ServeOptions::Action::check) {
    const auto checked = clawws::server::check(options.config);
    if (!checked) return fail(checked.error());
    std::fputs(checked->c_str(), stdout);
    return 0;
  }
  const auto served = clawws::server::serve(options.config);
  return served ? 0 : fail(served.error());
}
