// WebSockets of the application, through --upstream.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support/proxied_server.hpp"
#include "support/ws_bytes.hpp"

namespace clawws::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string k_accepts =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: app\r\n\r\n";

TEST(ServerProxyTunnel, BytesPassAsTheyAreBothWays) {
  std::string head;
  std::atomic<bool> ended{false};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    head = peer.read_head().value_or("");
    peer.send(k_accepts + "first words");  // with the answer, in one piece
    for (;;) {
      const std::string bytes = peer.read_some();
      if (bytes.empty()) break;
      peer.send(bytes);
    }
    ended = true;
  });
  ProxiedServer server(app.url(), [](server::ServerConfig& config) {
    config.body_timeout = config.upstream_timeout = 300ms;  // neither ends a tunnel that is silent
  });
  auto client = server.client();
  client->send(
      upgrade_request("Sec-WebSocket-Protocol: app\r\n" + basic("a:b"), "/socket.io/?x=1"));
  const HttpAnswer answer =
      client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{});
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.field("Sec-WebSocket-Protocol"), "app");
  EXPECT_EQ(client->read_some(), "first words");
  EXPECT_NE(head.find("Upgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(head.find("Connection: Upgrade\r\n"), std::string::npos);
  EXPECT_NE(head.find("Sec-WebSocket-Key: "), std::string::npos);
  EXPECT_NE(head.find("X-Forwarded-For: 127.0.0.1\r\n"), std::string::npos);
  EXPECT_NE(head.find(basic("a:b")), std::string::npos);

  EXPECT_EQ(client->read_some(1200ms), "") << "it may be silent";
  std::string sent, got;
  for (int i = 0; i < 200; ++i) {
    const std::string piece(1 + static_cast<std::size_t>(i) * 97, static_cast<char>('a' + i % 26));
    sent += piece;
    ASSERT_TRUE(client->send(piece));
    got += client->read_some(1ms);
  }
  while (got.size() < sent.size() && client->end() == End::open) got += client->read_some();
  EXPECT_TRUE(got == sent);
  EXPECT_EQ(server->counters().requests_running, 0U) << "a stop would not wait for it";

  client->send_close_notify();
  client.reset();
  EXPECT_TRUE(eventually([&] { return ended.load(); })) << "the client's end is the tunnel's";
}

TEST(ServerProxyTunnel, TheApplicationsEndIsTheClients) {
  RawUpstream app([](UpstreamPeer& peer, int) {
    peer.read_head();
    peer.send(k_accepts + "last words");
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send(upgrade_request("", "/live"));
  EXPECT_EQ(client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{}).status,
            101);
  EXPECT_EQ(client->read_some(), "last words");
  EXPECT_EQ(client->wait_end(), End::close_notify);
}

TEST(ServerProxyTunnel, AnUpgradeTakesNoConnectionThatMayBeClosing) {
  RawUpstream app([](UpstreamPeer& peer, int number) {
    if (number == 0) {
      peer.read_request();
      peer.send(ok("x"));
      peer.read_head();  // and ends under it
      return;
    }
    peer.read_head();
    peer.send(k_accepts);
    peer.wait_end();
  });
  ProxiedServer server(app.url());
  EXPECT_EQ(server.request(ProxiedServer::get("/")).status, 200);
  const auto client = server.client();
  client->send(upgrade_request("", "/live"));
  EXPECT_EQ(client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{}).status,
            101);
}

TEST(ServerProxyTunnel, WhatFollowsARefusedUpgradeIsNoRequest) {
  RawUpstream app([](const SeenRequest&) {
    return "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno"s;
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send(upgrade_request("", "/live") + ProxiedServer::get("/smuggled"));
  EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).status, 426);
  EXPECT_NE(client->wait_end(), End::open);
  EXPECT_EQ(app.requests().size(), 1U);
}

TEST(ServerProxyTunnel, WhatFollowsAnUpgradeWaitsForItsAnswer) {
  std::atomic<bool> early{false};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_head();
    early = eventually(
        [&] {
          char byte;
          return ::recv(peer.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
        },
        300ms);
    peer.send(k_accepts);
    peer.send("got " + peer.read_some());
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send(upgrade_request("", "/live") + "frames");
  EXPECT_EQ(client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{}).status,
            101);
  EXPECT_EQ(client->read_some(), "got frames");
  EXPECT_FALSE(early);
}

TEST(ServerProxyTunnel, NoOtherProtocolIsOffered) {
  RawUpstream app([](const SeenRequest& request) {
    return ok(request.field("Upgrade") + request.field("HTTP2-Settings"));
  });
  ProxiedServer server(app.url());
  const HttpAnswer answer =
      server.request(ProxiedServer::get("/",
                                        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                                        "h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

TEST(ServerProxyTunnel, OneThatDoesNotReadHoldsTheOtherBack) {
  std::atomic<std::size_t> given{0};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_head();
    peer.send(k_accepts);
    const std::string piece(64 * 1024, 'x');
    while (given < (256u << 20) && peer.send(piece)) given += piece.size();
  });
  ProxiedServer server(app.url(), [](server::ServerConfig& config) { config.body_timeout = 1s; });
  const auto client = server.client();
  client->send(upgrade_request("", "/live"));
  EXPECT_EQ(client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{}).status,
            101);
  EXPECT_TRUE(eventually([&] { return server->counters().connections_open == 0; }))
      << "and is cut off in the end";
  EXPECT_LT(given, 48u << 20);
}

}  // namespace
}  // namespace clawws::test
