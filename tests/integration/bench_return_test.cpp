// Runs in whose middle clients are cut off and come back, against a server in this process,
// straight or through a proxy that loses or repeats what is replayed. No latency is judged.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "support/bench_run.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FrameProxy;
using test::number_in;
using test::Outcomes;
using test::reasons_of;
using test::result_of;
using test::run;
using test::setup_for;
using test::small_plan;
using test::sum_of;
using test::TempDir;
using test::TestServer;

BenchPlan storm_plan() {
  BenchPlan plan = small_plan();
  plan.scenario = Scenario::reconnect_storm;
  plan.leavers = plan.connections;
  plan.events = 400;
  plan.warm_up = 20;
  plan.publishers = 2;
  // An attempt may take long on a busy machine.
  plan.return_limit = seconds(20);
  return plan;
}

// Everything came to everybody, once and in order.
void expect_whole(const BenchResult& r) {
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(exit_code(r), 0);
  const LedgerCounts& ledger = r.fleet.ledger;
  EXPECT_EQ(ledger.expected, r.plan.events * r.plan.connections);
  EXPECT_EQ(ledger.delivered, ledger.expected);
  EXPECT_EQ(ledger.duplicated + ledger.reordered + r.fleet.corrupt, 0U);
  ASSERT_TRUE(r.fleet.comeback.has_value());
  EXPECT_EQ(r.fleet.comeback->not_back, 0U);
  EXPECT_EQ(r.delivery.values.count() + r.fleet.comeback->replayed.count(), ledger.delivered);
  EXPECT_EQ(sum_of(r, &SeriesRow::delivered), ledger.delivered);
}

TEST(BenchReturn, AllThatWereDroppedAreLiveAgainWithEverything) {
  TestServer server;
  const BenchResult r = result_of(run(server.port(), storm_plan()));
  expect_whole(r);
  const Comeback& comeback = *r.fleet.comeback;
  EXPECT_EQ(comeback.lost, 20U);
  EXPECT_EQ(comeback.live_again.count(), 20U);
  EXPECT_EQ(comeback.gaps + comeback.dropped, 0U);
  EXPECT_GE(comeback.live_again.min(), Nanos(milliseconds(50))) << "no back-off";
  ASSERT_TRUE(r.all_back.has_value());
  EXPECT_GE(*r.all_back + milliseconds(1), comeback.live_again.max());
  EXPECT_EQ(r.fleet.cut, 0U) << "the generator's own doing";
  // 20 clients missed at least 50 ms at 200 events a second.
  EXPECT_GE(comeback.replayed.count(), 20U * 8);
}

TEST(BenchReturn, WhoWasAwayCatchesUpBesideTheOthers) {
  TestServer server;
  BenchPlan plan = storm_plan();
  plan.scenario = Scenario::resume;
  plan.leavers = 5;
  plan.away = 200;
  const BenchResult r = result_of(run(server.port(), plan));
  expect_whole(r);
  const Comeback& comeback = *r.fleet.comeback;
  EXPECT_EQ(comeback.lost, 5U);
  EXPECT_EQ(comeback.catch_up.count(), 5U);
  EXPECT_GE(comeback.replayed.count(), 5U * 190);
  EXPECT_GE(r.before.samples(), 20U * 95) << "of 100 events, before the loss";
  EXPECT_LE(r.before.samples(), 20U * 100);
  EXPECT_LE(r.before.samples() + r.disturbed.samples(), r.delivery.values.count());
  EXPECT_GT(catch_up_rate(r).value_or(0), 0);
}

// Connections that are made after the drop: one of the preflight, one for each publisher, the fleet
// and its canaries came before.
FrameProxy::Judge to_returned(const BenchPlan& plan, FrameProxy::Fate fate) {
  const std::size_t before = 1 + plan.publishers + plan.connections + plan.canaries;
  return [before, fate](std::size_t connection, std::string_view payload) {
    const auto number = number_in(payload);
    const bool is_chosen = connection >= before && number && *number % 10 == 3;
    return is_chosen ? fate : FrameProxy::Fate::pass;
  };
}

TEST(BenchReturn, WhatIsLostOnTheWayBackIsCaught) {
  TestServer server;
  BenchPlan plan = storm_plan();
  plan.publishers = 1;
  plan.drain = seconds(3);
  FrameProxy proxy(server.port(), to_returned(plan, FrameProxy::Fate::drop));
  const BenchResult r = result_of(run(proxy.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(exit_code(r), 20);
  const LedgerCounts& ledger = r.fleet.ledger;
  EXPECT_EQ(ledger.expected, 8'000U);
  EXPECT_EQ(ledger.delivered + ledger.lost, ledger.expected);
  // A tenth of those after the drop, to each.
  EXPECT_GE(ledger.lost, 20U * 19);
  EXPECT_LE(ledger.lost, 20U * 22);
  EXPECT_GE(r.fleet.comeback->gaps, 20U) << "the positions show it too";
}

TEST(BenchReturn, WhatComesAgainIsKnownByItsPosition) {
  TestServer server;
  BenchPlan plan = storm_plan();
  plan.publishers = 1;
  FrameProxy proxy(server.port(), to_returned(plan, FrameProxy::Fate::twice));
  const BenchResult r = result_of(run(proxy.port(), plan));
  expect_whole(r);
  EXPECT_GE(r.fleet.comeback->dropped, 20U * 19);
}

TEST(BenchReturn, ASignalLetsThemBackForWhatTheyMissed) {
  TestServer server;
  BenchPlan plan = storm_plan();
  plan.scenario = Scenario::resume;
  plan.leavers = 5;
  plan.events = 100'000;
  plan.away = 99'600;
  RunSetup setup = setup_for(server.port(), plan);
  std::atomic<int> signal{0};
  setup.signal = [&] { return signal.load(); };
  setup.progress_every = milliseconds(10);
  setup.progress = [&](const Snapshot& snapshot) {
    // 200 events come to all 20, then some are away.
    if (snapshot.delivered > 4'500) signal = 2;
  };
  const BenchResult r = result_of(run_once(setup));
  EXPECT_EQ(r.signal, 2);
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(r.fleet.ledger.lost, 0U);
  EXPECT_EQ(r.fleet.comeback->not_back, 0U);
  EXPECT_GT(r.fleet.comeback->replayed.count(), 0U);
}

// A server that can be ended and made again with the same state and port.
class Restartable {
 public:
  Restartable() { make(0, dir_.path()); }

  std::uint16_t port() const { return port_; }
  // Its second start finds `state`.
  ServerControl control(const std::filesystem::path& state) {
    ServerControl control;
    control.end = [this](int signal) {
      signal_ = signal;
      server_.reset();
    };
    control.has_ended = [this] { return server_ == nullptr; };
    control.start = [this, state]() -> base::Result<void> {
      make(port_, state);
      return {};
    };
    control.is_listening = [this] { return server_ != nullptr; };
    control.pid = [] { return std::optional(::getpid()); };
    return control;
  }
  const TempDir& dir() const { return dir_; }
  int signal() const { return signal_; }

 private:
  void make(std::uint16_t port, const std::filesystem::path& state) {
    server_ = std::make_unique<TestServer>([&](server::ServerConfig& config) {
      config.listen = {{"127.0.0.1", port}};
      config.state_dir = state;
      config.store = server::ServerConfig::Store::sqlite;
    });
    port_ = server_->port();
  }

  TempDir dir_;
  std::unique_ptr<TestServer> server_;
  std::uint16_t port_ = 0;
  int signal_ = 0;
};

BenchPlan restart_plan() {
  BenchPlan plan = storm_plan();
  plan.scenario = Scenario::restart;
  plan.leavers = 0;
  plan.events = 600;
  return plan;
}

TEST(BenchReturn, ARestartLosesNothing) {
  Restartable server;
  RunSetup setup = setup_for(server.port(), restart_plan());
  setup.control = server.control(server.dir().path());
  const BenchResult r = result_of(run_once(setup));
  expect_whole(r);
  EXPECT_EQ(server.signal(), SIGTERM);
  EXPECT_EQ(r.publish.accepted, 620U);
  EXPECT_EQ(r.publish.failed + r.publish.refused, 0U);
  EXPECT_GE(r.fleet.comeback->lost, 20U);
  EXPECT_EQ(r.fleet.comeback->gaps, 0U);
  EXPECT_GT(r.server_down.value_or(Nanos(0)), Nanos(0));
  EXPECT_GE(r.fleet.cut, 20U);
}

TEST(BenchReturn, AServerThatForgetsTellsEachClient) {
  Restartable server;
  TempDir other;
  BenchPlan plan = restart_plan();
  plan.scenario = Scenario::restart_kill9;
  plan.drain = seconds(3);
  RunSetup setup = setup_for(server.port(), plan);
  setup.control = server.control(other.path());
  const BenchResult r = result_of(run_once(setup));
  EXPECT_EQ(server.signal(), SIGKILL);
  EXPECT_GE(r.fleet.comeback->gaps, 20U);
  EXPECT_EQ(r.fleet.ledger.delivered + r.fleet.ledger.lost, r.fleet.ledger.expected);
}

TEST(BenchReturn, AServerThatDoesNotComeAgainIsAFailure) {
  Restartable server;
  RunSetup setup = setup_for(server.port(), restart_plan());
  setup.control = server.control(server.dir().path());
  setup.control->start = []() -> base::Result<void> {
    return base::Error(base::Errc::connect_failed, "no such server");
  };
  const Outcomes outcome = run_once(setup);
  const auto* failure = std::get_if<RunFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->exit_code, 3);
  EXPECT_NE(failure->what.find("no such server"), std::string::npos) << failure->what;
}

// The publishers' connections are cut again and again while requests and answers are on their way.
TEST(BenchReturn, WhatWasNotAcknowledgedIsRepeatedAndTakenOnce) {
  TestServer server;
  FrameProxy proxy(server.port(), [](auto, auto) { return FrameProxy::Fate::pass; });
  RunSetup setup = setup_for(proxy.port(), restart_plan());
  setup.control.emplace();
  setup.control->end = [](int) {};
  setup.control->start = []() -> base::Result<void> { return {}; };
  setup.control->is_listening = [] { return true; };
  bool is_started = false;
  setup.control->has_ended = [&] { return !std::exchange(is_started, true); };
  setup.control->pid = [] { return std::optional(::getpid()); };
  setup.progress_every = milliseconds(100);
  setup.progress = [&](const Snapshot& snapshot) {
    if (snapshot.phase == Phase::measure) proxy.cut_requests();
  };
  const BenchResult r = result_of(run_once(setup));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_GT(r.publish.repeated, 0U);
  EXPECT_EQ(r.publish.accepted, 620U);
  EXPECT_EQ(r.fleet.ledger.lost, 0U);
  EXPECT_EQ(r.fleet.ledger.duplicated, 0U);
  EXPECT_EQ(r.fleet.ledger.reordered, 0U);
}

}  // namespace
}  // namespace clawws::bench
