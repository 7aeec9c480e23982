// Whole runs against a server in this process, straight or through a proxy that does to the stream
// what a network or a faulty server could. No latency is judged: the machine may be busy.
#include "clawws/bench/run.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <charconv>
#include <map>

#include "clawws/client/approach.hpp"
#include "support/fake_server.hpp"
#include "support/frame_proxy.hpp"
#include "support/test_server.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FrameProxy;
using test::TestServer;
using Outcomes = std::variant<BenchResult, RunFailure>;

BenchPlan small_plan() {
  BenchPlan plan;
  plan.connections = 20;
  plan.rate = 200;
  plan.events = 200;
  plan.warm_up = 0;
  plan.settle = milliseconds(0);
  plan.drain = seconds(30);
  plan.threads = 2;
  plan.canaries = 2;
  // Met with ten times to spare, which excuses a generator that had to wait for the machine.
  plan.thresholds = {*parse_threshold("delivery.p50<10m"), *parse_threshold("lost==0")};
  return plan;
}

RunSetup setup_for(std::uint16_t port, const BenchPlan& plan) {
  client::ApproachConfig config;
  config.url = client::parse_server_url("wss://127.0.0.1:" + std::to_string(port) + "/ws").value();
  config.tls.verify = net::ClientTlsConfig::Verify::none;
  config.credentials.user = "tester";
  config.credentials.places = {
      {client::SecretPlace::Kind::password_variable, "PW", "the test's own"}};
  client::Approach approach(config, [](const char* name) {
    return std::string(name) == "PW" ? std::string("correct horse") : std::string();
  });
  const auto attempt = approach.prepare();
  EXPECT_TRUE(attempt.has_value()) << attempt.error().message();
  RunSetup setup;
  setup.plan = plan;
  setup.target = make_target(*attempt).value();
  setup.server_source = "already running";
  return setup;
}

Outcomes run(std::uint16_t port, const BenchPlan& plan) {
  return run_once(setup_for(port, plan));
}

BenchResult result_of(const Outcomes& outcome) {
  if (const auto* failure = std::get_if<RunFailure>(&outcome)) {
    ADD_FAILURE() << failure->what;
    return {};
  }
  return std::get<BenchResult>(outcome);
}

std::string reasons_of(const BenchResult& result) {
  std::string text;
  for (const std::string& reason : result.verdict.reasons) text += reason + "; ";
  return text;
}

// The number of the event in a frame; nothing for others, such as the preflight's.
std::optional<std::uint64_t> number_in(std::string_view payload) {
  const std::size_t at = payload.find("\"publisher\":0,\"number\":");
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(payload.data() + at + 23, payload.data() + payload.size(), number);
  return number;
}

// The events whose number is `rest` modulo 10.
FrameProxy::Judge each_tenth(std::map<std::uint64_t, FrameProxy::Fate> fates) {
  return [fates = std::move(fates)](std::size_t, std::string_view payload) {
    const auto number = number_in(payload);
    const auto found = number ? fates.find(*number % 10) : fates.end();
    return found == fates.end() ? FrameProxy::Fate::pass : found->second;
  };
}

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
  EXPECT_EQ(r.stalled.samples(), 750U);
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

std::uint64_t sum_of(const BenchResult& r, std::uint64_t SeriesRow::*field) {
  std::uint64_t sum = 0;
  for (const SeriesRow& row : r.series)
    if (row.phase == Phase::measure) sum += row.*field;
  return sum;
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
  EXPECT_GT(ledger.expected, 20'000U);
  EXPECT_EQ(r.owed, ledger.expected) << "by client and by event";
  EXPECT_EQ(r.to_all.samples(), 2'000U);
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
