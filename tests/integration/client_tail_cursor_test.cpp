// clawws tail across its own ends: --cursor-file, --on-gap and --meta inline, with a server that
// loses events, stalls and begins anew.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <set>

#include "support/tail_fixture.hpp"

namespace clawws::client {
namespace {

using base::Millis;
using test::event_text;
using test::FakePeer;
using test::FakeServer;
using test::live;

class ClientTailCursor : public test::TailFixture {
 protected:
  ClientTailCursor() { config.cursor_file = path; }

  std::string kept() const {
    const auto text = base::read_file(path);
    return text ? *text : std::string();
  }
  std::uint64_t kept_seq() const {
    const std::string text = kept();
    const auto position = wire::parse_position(text.substr(0, text.find('\n')));
    return position ? position->seq : 0;
  }
  // What kill -9 leaves: nothing is said, closed or written any more.
  void kill() { tail.reset(); }
  std::vector<std::string> lines() {
    std::vector<std::string> list;
    const std::string text = out.read();
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
      list.push_back(text.substr(at, end - at));
    return list;
  }

  const std::filesystem::path path = state.path() / "at";
};

// A log of `count` events in epoch e1 that resumes whoever asks for a position.
FakeServer::Script log_of(std::uint64_t count, std::vector<std::string>* targets = nullptr) {
  return [count, targets](FakePeer& peer, int) {
    peer.request();
    if (targets != nullptr) targets->push_back(peer.target());
    const auto at = peer.target().find("since=e1:");
    const std::uint64_t after =
        at == std::string::npos ? 0 : std::stoull(peer.target().substr(at + 9));
    peer.accept();
    peer.welcome("e1", count, 1, at != std::string::npos);
    for (std::uint64_t seq = after + 1; seq <= count; ++seq) peer.event(seq);
    peer.serve("e1", count);
  };
}

TEST_F(ClientTailCursor, GoesOnWhereTheLastRunEnded) {
  std::vector<std::string> targets;
  FakeServer server(log_of(5, &targets));
  config.stream.since.kind = wire::Since::Kind::earliest;
  config.count = 2;
  start(server);
  ASSERT_EQ(run(), 0) << err.read();
  EXPECT_EQ(kept(), "e1:2\n");
  start(server);
  ASSERT_EQ(run(), 0) << err.read();
  EXPECT_EQ(kept(), "e1:4\n");
  EXPECT_EQ(lines(),
            (std::vector<std::string>{event_text(1), event_text(2), event_text(3), event_text(4)}));
  EXPECT_EQ(targets, (std::vector<std::string>{"/ws?since=earliest", "/ws?since=e1:2"}));
  EXPECT_TRUE(err_has("going on after e1:2 (" + path.string() + ")"));
}

TEST_F(ClientTailCursor, TheFileBeatsLast) {
  std::vector<std::string> targets;
  FakeServer server(log_of(5, &targets));
  state.write("at", "e1:4\n");
  config.stream.last = 3;
  config.until = TailConfig::End::caught_up;
  start(server);
  ASSERT_EQ(run(), 0) << err.read();
  EXPECT_EQ(targets, (std::vector<std::string>{"/ws?since=e1:4"}));
  EXPECT_EQ(lines(), (std::vector<std::string>{event_text(5)}));
}

TEST_F(ClientTailCursor, KeepsWhereItBeganBeforeAnythingHappens) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 7);
    peer.serve("e1", 7);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return err_has("live at e1:7"); }));
  kill();
  EXPECT_EQ(kept(), "e1:7\n");
}

TEST_F(ClientTailCursor, KeepsAPlaceBeforeTheFirstOlderEventIsShown) {
  FakeServer server(log_of(3));
  config.stream.since.kind = wire::Since::Kind::earliest;
  start(server);
  ASSERT_TRUE(run_until([&] { return !lines().empty(); }));
  kill();
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_LE(kept_seq(), 3u);
}

TEST_F(ClientTailCursor, KeepsAPositionThatWasAskedForThoughTheServerIsAway) {
  config.stream.since = {wire::Since::Kind::position, {"e1", 44}, 0};
  config.reconnect.first_connect = ReconnectConfig::FirstConnect::wait;
  config.approach.url = net::parse_url("wss://127.0.0.1:1/ws").value();
  start();
  ASSERT_TRUE(run_until([&] { return err_has("retry 1"); }));
  kill();
  EXPECT_EQ(kept(), "e1:44\n");
}

TEST_F(ClientTailCursor, MovesPastWhatIsNotShown) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    peer.event(1, "bench.sample");
    peer.send(R"({"type":"position","timestamp":"2026-02-21T14:30:00.000Z",)"
              R"("payload":{"epoch":"e1","seq":2000}})");
    peer.serve("e1", 2'001);
  });
  start(server);
  EXPECT_TRUE(run_until([&] { return kept() == "e1:2000\n"; })) << kept();
  EXPECT_TRUE(lines().empty());
}

TEST_F(ClientTailCursor, AKillSkipsNothing) {
  constexpr std::uint64_t k_events = 2'000;
  FakeServer server(log_of(k_events));
  config.stream.since.kind = wire::Since::Kind::earliest;
  std::uint64_t wanted = 1;
  while (wanted < k_events) {
    start(server);
    const std::uint64_t before = kept_seq();
    ASSERT_TRUE(run_until([&] {
      out.read();
      return kept_seq() > before;
    })) << err.read();
    kill();
    wanted = kept_seq();
  }
  std::set<std::string> seen;
  for (const std::string& line : lines()) seen.insert(line);
  for (std::uint64_t seq = 1; seq <= k_events; ++seq)
    ASSERT_TRUE(seen.contains(event_text(seq))) << seq;
}

TEST_F(ClientTailCursor, IsNotAheadOfAReaderThatIsStuck) {
  FakeServer server(log_of(20'000));
  config.stream.since.kind = wire::Since::Kind::earliest;
  config.queue_bytes = 128 * 1024;
  config.status = StatusChoice::always;
  start(server);
  ASSERT_TRUE(run_until([&] { return err_has("[output is behind]"); }));
  // The pipe has taken hundreds of events by now; more than it holds must never stand in the file.
  ASSERT_TRUE(run_until([&] { return kept_seq() > 100; }));
  EXPECT_EQ(run(Millis(600)), -1);
  kill();
  EXPECT_LE(kept_seq(), lines().size());
}

// Events up to `oldest` are gone when the tail asks for a later one than e1:3.
FakeServer::Script pruned_to(std::uint64_t oldest) {
  return [oldest](FakePeer& peer, int) {
    peer.accept();
    const bool resumes = peer.target() != "/ws?since=e1:3";
    peer.welcome("e1", oldest, oldest, resumes, resumes ? 0 : oldest - 4);
    peer.event(oldest);
    peer.serve("e1", oldest);
  };
}

TEST_F(ClientTailCursor, AGapEndsItOnceWhenAsked) {
  FakeServer server(pruned_to(8));
  state.write("at", "e1:3\n");
  config.on_gap = TailConfig::OnGap::exit;
  config.until = TailConfig::End::caught_up;
  start(server);
  EXPECT_EQ(run(), 7);
  EXPECT_TRUE(
      err_has("clawws tail: gap: 4 events lost between #3 and #8: the server keeps them no longer "
              "(--on-gap exit)"))
      << err.text;
  EXPECT_TRUE(lines().empty());
  EXPECT_EQ(kept(), "e1:7\n");
  // It has been told: the next run goes on.
  start(server);
  EXPECT_EQ(run(), 0) << err.read();
  EXPECT_EQ(lines(), (std::vector<std::string>{event_text(8)}));
}

TEST_F(ClientTailCursor, AHoleEndsItBeforeTheEventThatShowsIt) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    peer.event(1);
    peer.event(4);
    peer.serve("e1", 4);
  });
  config.on_gap = TailConfig::OnGap::exit;
  start(server);
  EXPECT_EQ(run(), 7);
  EXPECT_EQ(lines(), (std::vector<std::string>{event_text(1)}));
  EXPECT_EQ(kept(), "e1:3\n");
}

TEST_F(ClientTailCursor, AGapCanBeIgnored) {
  FakeServer server(pruned_to(8));
  state.write("at", "e1:3\n");
  config.on_gap = TailConfig::OnGap::ignore;
  config.meta = TailConfig::Meta::inline_;
  config.format = OutputFormat::ndjson;
  config.until = TailConfig::End::caught_up;
  start(server);
  EXPECT_EQ(run(), 0);
  EXPECT_FALSE(err_has("gap"));
  EXPECT_EQ(out.read().find("gap"), std::string::npos);
}

TEST_F(ClientTailCursor, ANewEpochIsKeptBeforeItHasEvents) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e2", 0, 1, false, std::nullopt);
    peer.serve("e2", 0);
  });
  state.write("at", "e1:3\n");
  start(server);
  EXPECT_TRUE(run_until([&] { return kept() == "e2:0\n"; })) << kept();
  EXPECT_TRUE(err_has("gap: the server's log began anew")) << err.text;
}

TEST_F(ClientTailCursor, RecordsStandBetweenTheEvents) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    if (number == 0) {
      peer.welcome("e1", 3);
      peer.event(4);
      peer.close(1011, "bug");
    } else {
      peer.welcome("e1", 7, 7, false, 2);
      peer.event(7);
      peer.serve("e1", 7);
    }
  });
  config.meta = TailConfig::Meta::inline_;
  config.verbosity = Verbosity::quiet;
  config.format = OutputFormat::ndjson;
  start(server);
  ASSERT_TRUE(run_until([&] { return lines().size() >= 8; })) << out.text;
  const auto list = lines();
  const auto begins = [&](std::size_t line, const std::string& type) {
    EXPECT_EQ(list[line].find("{\"type\":\"" + type + "\""), 0u) << line << ": " << list[line];
  };
  begins(0, "clawws.connected");
  begins(1, "clawws.live");
  EXPECT_EQ(list[2], event_text(4));
  begins(3, "clawws.disconnected");
  EXPECT_NE(list[3].find("1011: bug"), std::string::npos);
  begins(4, "clawws.connected");
  begins(5, "clawws.gap");
  EXPECT_NE(list[5].find(R"("lost":2,"from":"e1:4","to":"e1:6")"), std::string::npos) << list[5];
  EXPECT_EQ(list[6], event_text(7));
  begins(7, "clawws.live");
  EXPECT_NE(list[7].find(R"("position":"e1:7","replayed":1,"lost":2)"), std::string::npos);
  EXPECT_EQ(err.read(), "");
}

TEST_F(ClientTailCursor, TheLastRecordSaysThatThereIsNoOtherTry) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 3);
    peer.close(4001);
  });
  config.meta = TailConfig::Meta::inline_;
  config.format = OutputFormat::ndjson;
  start(server);
  EXPECT_EQ(run(), 4);
  EXPECT_NE(lines().back().find(R"("retryInMs":null)"), std::string::npos) << out.text;
}

TEST_F(ClientTailCursor, AFileThatCannotBeWrittenIsAnError) {
  FakeServer server(live(3));
  std::filesystem::create_directory(path.string() + ".new");
  start(server);
  EXPECT_EQ(run(), 1);
  EXPECT_TRUE(err_has("cannot write the cursor file " + path.string())) << err.text;
  EXPECT_TRUE(lines().empty());

  // Later it is said, tried again, and an error only at the end.
  std::filesystem::remove(path.string() + ".new");
  err.text.clear();
  std::atomic<bool> may_send{false};
  FakeServer other([&](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    EXPECT_TRUE(test::eventually([&] { return may_send.load(); }));
    peer.event(1);
    peer.serve("e1", 1);
  });
  start(other);
  ASSERT_TRUE(run_until([&] { return kept() == "e1:0\n"; }));
  std::filesystem::create_directory(path.string() + ".new");
  may_send = true;
  ASSERT_TRUE(run_until([&] { return err_has("cannot write the cursor file"); })) << err.text;
  tail->signal(SIGTERM);
  EXPECT_EQ(run(), 143);
  EXPECT_EQ(kept(), "e1:0\n");
}

TEST_F(ClientTailCursor, AnotherTailWithTheSameFileIsRefused) {
  FakeServer server(live(1));
  start(server);
  ASSERT_TRUE(run_until([&] { return !lines().empty(); }));
  boost::asio::io_context other_io(1);
  Tail other(
      other_io, config, [](const char*) { return std::string(); },
      TailStreams{out.writing.get(), err.writing.get()});
  other.start();
  other_io.run_for(std::chrono::seconds(5));
  EXPECT_EQ(other.result().exit_code, 1);
  EXPECT_TRUE(err_has("another clawws tail keeps its place in " + path.string())) << err.text;
}

}  // namespace
}  // namespace clawws::client
