#include "clawws/server/serve.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <thread>

#include "clawws/base/text.hpp"
#include "clawws/server/server.hpp"
#include "clawws/server/users.hpp"

namespace clawws::server {

namespace {

base::LogFormat format_of(ServerConfig::LogFormat wanted) {
  switch (wanted) {
    case ServerConfig::LogFormat::text:
      return base::LogFormat::text;
    case ServerConfig::LogFormat::logfmt:
      return base::LogFormat::logfmt;
    case ServerConfig::LogFormat::json:
      return base::LogFormat::json;
    case ServerConfig::LogFormat::automatic:
      break;
  }
  return ::isatty(STDERR_FILENO) != 0 ? base::LogFormat::text : base::LogFormat::logfmt;
}

// What a person needs first: where it is, what it shows, where the password is, how to publish, how
// to watch.
void say_hello(const Server& server, const ServerConfig& config) {
  const Server::Reach reach = server.reach();
  const std::string url = "wss://" + reach.origin + "/ws";
  const std::string publish = "https://" + reach.origin + "/clawws/events";
  const std::string event =
      R"('{"type":"gateway.status","payload":{"status":"running","version":"1","uptime":0}}')";
  const std::string trust = reach.trust.empty() ? "" : " --cacert " + base::shell_word(reach.trust);
  const std::string resolve = reach.resolve.empty() ? "" : " --resolve " + base::shell_word(reach.resolve);
  std::string text = "clawws serve " + url + "\n";
  text += "  dashboard https://" + reach.origin + "/clawws/\n";
  if (config.upstream) {  // never with a user or password: validate() refuses them
    text += "  app       " + config.upstream->scheme + "://" + config.upstream->authority() + "\n";
  }
  const std::string password = server.generated_password_file();
  if (!password.empty()) {
    const std::string conf = base::shell_word((server.state_directory() / "curl.conf").string());
    text += "  user      " + std::string(k_generated_user) + ", password in " + password + "\n";
    text += "  publish   curl -K " + conf + resolve + " --json " + event + " " + publish + "\n";
  } else {
    text += "  publish   curl -u USER" + trust + resolve + " --json " + event + " " + publish + "\n";
  }
  // On this host clawws tail finds the server by its record, its key by the pin and a generated password.
  const bool standard = config.state_dir.empty();
  text += "  watch     clawws tail" + std::string(password.empty() ? " -u USER" : "") +
          (standard ? "" : " --state-dir " + base::shell_word(server.state_directory().string())) + "\n";
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // nobody reads: the log goes the same way
}

}  // namespace

base::Result<void> serve(const ServerConfig& config) {
  std::signal(SIGPIPE, SIG_IGN);
  base::Logger log(STDERR_FILENO, format_of(config.log_format), config.log_level);

  // Signals are caught before the first thread starts, so that none is lost or kills.
  boost::asio::io_context signals(1);
  boost::asio::signal_set caught(signals, SIGTERM, SIGINT, SIGHUP);
  caught.add(SIGUSR1);

  Server server(config, log);
  if (base::Result<void> started = server.start(); !started) return started;
  if (config.log_level <= base::LogLevel::info) say_hello(server, config);
  for (const net::HostPort& place : server.bound()) {
    log.info("listening", {{"address", place.host}, {"port", place.port}, {"state", server.state_directory().string()}});
  }

  std::thread stopper;
  const std::function<void(const boost::system::error_code&, int)> on_signal =
      [&](const boost::system::error_code& failed, int signal) {
        if (failed) return;
        if (signal == SIGHUP) {
          server.reload();
        } else if (signal == SIGUSR1) {
          server.log_summary();
        } else if (!stopper.joinable()) {
          stopper = std::thread([&] {
            server.stop();
            signals.stop();
          });
        } else {
          server.stop_now();
        }
        caught.async_wait(on_signal);
      };
  caught.async_wait(on_signal);
  signals.run();
  if (stopper.joinable()) stopper.join();
  return {};
}

}  // namespace clawws::server
