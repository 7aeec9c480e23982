// client::Session over real TLS against a server that misbehaves: what is resumed, what is retried,
// what ends it, and with which error.
#include "clawws/client/session.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "clawws/net/tls_context.hpp"
#include "support/eventually.hpp"
#include "support/fake_server.hpp"

namespace clawws::client {
namespace {

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
    net::WsTarget target;
    target.url = net::parse_url(url).value();
    target.tls = tls;
    if (!pin.empty()) {
      target.tls.pins = {pin};
      target.tls.verify = net::ClientTlsConfig::Verify::pin_only;
    }
    target.connect_timeout = connect_timeout;
    auto made = net::make_ws_target(target);
    ASSERT_TRUE(made) << made.error().message();
    config.prepare = [made = *made]() -> base::Result<Attempt> {
      return Attempt{made, "Basic eA==", "", ""};
    };
    config.seed = 1;
    session.emplace(io.get_executor(), config, recorder);
    session->start();
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

TEST_F(ClientSession, ResumesAfterResetWithoutLossOrDuplicate) {
  std::string second_target;
  FakeServer server([&](FakePeer& peer, int number) {
    peer.accept();
    if (number == 0) {
      peer.welcome("e1", 0);
      for (const int seq : {1, 2, 3}) peer.event(static_cast<std::uint64_t>(seq));
      reset_when(peer, [&] { return recorder.events == 3; });
      return;
    }
    second_target = peer.target();
    peer.welcome("e1", 5, 1, true);
    for (const int seq : {2, 3, 4, 5, 6}) peer.event(static_cast<std::uint64_t>(seq));
    peer.serve("e1", 6);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.seqs.size() >= 6 || recorder.ended; }));
  EXPECT_EQ(recorder.seqs, (Seqs{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(second_target, "/ws?since=e1:3");
  ASSERT_EQ(recorder.caught.size(), 2u);
  EXPECT_FALSE(recorder.caught[1].first);
  EXPECT_EQ(recorder.caught[1].replayed, 2u);
  EXPECT_TRUE(recorder.gaps.empty());
  ASSERT_EQ(recorder.decisions.size(), 1u);
  EXPECT_LE(recorder.decisions[0].delay, Millis(300));
}

TEST_F(ClientSession, IsLiveAgainWithinThreeSecondsOfTheServersReturn) {
  const auto script = [](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 4, 1, true);
    peer.serve("e1", 4);
  };
  auto server = std::make_unique<FakeServer>(script);
  const std::uint16_t port = server->port();
  start(server->url(), "");
  // The new server has a new key, so the client takes any.
  session.reset();
  tls.verify = net::ClientTlsConfig::Verify::none;
  start(server->url(), "");
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 1; }));
  server.reset();
  // Away long enough for several attempts to fail.
  ASSERT_TRUE(run_until([&] { return recorder.losses.size() >= 4; }));
  server = std::make_unique<FakeServer>(script, port);
  const auto back = SteadyClock::now();
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 2; }));
  EXPECT_LT(SteadyClock::now() - back, std::chrono::seconds(3));
}

TEST_F(ClientSession, WaitsAsLongAsACloseReasonSays) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    peer.welcome("e1", 0, 1, number > 0);
    if (number == 0) {
      peer.close(1012, "restart retry-ms=700");
      return;
    }
    peer.serve("e1", 0);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 2; }));
  EXPECT_EQ(recorder.losses[0].close_code, 1012);
  EXPECT_GE(recorder.decisions[0].delay, Millis(700));
}

// Codes that Beast takes for a breach of the protocol.
TEST_F(ClientSession, ComesBackAfterACloseCodeThatFewKnow) {
  constexpr unsigned k_codes[] = {1014, 1015, 2999, 999};
  FakeServer server([&](FakePeer& peer, int number) {
    peer.accept();
    peer.welcome("e1", 0, 1, number > 0);
    if (number < 4)
      peer.close(k_codes[number]);
    else
      peer.serve("e1", 0);
  });
  start(server);
  EXPECT_TRUE(run_until([&] { return recorder.welcomes == 5 || recorder.ended; }));
  EXPECT_FALSE(recorder.ended) << recorder.end_reason;
  ASSERT_FALSE(recorder.losses.empty());
  EXPECT_NE(recorder.losses[0].what.find("closed by the server"), std::string::npos);
}

TEST_F(ClientSession, WaitsAsLongAsRetryAfterSays) {
  FakeServer server([](FakePeer& peer, int number) {
    if (number == 0) {
      peer.refuse(503, {{"Retry-After", "1"}});
      return;
    }
    peer.accept();
    peer.welcome("e1", 0);
    peer.serve("e1", 0);
  });
  config.reconnect.first_connect = ReconnectConfig::FirstConnect::wait;
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 1; }));
  EXPECT_EQ(recorder.losses[0].http_status, 503);
  EXPECT_GE(recorder.decisions[0].delay, Millis(1000));
}

// An answer that cannot be read whole is still that answer.
TEST_F(ClientSession, ABusyServersAnswerMayBeOfAnySize) {
  const std::string busy = "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n";
  std::string cookies;
  while (cookies.size() < 10'000) cookies += "Set-Cookie: a=b\r\n";
  const std::string answers[] = {
      busy + cookies + "Content-Length: 0\r\n\r\n",
      busy + "Content-Length: 999999999999\r\n\r\n" + std::string(100'000, 'x'),
      busy + "Content-Length: 100\r\n\r\nand no more of it",
      busy + "\r\n" + std::string(9'000'000, 'x'),
  };
  FakeServer server([&](FakePeer& peer, int number) {
    peer.request();
    if (number >= 4) {
      peer.accept();
      peer.welcome("e1", 0);
      peer.serve("e1", 0);
      return;
    }
    peer.send_raw(answers[number]);
    peer.fall_silent();
  });
  config.reconnect.first_connect = ReconnectConfig::FirstConnect::wait;
  connect_timeout = Millis(500);
  start(server);
  EXPECT_TRUE(run_until([&] { return recorder.welcomes == 1 || recorder.ended; }));
  EXPECT_FALSE(recorder.ended) << recorder.end_reason;
  ASSERT_EQ(recorder.losses.size(), 4u);
  for (const auto& loss : recorder.losses) {
    EXPECT_EQ(loss.http_status, 503) << loss.what;
    EXPECT_EQ(loss.hint, Millis(0));
  }
}

TEST_F(ClientSession, ReadsNoMoreThanTheBeginningOfARefusal) {
  std::atomic<bool> stopped{false};
  FakeServer server([&](FakePeer& peer, int) {
    peer.request();
    peer.send_raw("HTTP/1.1 400 Bad\r\nContent-Length: 8000000\r\n\r\n");
    try {
      peer.send_raw(std::string(7'900'000, '['));
    } catch (const std::exception&) {
      stopped = true;  // the client went before it had all of it
      throw;
    }
  });
  start(server);
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::protocol);
  EXPECT_NE(recorder.end_reason.find("400"), std::string::npos) << recorder.end_reason;
  EXPECT_TRUE(test::eventually([&] { return stopped.load(); }));
}

TEST_F(ClientSession, SaysWhatTheServerNoLongerKeeps) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    if (number == 0) {
      peer.welcome("e1", 3);
      peer.close(1011);
    } else if (number == 1) {
      peer.welcome("e1", 20, 11, false, 7);
      for (std::uint64_t seq = 11; seq <= 20; ++seq) peer.event(seq);
      peer.serve("e1", 20);
    }
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.caught.size() == 2; }));
  ASSERT_EQ(recorder.gaps.size(), 1u);
  EXPECT_EQ(recorder.gaps[0].cause, Gap::Cause::retention);
  EXPECT_EQ(recorder.gaps[0].lost, 7u);
  EXPECT_EQ(recorder.gaps[0].from.seq, 3u);
  EXPECT_EQ(recorder.seqs.size(), 10u);
}

TEST_F(ClientSession, SaysThatTheLogBeganAnew) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    if (number == 0) {
      peer.welcome("e1", 3);
      peer.close(1011);
      return;
    }
    peer.welcome("e2", 2, 1, false, std::nullopt);
    peer.event(1);
    peer.event(2);
    peer.serve("e2", 2);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.caught.size() == 2; }));
  ASSERT_EQ(recorder.gaps.size(), 1u);
  EXPECT_EQ(recorder.gaps[0].cause, Gap::Cause::new_epoch);
  EXPECT_FALSE(recorder.gaps[0].lost);
  EXPECT_EQ(recorder.seqs, (Seqs{1, 2}));
  EXPECT_EQ(session->tracker().position(), (wire::Position{"e2", 2}));
}

// What ends it

struct EndCase {
  const char* name;
  Errc code;
  const char* says;  // part of the reason
  std::function<void(FakePeer&)> act;
};

class ClientSessionEnds : public ClientSession, public testing::WithParamInterface<EndCase> {};

TEST_P(ClientSessionEnds, ForGood) {
  FakeServer server([](FakePeer& peer, int) { GetParam().act(peer); });
  // Even a client that is told to wait gives up on these.
  config.reconnect.first_connect = ReconnectConfig::FirstConnect::wait;
  start(server);
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, GetParam().code) << recorder.end_reason;
  EXPECT_NE(recorder.end_reason.find(GetParam().says), std::string::npos) << recorder.end_reason;
  EXPECT_EQ(server.connections(), 1);
}

void live_then(FakePeer& peer, const std::function<void()>& act) {
  peer.accept();
  peer.welcome("e1", 0);
  act();
  peer.serve("e1", 0);
}

const EndCase k_ends[] = {
    {"Unauthorized", Errc::not_accepted, "401: no such user",
     [](FakePeer& p) {
       p.refuse(401, {}, R"({"error":"unauthorized","message":"no such user"})");
     }},
    {"Forbidden", Errc::not_accepted, "403", [](FakePeer& p) { p.refuse(403); }},
    {"BadRequest", Errc::protocol, "400", [](FakePeer& p) { p.refuse(400); }},
    {"NotFound", Errc::protocol, "/ws", [](FakePeer& p) { p.refuse(404); }},
    {"UpgradeRequired", Errc::protocol, "426", [](FakePeer& p) { p.refuse(426); }},
    {"Redirect", Errc::protocol, "https://other.example/",
     [](FakePeer& p) {
       p.refuse(302, {{"Location", "https://other.example/"}});
     }},
    {"NoUpgrade", Errc::protocol, "200", [](FakePeer& p) { p.refuse(200, {}, "<html>"); }},
    {"NotHttp", Errc::protocol, "not HTTP",
     [](FakePeer& p) {
       p.request();
       p.send_raw("220 mail.example ESMTP\r\n\r\n");
     }},
    {"FirstFrameNoWelcome", Errc::protocol, "auth.success",
     [](FakePeer& p) {
       p.accept();
       p.event(1);
       p.serve("e1", 0);
     }},
    {"NotJson", Errc::protocol, "no message",
     [](FakePeer& p) { live_then(p, [&] { p.send("hello"); }); }},
    {"HostileEpoch", Errc::protocol, "valid epoch",
     [](FakePeer& p) {
       p.accept();
       p.welcome("a HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /x", 0);
       p.serve("e1", 0);
     }},
    {"HostileEpochInAPong", Errc::protocol, "valid epoch",
     [](FakePeer& p) { live_then(p, [&] { p.send(wire::encode_pong(0, "1", "\x1b[31m", 1)); }); }},
    {"Binary", Errc::protocol, "binary",
     [](FakePeer& p) { live_then(p, [&] { p.send_binary("x"); }); }},
    {"MalformedFrame", Errc::protocol, "broke the WebSocket protocol",
     [](FakePeer& p) { live_then(p, [&] { p.send_raw("\xc1\x01x"); }); }},
    {"PolicyViolation", Errc::protocol, "1008",
     [](FakePeer& p) { live_then(p, [&] { p.close(1008, "no"); }); }},
    {"CredentialsRevoked", Errc::not_accepted, "4001",
     [](FakePeer& p) { live_then(p, [&] { p.close(4001); }); }},
    {"TheServersGoodbye", Errc::connect_failed, "1000",
     [](FakePeer& p) { live_then(p, [&] { p.close(1000); }); }},
};
INSTANTIATE_TEST_SUITE_P(All, ClientSessionEnds, testing::ValuesIn(k_ends),
                         [](const auto& each) { return each.param.name; });

// Certificates

TEST_F(ClientSession, RefusesACertificateNobodyVouchesFor) {
  FakeServer server([](FakePeer& peer, int) { peer.request(); });
  start(server.url(), "");
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::tls);
  for (const std::string& part :
       {std::string("self-signed"), std::string("CN=localhost"), server.pin()})
    EXPECT_NE(recorder.end_reason.find(part), std::string::npos) << recorder.end_reason;
}

TEST_F(ClientSession, RefusesAnotherKeyThanThePinned) {
  FakeServer server([](FakePeer& peer, int) {
    peer.tls();
    ADD_FAILURE_AT(__FILE__, __LINE__) << "credentials reached the wrong server: "
                                       << (peer.request(), peer.header("Authorization"));
  });
  FakeServer other([](FakePeer&, int) {});
  start(server.url(), other.pin());
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::tls);
  EXPECT_NE(recorder.end_reason.find("not the pinned one"), std::string::npos)
      << recorder.end_reason;
}

// Giving up and not giving up

TEST_F(ClientSession, FailsFastAtTheFirstConnect) {
  std::uint16_t port = 0;
  {
    port = FakeServer([](FakePeer&, int) {}).port();
  }
  tls.verify = net::ClientTlsConfig::Verify::none;
  start("wss://127.0.0.1:" + std::to_string(port) + "/ws", "");
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::connect_failed);
  EXPECT_NE(recorder.end_reason.find("Connection refused"), std::string::npos)
      << recorder.end_reason;
  EXPECT_TRUE(recorder.losses.empty());
}

TEST_F(ClientSession, EndsAtTheLossWhenItMayNotReconnect) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    peer.close(1012);
  });
  config.reconnect.afterwards = ReconnectConfig::Afterwards::end;
  start(server);
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::connect_failed);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientSession, GivesUpAfterTheRetriesItMay) {
  FakeServer server([&](FakePeer& peer, int number) {
    if (number > 0) return;
    peer.accept();
    peer.welcome("e1", 0);
    reset_when(peer, [&] { return recorder.welcomes == 1; });
  });
  config.reconnect.max_retries = 2;
  config.reconnect.backoff.base = Millis(10);
  start(server);
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::connect_failed);
  EXPECT_EQ(server.connections(), 3);
  EXPECT_NE(recorder.end_reason.find("gave up after 2 retries"), std::string::npos)
      << recorder.end_reason;
}

TEST_F(ClientSession, GivesUpAnAttemptThatHangs) {
  FakeServer server([](FakePeer& peer, int) { peer.fall_silent(); });  // no TLS ever
  connect_timeout = Millis(200);
  start(server);
  const auto begin = SteadyClock::now();
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::connect_failed);
  EXPECT_NE(recorder.end_reason.find("TLS"), std::string::npos) << recorder.end_reason;
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds(2));
}

// A link that only looks alive

TEST_F(ClientSession, LeavesABlackHoleWhenAnotherWayWorks) {
  FakeServer server([](FakePeer& peer, int number) {
    if (number == 0) {
      peer.accept();
      peer.welcome("e1", 0);
      peer.fall_silent();
    }
    peer.tls();  // the probe goes no further
    peer.accept();
    peer.welcome("e1", 0, 1, true);
    peer.serve("e1", 0);
  });
  config.liveness = {Millis(100), Millis(100), Millis(60'000)};
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 2; }));
  EXPECT_NE(recorder.losses[0].what.find("no answer to a ping"), std::string::npos);
  EXPECT_EQ(server.connections(), 3);  // the link, the probe, the new link
}

TEST_F(ClientSession, LeavesADeadLinkWhenNothingAnswers) {
  FakeServer server([](FakePeer& peer, int number) {
    if (number == 0) {
      peer.accept();
      peer.welcome("e1", 0);
    }
    peer.fall_silent();
  });
  config.liveness = {Millis(100), Millis(100), Millis(500)};
  config.reconnect.afterwards = ReconnectConfig::Afterwards::end;
  start(server);
  ASSERT_TRUE(run_until_end());
  EXPECT_NE(recorder.end_reason.find("no byte for"), std::string::npos) << recorder.end_reason;
}

TEST_F(ClientSession, ComesBackAtOnceWhenTheMachineHasSlept) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    peer.welcome("e1", 0, 1, number > 0);
    peer.serve("e1", 0);
  });
  Millis slept{0};
  config.slept = [&] { return slept; };
  config.liveness.answer_within = Millis(200);  // quick ticks
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 1; }));
  slept = Millis(3'600'000);
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 2; }));
  EXPECT_NE(recorder.losses[0].what.find("slept"), std::string::npos);
}

// The owner's calls

TEST_F(ClientSession, ClosesWith1000) {
  std::atomic<unsigned> code{0};
  FakeServer server([&](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    code = peer.serve("e1", 0);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 1; }));
  session->stop(Millis(5'000));
  ASSERT_TRUE(run_until_end());
  EXPECT_EQ(*recorder.ended, Errc::interrupted);
  EXPECT_TRUE(run_until([&] { return code != 0; }));
  EXPECT_EQ(code, 1000u);
}

TEST_F(ClientSession, ReadsNothingWhileHeldAndLosesNothing) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    for (std::uint64_t seq = 1; seq <= 50; ++seq) peer.event(seq);
    peer.serve("e1", 50);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 1; }));
  session->hold();
  const std::size_t before = recorder.seqs.size();
  EXPECT_FALSE(run_until([&] { return recorder.seqs.size() > before + 1; }, Millis(200)));
  session->release();
  ASSERT_TRUE(run_until([&] { return recorder.seqs.size() == 50; }));
}

TEST_F(ClientSession, DoesNotReconnectWhileHeld) {
  FakeServer server([&](FakePeer& peer, int number) {
    peer.accept();
    peer.welcome("e1", 0, 1, number > 0);
    if (number == 0) reset_when(peer, [&] { return recorder.welcomes == 1; });
    peer.serve("e1", 0);
  });
  config.reconnect.backoff.base = Millis(10);
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.losses.size() == 1; }));
  session->hold();
  session->retry_now();
  EXPECT_FALSE(run_until([&] { return server.connections() > 1; }, Millis(400)));
  session->release();
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 2; }));
}

TEST_F(ClientSession, EndsAWaitWhenAsked) {
  FakeServer server([](FakePeer& peer, int number) {
    peer.accept();
    peer.welcome("e1", 0, 1, number > 0);
    if (number == 0) peer.close(1012, "retry-ms=60000");
    peer.serve("e1", 0);
  });
  start(server);
  ASSERT_TRUE(run_until([&] { return recorder.losses.size() == 1; }));
  session->retry_now();
  ASSERT_TRUE(run_until([&] { return recorder.welcomes == 2; }));
}

}  // namespace
}  // namespace clawws::client
