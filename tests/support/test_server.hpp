// A whole server in the test's process: ephemeral port, state directory, certificate and password of
// its own. One .env user, "tester:correct horse". What it logs can be looked at.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/log.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/hub/hub.hpp"
#include "clawws/server/server.hpp"
#include "support/raw_peer.hpp"
#include "support/temp_dir.hpp"

namespace clawws::test {

inline constexpr std::string_view k_test_login = "tester:correct horse";

class TestServer {
 public:
  // `adjust` may change the config before the start; four shards unless it says otherwise.
  explicit TestServer(const std::function<void(server::ServerConfig&)>& adjust = {})
      : log_file_(::memfd_create("log", MFD_CLOEXEC)), log_(log_file_.get(), base::LogFormat::logfmt, base::LogLevel::debug) {
    std::signal(SIGPIPE, SIG_IGN);  // as every process with a server does
    server::ServerConfig config;
    config.listen = {{"127.0.0.1", 0}};
    config.state_dir = dir_.path() / "state";
    config.env_file = dir_.write(".env", "DASHBOARD_USERNAME=tester\nDASHBOARD_PASSWORD='correct horse'\n").string();
    config.threads = 4;
    config.store = server::ServerConfig::Store::memory;  // the quickest; those about a store on disk say so
    if (adjust) adjust(config);
    server_ = std::make_unique<server::Server>(config, log_);
    const base::Result<void> started = server_->start();
    EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message());
  }

  server::Server& operator*() { return *server_; }
  server::Server* operator->() { return server_.get(); }
  std::uint16_t port() const { return server_->port(); }
  const TempDir& dir() const { return dir_; }
  // Everything logged so far.
  std::string logged() const {
    std::string text(static_cast<std::size_t>(::lseek(log_file_.get(), 0, SEEK_END)), '\0');
    const ssize_t count = ::pread(log_file_.get(), text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

  // A peer with TLS, upgraded at `target` with the test's login and further `fields`; its answer was 101.
  std::unique_ptr<RawPeer> subscriber(std::string_view target = "/ws", std::string_view fields = {},
                                      const PeerOptions& options = {}) {
    auto peer = std::make_unique<RawPeer>(port(), options);
    EXPECT_TRUE(peer->handshake()) << peer->tls_error();
    peer->send(upgrade_request(basic(k_test_login) + std::string(fields), target));
    const auto answer = peer->read_answer(k_patience, RawPeer::Body::none);
    EXPECT_TRUE(answer.has_value()) << "no answer to the upgrade";
    EXPECT_EQ(answer ? answer->status : 0, 101) << (answer ? answer->head + answer->body : "");
    return peer;
  }

  // One request over a connection of its own.
  HttpAnswer request(const std::string& bytes) {
    RawPeer peer(port());
    EXPECT_TRUE(peer.handshake()) << peer.tls_error();
    peer.send(bytes);
    auto answer = peer.read_answer();
    EXPECT_TRUE(answer.has_value()) << "no answer";
    return answer.value_or(HttpAnswer{});
  }

  static std::string post(std::string_view body, std::string_view fields = {},
                          std::string_view content_type = "application/json") {
    return "POST /clawws/events HTTP/1.1\r\nHost: localhost\r\n" + basic(k_test_login) + std::string(fields) +
           "Content-Type: " + std::string(content_type) + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
  }

  // Publishes straight into the hub, `count` agent.status events with payload.taskCount 0, 1, …
  void publish(std::size_t count, std::string_view type = "agent.status", std::size_t padding = 0);

 private:
  TempDir dir_;
  base::UniqueFd log_file_;
  base::Logger log_;
  std::unique_ptr<server::Server> server_;
};

}  // namespace clawws::test
