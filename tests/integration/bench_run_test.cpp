// Whole runs against a server in this process, straight or through a proxy that does to the stream
// what a network or a faulty server could. No latency is judged: the machine may be busy.
#include "clawws/bench/run.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "support/bench_run.hpp"
#include "support/fake_server.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::each_tenth;
using test::FrameProxy;
using test::number_in;
using test::Outcomes;
using test::reasons_of;
using test::result_of;
using test::run;
using test::setup_for;
using test::small_plan;
using test::sum_of;
using test::TestServer;

// What comes later than this counts as lost, so it is ample.
constexpr milliseconds k_late_by_a_sanitizer{6'000};

TEST(BenchRun, EverythingArrivesOnce) {
  TestServer server;
  BenchPlan plan = small_plan();
  plan.warm_up = 50;
  plan.publishers = 3;
  const BenchResult r = result_of(run(server.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(exit_code(r), 0);
  EXPECT_EQ(r.live, 20U);
  EXPECT_EQ(r.fleet.ledger.expected, 4'000U);
  EXPECT_EQ(r.fleet.ledger.delivered, 4'000U);
  EXPECT_EQ(r.fleet.recorded, 4'000U);
  EXPECT_EQ(r.fleet.ledger.duplicated + r.fleet.ledger.reordered + r.fleet.corrupt, 0U);
  EXPECT_EQ(r.to_all.samples(), 200U);
  EXPECT_EQ(r.canary.samples(), 400U);
  EXPECT_EQ(r.publish.accepted, 250U);
  EXPECT_EQ(r.publish.lag.count(), 250U);
  EXPECT_EQ(r.fleet.connect.count(), 20U);
  EXPECT_TRUE(r.tls.starts_with("TLSv1.3")) << r.tls;
  EXPECT_EQ(r.threads.size(), 4U);
}

TEST(BenchRun, DroppedMessagesAreLostExactly) {
  TestServer server;
  FrameProxy proxy(server.port(), each_tenth({{3, FrameProxy::Fate::drop}}));
  BenchPlan plan = small_plan();
  plan.drain = k_late_by_a_sanitizer;
  const BenchResult r = result_of(run(proxy.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(exit_code(r), 20);
  EXPECT_EQ(r.fleet.ledger.lost, 20U * 20);
  EXPECT_EQ(r.fleet.ledger.expected, r.fleet.ledger.delivered + r.fleet.ledger.lost);
  EXPECT_EQ(r.delivery.beyond, 400U);
  EXPECT_EQ(r.delivery.values.percentile(95, r.delivery.beyond), std::nullopt);
  EXPECT_EQ(r.to_all.beyond, 20U);
}

TEST(BenchRun, DuplicatesReordersAndChangesAreCounted) {
  TestServer server;
  FrameProxy proxy(server.port(), each_tenth({{2, FrameProxy::Fate::twice},
                                              {4, FrameProxy::Fate::later},
                                              {7, FrameProxy::Fate::corrupt}}));
  BenchPlan plan = small_plan();
  plan.drain = k_late_by_a_sanitizer;
  const BenchResult r = result_of(run(proxy.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(r.fleet.ledger.duplicated, 400U);
  EXPECT_EQ(r.fleet.ledger.reordered, 400U);
  EXPECT_EQ(r.fleet.corrupt, 400U);
  EXPECT_EQ(r.fleet.ledger.lost, 400U) << "a changed event is not a delivered one";
}

TEST(BenchRun, TheLedgerBalancesUnderCutConnections) {
  TestServer server;
  FrameProxy proxy(server.port(), [](std::size_t connection, std::string_view payload) {
    // Some at once, some in the middle, one at the last event.
    const auto number = number_in(payload);
    const bool is_end = number && connection % 3 == 0 && *number == connection * 8 % 200;
    return is_end ? FrameProxy::Fate::cut : FrameProxy::Fate::pass;
  });
  BenchPlan plan = small_plan();
  plan.drain = k_late_by_a_sanitizer;
  const BenchResult r = result_of(run(proxy.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(exit_code(r), 20);
  EXPECT_GE(r.fleet.cut, 4U);
  EXPECT_GT(r.fleet.ledger.lost, 0U);
  EXPECT_EQ(r.fleet.ledger.expected, 4'000U);
  EXPECT_EQ(r.fleet.ledger.delivered + r.fleet.ledger.lost, 4'000U);
  EXPECT_EQ(r.fleet.recorded, r.fleet.ledger.delivered);
  ASSERT_EQ(r.fleet.cut_reasons.size(), 1U);
  EXPECT_NE(r.fleet.cut_reasons.begin()->first.find("connection lost"), std::string::npos);
}

TEST(BenchRun, AFullServerMakesItInvalid) {
  TestServer server([](server::ServerConfig& config) { config.max_clients = 10; });
  const BenchResult r = result_of(run(server.port(), small_plan()));
  EXPECT_LT(r.live, 20U);
  EXPECT_EQ(exit_code(r), 22);
  EXPECT_EQ(r.fleet.ledger.lost, 0U) << "those that were not connected expect nothing";
  ASSERT_EQ(r.fleet.connect_failures.size(), 1U);
  EXPECT_NE(r.fleet.connect_failures.begin()->first.find("503"), std::string::npos);
}

TEST(BenchRun, APublisherThatIsCutGoesOn) {
  TestServer server;
  FrameProxy proxy(server.port(), [](auto, auto) { return FrameProxy::Fate::pass; });
  BenchPlan plan = small_plan();
  plan.drain = seconds(3);
  RunSetup setup = setup_for(proxy.port(), plan);
  setup.progress_every = milliseconds(10);
  bool is_cut = false;
  setup.progress = [&](const Snapshot& snapshot) {
    if (is_cut || snapshot.phase != Phase::measure || snapshot.delivered < 1'000) return;
    is_cut = true;
    proxy.cut_requests();
  };
  const BenchResult r = result_of(run_once(setup));
  EXPECT_TRUE(is_cut);
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(r.publish.accepted + r.publish.refused + r.publish.failed, 200U);
  // What was under way may have been taken or not; what came later was sent.
  EXPECT_LE(r.fleet.ledger.lost, r.publish.failed * 20);
}

TEST(BenchRun, StalledReadersAreEndedAndTheOthersGetEverything) {
  TestServer server([](server::ServerConfig& config) {
    config.max_lag_time = milliseconds(300);
    config.log_memory_bytes = 1u << 20;
  });
  BenchPlan plan = small_plan();
  plan.scenario = Scenario::slow_consumer;
  plan.stalled = 3;
  plan.size_bytes = 32 * 1024;
  plan.connections = 5;
  plan.rate = 100;
  plan.events = 300;
  const BenchResult r = result_of(run(server.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(r.stalled_ended, 3U);
  EXPECT_EQ(r.fleet.ledger.delivered, 1'500U);
  EXPECT_EQ(r.before.samples(), 750U);
  EXPECT_EQ(r.disturbed.samples(), 750U);
}

BenchPlan churn_plan() {
  BenchPlan plan = small_plan();
  plan.scenario = Scenario::churn;
  plan.churn_rate = 40;
  plan.events = 400;
  plan.warm_up = 20;
  plan.publishers = 2;
  return plan;
}

TEST(BenchRun, WhoComesAndGoesGetsWhatWasDueToIt) {
  TestServer server;
  BenchPlan plan = churn_plan();
  // An event each millisecond, which is less than a handshake takes.
  plan.rate = 1'000;
  plan.events = 2'000;
  const BenchResult r = result_of(run(server.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(r.live, 20U);
  // 2 s at 40 a second, and a slow machine is given half of it.
  EXPECT_GE(r.fleet.returns.count(), 40U);
  EXPECT_EQ(r.fleet.returns_failed, 0U);
  EXPECT_EQ(r.fleet.cut, 0U);
  const LedgerCounts& ledger = r.fleet.ledger;
  EXPECT_EQ(ledger.lost, 0U);
  EXPECT_LT(ledger.expected, 40'000U) << "nobody was away";
  EXPECT_GT(ledger.expected, 5'000U);
  EXPECT_EQ(r.owed, ledger.expected) << "by client and by event";
  EXPECT_LE(r.to_all.samples(), 2'000U);
  EXPECT_GT(r.to_all.samples(), 1'800U) << "an event is due to nobody only while all are away";
  EXPECT_EQ(r.to_all.beyond, 0U);
  EXPECT_EQ(sum_of(r, &SeriesRow::delivered), ledger.delivered);
  EXPECT_EQ(sum_of(r, &SeriesRow::published), 2'000U);
}

TEST(BenchRun, TheLedgerOfThoseWhoComeAndGoSeesLoss) {
  TestServer server;
  FrameProxy proxy(server.port(), each_tenth({{3, FrameProxy::Fate::drop}}));
  BenchPlan plan = churn_plan();
  plan.publishers = 1;
  plan.drain = seconds(1);
  // Each waits a second for what does not come: never all of them at once.
  plan.churn_rate = 5;
  const BenchResult r = result_of(run(proxy.port(), plan));
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(exit_code(r), 20);
  const LedgerCounts& ledger = r.fleet.ledger;
  EXPECT_EQ(r.owed, ledger.expected);
  EXPECT_EQ(r.to_all.beyond, 40U);
  EXPECT_EQ(ledger.expected, ledger.delivered + ledger.lost);
  // About a tenth of what was due.
  EXPECT_GT(ledger.lost, ledger.expected / 20);
  EXPECT_LT(ledger.lost, ledger.expected / 5);
  EXPECT_EQ(sum_of(r, &SeriesRow::lost), ledger.lost);
}

TEST(BenchRun, AnInterruptedChurnBalancesToo) {
  TestServer server;
  BenchPlan plan = churn_plan();
  plan.events = 100'000;
  RunSetup setup = setup_for(server.port(), plan);
  std::atomic<int> signal{0};
  setup.signal = [&] { return signal.load(); };
  setup.progress_every = milliseconds(10);
  setup.progress = [&](const Snapshot& snapshot) {
    if (snapshot.delivered > 2'000) signal = 2;
  };
  const BenchResult r = result_of(run_once(setup));
  EXPECT_EQ(r.signal, 2);
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_EQ(r.fleet.ledger.lost, 0U);
  EXPECT_EQ(r.owed, r.fleet.ledger.expected);
}

TEST(BenchRun, TheRowsOfTheSeriesAreTheLedger) {
  TestServer server;
  BenchPlan plan = small_plan();
  plan.events = 500;
  plan.warm_up = 100;
  RunSetup setup = setup_for(server.port(), plan);
  setup.server_pid = ::getpid();
  const BenchResult r = result_of(run_once(setup));
  EXPECT_EQ(sum_of(r, &SeriesRow::published), 500U);
  EXPECT_EQ(sum_of(r, &SeriesRow::delivered), 10'000U);
  std::vector<Phase> phases;
  for (const SeriesRow& row : r.series) {
    if (phases.empty() || phases.back() != row.phase) phases.push_back(row.phase);
    EXPECT_GT(row.server_rss.value_or(0), 0U);
    EXPECT_FALSE(row.server_files.has_value()) << "they are counted in a soak alone";
  }
  EXPECT_EQ(phases, (std::vector<Phase>{Phase::connect, Phase::settle, Phase::warm_up,
                                        Phase::measure, Phase::drain}));
  EXPECT_EQ(r.series.back().connected, 20U);
  EXPECT_EQ(r.fleet.live_at.count(), 20U);
}

TEST(BenchRun, AStormConnectsAllAtOnce) {
  TestServer server;
  BenchPlan plan = small_plan();
  plan.scenario = Scenario::connect_storm;
  plan.connections = 200;
  plan.connect_rate = 0;
  plan.events = 1;
  plan.thresholds = {*parse_threshold("connect.failed==0"), *parse_threshold("to-all.max<10m")};
  const BenchResult r = result_of(run(server.port(), plan));
  EXPECT_EQ(exit_code(r), 0) << reasons_of(r);
  EXPECT_EQ(r.fleet.connect.count(), 200U);
  EXPECT_EQ(r.fleet.ledger.delivered, 200U);
}

TEST(BenchRun, ASignalEndsItWithWhatWasSent) {
  TestServer server;
  BenchPlan plan = small_plan();
  plan.events = 100'000;
  RunSetup setup = setup_for(server.port(), plan);
  std::atomic<int> signal{0};
  setup.signal = [&] { return signal.load(); };
  setup.progress_every = milliseconds(10);
  setup.progress = [&](const Snapshot& snapshot) {
    if (snapshot.delivered > 500) signal = 15;
  };
  const BenchResult r = result_of(run_once(setup));
  EXPECT_EQ(r.signal, 15);
  EXPECT_TRUE(r.verdict.valid) << reasons_of(r);
  EXPECT_LT(r.plan.events, 100'000U);
  EXPECT_EQ(r.fleet.ledger.delivered, r.plan.events * 20);
  EXPECT_EQ(r.fleet.ledger.lost, 0U);
}

TEST(BenchRun, ThePreflightSaysWhatIsWrong) {
  struct Row {
    test::FakeServer::Script script;
    int exit_code;
    const char* what;
  };
  using test::FakePeer;
  const auto silent = [](FakePeer& peer, int) {
    peer.accept();
    peer.fall_silent();
  };
  // Takes the subscription; the second connection is the publisher's.
  const auto subscribed = [](FakePeer& peer) {
    peer.accept();
    peer.welcome("e", 0);
    peer.serve("e", 0);
  };
  const auto no_publisher = [&](FakePeer& peer, int number) {
    number == 0 ? subscribed(peer) : peer.refuse(403);
  };
  const auto no_http = [&](FakePeer& peer, int number) {
    number == 0 ? subscribed(peer) : peer.send_raw("no HTTP at all\r\n\r\n");
  };
  const auto refusal = [](int status) {
    return [status](FakePeer& peer, int) { peer.refuse(status); };
  };
  const std::vector<Row> rows{
      {refusal(401), 4, "401"},         {refusal(404), 6, "404"},          {refusal(503), 3, "503"},
      {silent, 23, "no answer within"}, {no_publisher, 4, "publishing: "}, {no_http, 6, "not HTTP"},
  };
  for (const Row& row : rows) {
    test::FakeServer server(row.script);
    BenchPlan plan = small_plan();
    plan.connect_limit = milliseconds(500);
    const Outcomes outcome = run(server.port(), plan);
    const auto* failure = std::get_if<RunFailure>(&outcome);
    ASSERT_NE(failure, nullptr) << row.what;
    EXPECT_EQ(failure->exit_code, row.exit_code) << failure->what;
    EXPECT_NE(failure->what.find(row.what), std::string::npos) << failure->what;
  }
}

TEST(BenchRun, TooFewFilesAreSaidBefore) {
  BenchPlan plan = small_plan();
  plan.connections = 100'000'000;
  const auto failure = check_limits(plan);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->exit_code, 23);
  EXPECT_NE(failure->what.find("ulimit -n"), std::string::npos);
}

}  // namespace
}  // namespace clawws::bench
