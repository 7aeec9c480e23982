// client::Session over real TLS against a server that misbehaves: what is resumed, what is retried,
// what ends it, and with which error.
#include "client_session_fixture.hpp"

namespace clawws::client {
namespace {

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

// The local server may have begun between the look at its record and the handshake.
TEST_F(ClientSession, ACertificateThatAnotherLookWouldTrustIsNotTheEnd) {
  FakeServer server([](FakePeer& peer, int) {
    peer.accept();
    peer.welcome("e1", 0);
    peer.serve("e1", 0);
  });
  const auto wrong = target_of(server.url(), "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  const auto right = target_of(server.url(), server.pin());
  for (const bool outdated : {false, true}) {
    recorder.welcomes = 0;
    recorder.ended.reset();
    int attempts = 0;
    config.reconnect.first_connect = ReconnectConfig::FirstConnect::wait;
    config.prepare = [&]() -> base::Result<Attempt> {
      return Attempt{++attempts == 1 ? wrong : right, "Basic eA==", "", "", [outdated] { return outdated; }};
    };
    begin();
    ASSERT_TRUE(run_until([&] { return recorder.welcomes == 1 || recorder.ended; }));
    EXPECT_EQ(recorder.ended.has_value(), !outdated) << recorder.end_reason;
    session.reset();
  }
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
