#include "clawws/server/serve.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <thread>

#include "clawws/base/text.hpp"
#include "clawws/server/server.hpp"

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

// "wss://localhost:8443/ws" -> "https://localhost:8443"
std::string https_base(const std::string& url) { return "https" + url.substr(3, url.rfind("/ws") - 3); }

// What a person needs first: where it is, where the password is, how to publish, how to watch.
void say_hello(const Server& server, const ServerConfig& config) {
  const std::string publish = https_base(server.url()) + "/clawws/events";
  const std::string event =
      R"('{"type":"gateway.status","payload":{"status":"running","version":"1","uptime":0}}')";
  std::string text = "clawws serve " + server.url() + "\n";
  const std::string password = server.generated_password_file();
  if (!password.empty()) {
    const std::string conf = base::shell_word((server.state_directory() / "curl.conf").string());
    text += "  user      admin, password in " + password + "\n";
    text += "  publish   curl -K " + conf + " --json " + event + " " + publish + "\n";
  } else {
    const std::string trust = config.cert_file.empty() ? " --cacert " + base::shell_word(server.certificate_file()) : "";
    text += "  publish   curl -u USER" + trust + " --json " + event + " " + publish + "\n";
  }
  const bool standard = server.url() == "wss://localhost:8443/ws";
  text += "  watch     clawws tail" + std::string(password.empty() ? " -u USER" : "") +
          (standard ? "" : " " + server.url()) +
          (config.state_dir.empty() ? "" : " --state-dir " + base::shell_word(server.state_directory().string())) + "\n";
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
