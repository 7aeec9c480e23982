// client::Tail as a whole, in process: a server over real TLS on one side, pipes on the other.
#include "clawws/client/tail.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "support/tail_fixture.hpp"

namespace clawws::client {
namespace {

using base::Millis;
using base::SteadyClock;
using test::FakePeer;
using test::FakeServer;

using ClientTail = test::TailFixture;
using test::live;

TEST_F(ClientTail, PrintsEventsAsTheyCameAndEndsAtTheCount) {
  FakeServer server(live(10));
  config.count = 3;
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(out.read(),
            test::event_text(1) + "\n" + test::event_text(2) + "\n" + test::event_text(3) + "\n");
}

TEST_F(ClientTail, PrintsPrettyLinesWhenTold) {
  FakeServer server(live(1));
  config.count = 1;
  config.format = OutputFormat::pretty;
  config.time = TimeFormat::none;
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(out.read().find("agent.status      a               running"), 0u) << out.text;
}

TEST_F(ClientTail, SendsWhoWeAreAndWhatWeWant) {
  std::string target, authorization, offered;
  FakeServer server([&](FakePeer& peer, int) {
    peer.request();
    target = peer.target();
    authorization = peer.header("Authorization");
    offered = peer.header("Sec-WebSocket-Protocol");
    peer.refuse(401);
  });
  variables["CLAWWS_PASSWORD"] = "s3cret";
  config.approach.credentials.user = "admin";
  config.approach.credentials.places =
      environment_places([this](const char* name) { return variables[name]; });
  config.stream.types = {"session.*"};
  config.stream.last = 5;
  start(server);
  EXPECT_EQ(run(), 4);
  EXPECT_EQ(target, "/ws?last=5&types=session.*");
  EXPECT_EQ(authorization, "Basic YWRtaW46czNjcmV0");
  EXPECT_EQ(offered, "clawws.v1");
  EXPECT_TRUE(err_has("401")) << err.text;
  EXPECT_FALSE(err_has("s3cret"));
}

TEST_F(ClientTail, ReadsARotatedPasswordAtTheNextAttempt) {
  std::vector<std::string> seen;
  FakeServer server([&](FakePeer& peer, int number) {
    peer.request();
    seen.push_back(peer.header("Authorization"));
    peer.accept();
    peer.welcome("e1", 0, 1, number > 0);
    if (number == 0) {
      state.write("password", "new\n");
      peer.close(1012);
    }
    peer.event(1);
    peer.serve("e1", 1);
  });
  config.approach.credentials.user = "u";
  config.approach.credentials.places = {{SecretPlace::Kind::password_file,
                                         state.write("password", "old\n").string(),
                                         "--password-file"}};
  config.count = 1;
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(seen, (std::vector<std::string>{"Basic dTpvbGQ=", "Basic dTpuZXc="}));
}

TEST_F(ClientTail, HidesBenchSamplesUnlessTheyAreNamed) {
  const auto script = [](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    peer.event(1);
    peer.event(2, "bench.sample");
    peer.event(3);
    peer.serve("e1", 3);
  };
  FakeServer server(script);
  config.count = 2;
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(out.read().find("bench.sample"), std::string::npos);
  EXPECT_FALSE(err_has("gap"));
  config.count = 3;
  config.stream.types = {"*", "bench.*"};
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_NE(out.read().find("bench.sample"), std::string::npos);
}

TEST_F(ClientTail, TellsTheLossTheReturnAndTheGap) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    if (number == 0) {
      peer.welcome("e1", 3);
      peer.close(1011, "bug");
    } else if (number == 1) {
      peer.welcome("e1", 5, 5, false, 1);
      peer.event(5);
      peer.serve("e1", 5);
    }
  });
  start(server);
  EXPECT_TRUE(run_until([&] { return err_has("live again at #5: replayed 1, lost 1"); }))
      << err.text;
  EXPECT_TRUE(err_has("live at e1:3 from wss://127.0.0.1:"));
  EXPECT_TRUE(err_has("link lost (the server failed (1011: bug)); retry 1 in "));
  EXPECT_TRUE(err_has("gap: 1 event lost between #3 and #5"));
}

TEST_F(ClientTail, QuietSaysOnlyWhatEndsIt) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    peer.welcome("e1", 3, 1, number > 0);
    peer.close(number == 0 ? 1011 : 4001);
  });
  config.verbosity = Verbosity::quiet;
  start(server);
  EXPECT_EQ(run(), 4);
  EXPECT_EQ(
      err.read().find("clawws tail: the credentials were revoked, changed or have expired (4001)"),
      0u)
      << err.text;
}

TEST_F(ClientTail, AReaderThatLeavesEndsItThoughNothingHappens) {
  FakeServer server(live(1));
  start(server);
  ASSERT_TRUE(run_until([&] { return !out.read().empty(); }));
  out.reading.reset();
  const auto begin = SteadyClock::now();
  EXPECT_EQ(run(), 0);
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds(1));
}

TEST_F(ClientTail, AReaderThatLeavesEndsItWhileTheServerIsAway) {
  config.reconnect.first_connect = ReconnectConfig::FirstConnect::wait;
  config.approach.url = net::parse_url("wss://127.0.0.1:1/ws").value();
  config.approach.state_dir = state.path();
  start();
  ASSERT_TRUE(run_until([&] { return err_has("retry 1"); }));
  out.reading.reset();
  EXPECT_EQ(run(Millis(1'000)), 0);
}

TEST_F(ClientTail, AStuckReaderHoldsTheServerBackAndLosesNothing) {
  constexpr std::uint64_t k_events = 20'000;  // 3 MB, more than queue and pipe take
  FakeServer server(live(k_events));
  config.queue_bytes = 128 * 1024;
  config.count = k_events;
  config.status = StatusChoice::always;
  start(server);
  ASSERT_TRUE(run_until([&] { return err_has("[output is behind]"); }));
  // Now the reader reads again.
  EXPECT_TRUE(run_until([&] {
    out.read();
    return io.stopped();
  }));
  EXPECT_EQ(tail->result().exit_code, 0);
  std::uint64_t lines = 0;
  for (const char c : out.read()) lines += c == '\n' ? 1 : 0;
  EXPECT_EQ(lines, k_events);
  EXPECT_TRUE(out.text.ends_with(test::event_text(k_events) + "\n"));
}

TEST_F(ClientTail, EndsInTime) {
  FakeServer server(live(2));
  config.run_for = Millis(300);
  start(server);
  EXPECT_EQ(run(), 0);
  config.run_for.reset();
  config.timeout = Millis(300);
  start(server);
  EXPECT_EQ(run(), 124);
  EXPECT_TRUE(err_has("--timeout is over after ")) << err.text;
  config.timeout.reset();
  config.idle_timeout = Millis(200);
  start(server);
  EXPECT_EQ(run(), 124);
  EXPECT_TRUE(err_has("--idle-timeout")) << err.text;
}

// Nine older events to come, of which three do.
FakeServer::Script stalled_replay() {
  return [](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 9);
    for (std::uint64_t seq = 1; seq <= 3; ++seq) peer.event(seq);
    peer.fall_silent();
  };
}

TEST_F(ClientTail, SaysWhenTheTimeWasTooShortForTheOlderEvents) {
  FakeServer server(stalled_replay());
  config.stream.since.kind = wire::Since::Kind::earliest;
  config.run_for = Millis(300);
  config.verbosity = Verbosity::quiet;
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_TRUE(
      err_has("--for is over before all older events were shown: 3 events, up to e1:3; "
              "they go on to #9"))
      << err.text;
}

TEST_F(ClientTail, TheTimeRunsFromTheFirstConnection) {
  std::atomic<bool> may_accept{false};
  FakeServer server([&](FakePeer& peer, int) {
    peer.request();
    EXPECT_TRUE(test::eventually([&] { return may_accept.load(); }));
    live(2)(peer, 0);
  });
  config.run_for = Millis(1);
  start(server);
  EXPECT_TRUE(run_until([&] { return server.connections() == 1; }));
  // Long enough for a limit that had begun at the start.
  EXPECT_EQ(run(Millis(200)), -1);
  may_accept = true;
  EXPECT_EQ(run(), 0);
  EXPECT_TRUE(err_has("live at e1:")) << err.text;
}

TEST_F(ClientTail, UntilLiveEndsWithTheLastOlderEvent) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 3);
    for (std::uint64_t seq = 1; seq <= 5; ++seq) peer.event(seq);
    peer.serve("e1", 5);
  });
  config.stream.since.kind = wire::Since::Kind::earliest;
  config.until = TailConfig::End::caught_up;
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(out.read(),
            test::event_text(1) + "\n" + test::event_text(2) + "\n" + test::event_text(3) + "\n");
}

TEST_F(ClientTail, AStdoutThatFailsSpoilsTheEndThatWasReached) {
  FakeServer server(live(3));
  config.count = 3;
  const base::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  // Whichever comes first: the count or the news of the failed write.
  for (int i = 0; i < 20; ++i) {
    err.text.clear();
    out.writing.reset(::dup(full.get()));
    start(server);
    ASSERT_EQ(run(), 1);
    ASSERT_TRUE(err_has("cannot write to stdout: No space left on device")) << err.text;
  }
}

TEST_F(ClientTail, ATimeoutDoesNotWaitForAStuckReader) {
  FakeServer server(live(20'000));
  config.timeout = Millis(500);
  start(server);
  EXPECT_EQ(run(Millis(5'000)), 124);
}

TEST_F(ClientTail, ASignalClosesCleanlyAndIsHandedBack) {
  std::atomic<unsigned> code{0};
  FakeServer server([&](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    code = peer.serve("e1", 0);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return err_has("live at e1:0"); }));
  tail->signal(SIGTERM);
  EXPECT_EQ(run(), 143);
  EXPECT_EQ(tail->result().signal, SIGTERM);
  EXPECT_TRUE(test::eventually([&] { return code == 1000; }));
}

TEST_F(ClientTail, SaysASummaryWhenAsked) {
  FakeServer server(live(2));
  start(server);
  ASSERT_TRUE(run_until([&] { return out.read().find("\"seq\":2") != std::string::npos; }));
  tail->signal(SIGUSR1);
  EXPECT_TRUE(run_until([&] { return err_has("events 2\n"); })) << err.text;
  EXPECT_TRUE(err_has("[live] ")) << err.text;
}

TEST_F(ClientTail, ASecondSignalDoesNotWait) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    peer.fall_silent();  // and never answers the close
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return err_has("live at e1:0"); }));
  tail->signal(SIGINT);
  tail->signal(SIGINT);
  const auto begin = SteadyClock::now();
  EXPECT_EQ(run(), 130);
  EXPECT_LT(SteadyClock::now() - begin, Millis(300));
}

TEST_F(ClientTail, TrustsTheLocalServerByItsRecordAlone) {
  std::string authorization;
  FakeServer server([&](FakePeer& peer, int) {
    peer.request();
    authorization = peer.header("Authorization");
    peer.accept();
    peer.welcome("e1", 0);
    peer.event(1);
    peer.serve("e1", 1);
  });
  net::ServerRecord record{"wss://localhost:" + std::to_string(server.port()) + "/ws",
                           "127.0.0.1",
                           server.port(),
                           server.pin(),
                           "admin",
                           state.write("password", "generated\n"),
                           ::getpid(),
                           "0.1.0"};
  ASSERT_TRUE(net::write_server_record(state.path(), record));
  config.approach.state_dir = state.path();
  config.count = 1;
  start();
  EXPECT_EQ(run(), 0) << err.read();
  EXPECT_EQ(authorization, "Basic YWRtaW46Z2VuZXJhdGVk");
}

TEST_F(ClientTail, SendsTheLocalPasswordToNobodyElse) {
  std::atomic<int> requests{0};
  FakeServer impostor([&](FakePeer& peer, int) {
    peer.request();
    ++requests;
  });
  FakeServer other([](FakePeer&, int) {});
  net::ServerRecord record{"wss://localhost:" + std::to_string(impostor.port()) + "/ws",
                           "127.0.0.1",
                           impostor.port(),
                           other.pin(),
                           "admin",
                           state.write("password", "generated\n"),
                           ::getpid(),
                           "0.1.0"};
  ASSERT_TRUE(net::write_server_record(state.path(), record));
  config.approach.state_dir = state.path();
  start();
  EXPECT_EQ(run(), 5) << err.read();
  EXPECT_EQ(requests, 0);
}

TEST_F(ClientTail, SaysWhereItLookedForALocalServer) {
  config.approach.state_dir = state.path();
  config.approach.resolve = {{"localhost", 8443, "127.9.9.9"}};  // where nobody listens
  start();
  EXPECT_EQ(run(), 3);
  EXPECT_TRUE(err_has((state.path() / "server.json").string() + ": No such file")) << err.text;
}

}  // namespace
}  // namespace clawws::client
