// client::Tail in process for tests: pipes in place of stdout and stderr, a loop that runs until a
// condition holds.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>

#include "clawws/client/tail.hpp"
#include "support/eventually.hpp"
#include "support/fake_server.hpp"
#include "support/temp_dir.hpp"

namespace clawws::test {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
    ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  }
  const std::string& read() {
    char buffer[65536];
    for (ssize_t count; reading && (count = ::read(reading.get(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(count));
    return text;
  }
  base::UniqueFd reading, writing;
  std::string text;
};

class TailFixture : public testing::Test {
 protected:
  // Trusts the server by its pin and by nothing else.
  void start(const FakeServer& server) {
    config.approach.url = net::parse_url(server.url()).value();
    config.approach.tls.verify = net::ClientTlsConfig::Verify::none;
    config.approach.tls.pins = {server.pin()};
    config.approach.state_dir = state.path();
    start();
  }
  void start() {
    tail.reset();  // its end stops the loop
    io.restart();
    tail.emplace(
        io, config, [this](const char* name) { return variables[name]; },
        client::TailStreams{out.writing.get(), err.writing.get()});
    tail->start();
  }
  // Runs until the tail ends; its exit code, or -1 when it does not.
  int run(base::Millis limit = base::Millis(10'000)) {
    const auto deadline = base::SteadyClock::now() + limit;
    while (!io.stopped()) {
      if (base::SteadyClock::now() >= deadline) return -1;
      io.run_one_for(base::Millis(20));
    }
    return tail->result().exit_code;
  }
  template <class Condition>
  bool run_until(Condition condition) {
    const auto deadline = base::SteadyClock::now() + k_patience;
    while (!condition()) {
      if (io.stopped() || base::SteadyClock::now() >= deadline) return condition();
      io.run_one_for(base::Millis(20));
    }
    return true;
  }
  bool err_has(const std::string& text) { return err.read().find(text) != std::string::npos; }

  TempDir state;
  std::map<std::string, std::string> variables;
  Pipe out, err;
  client::TailConfig config;
  boost::asio::io_context io{1};
  std::optional<client::Tail> tail;
};

// Live events 1, 2, 3 …, `count` of them, then quiet.
inline FakeServer::Script live(std::uint64_t count) {
  return [count](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    for (std::uint64_t seq = 1; seq <= count; ++seq) peer.event(seq);
    peer.serve("e1", count);
  };
}

}  // namespace clawws::test
