// clawws serve: flags, a check, the server, the exit code. Everything else is in the library's server
// layer.
#include "../common/run_tool.hpp"
#include "clawws/server/options.hpp"
#include "clawws/server/serve.hpp"
#include "clawws/server/server.hpp"

namespace {

namespace apps = clawws::apps;
namespace base = clawws::base;
namespace server = clawws::server;

// What the configuration names and cannot be used is a mistake of the configuration: 2. A port that
// is taken, a full disk and the like: 1.
int refuse(const base::FlagSpec& spec, const base::Error& error) {
  apps::fail(spec, error);
  const bool mistake = error.code == base::Errc::usage || error.code == base::Errc::config || error.code == base::Errc::tls;
  return mistake ? 2 : 1;
}

int run(const base::FlagSpec& spec, const server::ServeOptions& options) {
  if (options.action == server::ServeOptions::Action::check) {
    const base::Result<std::string> checked = server::check(options.config);
    return checked ? apps::answer(spec, *checked) : refuse(spec, checked.error());
  }
  const base::Result<void> served = server::serve(options.config);
  return served ? 0 : refuse(spec, served.error());
}

}  // namespace

int main(int argc, char** argv) {
  server::ServeOptions options;
  const base::FlagSpec spec = server::serve_flags(options);
  return apps::run_tool(
      spec, argc, argv, [&](const base::FlagOutcome&) { return server::validate(options.config); },
      [&] { return run(spec, options); });
}
