// What the tests of client::Session share: a session whose callbacks are recorded, driven by its own
// io_context on the test's thread.
#pragma once

#include "clawws/client/session.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "clawws/net/tls_context.hpp"
#include "support/eventually.hpp"
#include "support/fake_server.hpp"


namespace clawws::client {

using base::Errc;
using base::Millis;
using base::SteadyClock;
using test::FakePeer;
using test::FakeServer;

struct Recorder : SessionEvents {
  void on_event(const wire::ServerMessage& message, std::string_view text, const Step&) override {
    seqs.push_back(message.seq);
    ++events;
    texts.emplace_back(text);
  }
  void on_welcome(const wire::ServerMessage&) override { ++welcomes; }
  void on_gap(const Gap& gap) override { gaps.push_back(gap); }
  void on_caught_up(const CaughtUp& caught_up) override { caught.push_back(caught_up); }
  void on_lost(const net::Ending& ending, const Reconnect::Decision& decision) override {
    losses.push_back(ending);
    decisions.push_back(decision);
  }
  void on_end(Errc code, const std::string& reason) override {
    ended = code;
    end_reason = reason;
  }

  std::vector<std::uint64_t> seqs;
  std::vector<std::string> texts;
  std::vector<Gap> gaps;
  std::vector<CaughtUp> caught;
  std::vector<net::Ending> losses;
  std::vector<Reconnect::Decision> decisions;
  std::atomic<int> welcomes{0}, events{0};  // scripts look at these
  std::optional<Errc> ended;
  std::string end_reason;
};

class ClientSession : public testing::Test {
 protected:
  // Trusts `server` by its pin unless the test set something else.
  void start(const FakeServer& server) { start(server.url(), server.pin()); }
  void start(const std::string& url, const std::string& pin) {
    const auto made = target_of(url, pin);
    config.prepare = [made]() -> base::Result<Attempt> {
      return Attempt{made, "Basic eA==", "", "", {}};
    };
    begin();
  }
  void begin() {
    config.seed = 1;
    session.emplace(io.get_executor(), config, recorder);
    session->start();
  }
  std::shared_ptr<const net::WsTarget> target_of(const std::string& url, const std::string& pin) {
    net::WsTarget target;
    target.url = net::parse_url(url).value();
    target.tls = tls;
    if (!pin.empty()) {
      target.tls.pins = {pin};
      target.tls.verify = net::ClientTlsConfig::Verify::pin_only;
    }
    target.connect_timeout = connect_timeout;
    auto made = net::make_ws_target(target);
    EXPECT_TRUE(made) << made.error().message();
    return *made;
  }

  // A reset throws away what the client has not read yet.
  static void reset_when(FakePeer& peer, const std::function<bool()>& condition) {
    EXPECT_TRUE(test::eventually(condition));
    peer.reset();
  }

  template <class Condition>
  bool run_until(Condition condition, Millis limit = Millis(10'000)) {
    const auto deadline = SteadyClock::now() + limit;
    while (!condition()) {
      if (SteadyClock::now() >= deadline) return false;
      io.restart();
      io.run_one_for(Millis(20));
    }
    return true;
  }
  bool run_until_end() {
    return run_until([&] { return recorder.ended.has_value(); });
  }

  boost::asio::io_context io{1};
  Recorder recorder;
  SessionConfig config;
  net::ClientTlsConfig tls;
  Millis connect_timeout{2'500};
  std::optional<Session> session;
};

using Seqs = std::vector<std::uint64_t>;

}  // namespace clawws::client
