// How a client::Session ends: what is final, what is given up, and with which error.
#include "client_session_fixture.hpp"

namespace clawws::client {
namespace {

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

}  // namespace
}  // namespace clawws::client
