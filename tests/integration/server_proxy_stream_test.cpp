// Large and slow bodies through --upstream: what one side does not take, the other is not asked
// for.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support/proxied_server.hpp"

namespace clawws::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr std::size_t k_large = 512u << 20;
// What the kernel's buffers of four sockets may hold, and far less than the bodies here.
constexpr std::size_t k_held_at_most = 48u << 20;

// A byte that depends on its place, so that nothing is lost, doubled or moved.
char byte_at(std::size_t place) {
  return static_cast<char>('a' + (place * 7 + place / 251) % 26);
}
std::string piece_at(std::size_t place, std::size_t size) {
  std::string piece(size, '\0');
  for (std::size_t i = 0; i < size; ++i) piece[i] = byte_at(place + i);
  return piece;
}

TEST(ServerProxyStream, WhatTheClientDoesNotReadIsNotTakenFromTheApplication) {
  std::atomic<std::size_t> given{0};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(k_large) + "\r\n\r\n");
    const std::string piece(64 * 1024, 'x');
    while (given < k_large && peer.send(piece)) given += piece.size();
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send(ProxiedServer::get("/large"));
  ASSERT_TRUE(client->read_answer(k_patience, RawPeer::Body::none));
  // Until nothing moves any more.
  std::size_t before = 1;
  while (before != given) {
    before = given;
    eventually([&] { return given != before; }, 500ms);
  }
  EXPECT_LT(given, k_held_at_most);
  EXPECT_GT(given, 0U);
}

TEST(ServerProxyStream, WhatTheApplicationDoesNotReadIsNotTakenFromTheClient) {
  std::atomic<bool> enough{false};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_head();
    eventually([&] { return enough.load(); });
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(k_large) +
               "\r\n\r\n");
  const std::string piece(16 * 1024, 'x');
  std::size_t taken = 0;
  while (taken < k_large && client->send(piece, 500ms)) taken += piece.size();
  EXPECT_LT(taken, k_held_at_most);
  enough = true;
}

TEST(ServerProxyStream, LargeBodiesArriveByteForByteBothWaysAtOnce) {
  constexpr std::size_t k_size = 24u << 20;
  // Echoes as it reads: an answer that begins before its request has ended.
  RawUpstream app([](UpstreamPeer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::size_t seen = 0;
    while (seen < k_size) {
      const std::string piece = peer.read_some();
      if (piece.empty()) return;
      seen += piece.size();
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      if (!peer.send(size + piece + "\r\n")) return;
    }
    peer.send("0\r\n\r\n");
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send("PUT /large HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(k_size) +
               "\r\n\r\n");
  std::string got;
  std::size_t sent = 0, checked = 0;
  // Chunks of the answer, joined; the last one is empty.
  const auto take = [&] {
    for (;;) {
      const std::size_t line = got.find("\r\n");
      if (line == std::string::npos) return false;
      const std::size_t size = std::strtoul(got.c_str(), nullptr, 16);
      if (got.size() < line + 2 + size + 2) return false;
      if (size == 0) return true;
      EXPECT_EQ(got.compare(line + 2, size, piece_at(checked, size)), 0) << checked;
      checked += size;
      got.erase(0, line + 2 + size + 2);
    }
  };
  ASSERT_TRUE(client->read_answer(k_patience, RawPeer::Body::none));
  bool ended = false;
  while (!ended && client->end() == End::open) {
    // Both sides keep moving: a piece up, and all that has come down.
    if (sent < k_size) {
      const std::size_t size = std::min<std::size_t>(32 * 1024, k_size - sent);
      if (!client->send(piece_at(sent, size))) break;
      sent += size;
    }
    for (std::string more = client->read_some(sent < k_size ? 1ms : RawPeer::Millis(k_patience));
         !more.empty(); more = client->read_some(0ms)) {
      got += more;
    }
    ended = take();
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(checked, k_size);
}

TEST(ServerProxyStream, ABodyOverTheOwnLimitIsNoneForTheApplication) {
  RawUpstream app(
      [](const SeenRequest& request) { return ok(std::to_string(request.body.size())); });
  ProxiedServer server(app.url(),
                       [](server::ServerConfig& config) { config.max_body_bytes = 64 * 1024; });
  const auto client = server.client();
  const std::string body(3u << 20, 'b');
  client->send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body);
  EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).body, std::to_string(body.size()));
}

TEST(ServerProxyStream, ADribbledBodyIs408) {
  RawUpstream app([](UpstreamPeer& peer, int) { peer.read_request(); });
  ProxiedServer server(app.url(),
                       [](server::ServerConfig& config) { config.body_timeout = 500ms; });
  const auto client = server.client();
  client->send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  std::string answer;
  for (int i = 0; i < 400 && answer.empty() && client->end() == End::open; ++i) {
    client->send("x");
    answer = client->read_some(20ms);  // a byte each 20 ms: something always moves
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
  EXPECT_NE(client->wait_end(), End::open);
}

TEST(ServerProxyStream, AClientThatStopsReadingIsCutOff) {
  std::atomic<bool> ended{false};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(k_large) + "\r\n\r\n");
    const std::string piece(64 * 1024, 'x');
    while (peer.send(piece)) {
    }
    ended = true;
  });
  ProxiedServer server(app.url(),
                       [](server::ServerConfig& config) { config.body_timeout = 400ms; });
  PeerOptions small;
  small.receive_buffer_bytes = 8 * 1024;
  const auto client = server.client(small);
  client->send(ProxiedServer::get("/large"));
  ASSERT_TRUE(client->read_answer(k_patience, RawPeer::Body::none));
  EXPECT_TRUE(eventually([&] { return ended.load(); }))
      << "and the application's answer is given up";
}

TEST(ServerProxyStream, AnApplicationThatPausesInItsAnswerIsCutOff) {
  RawUpstream app([](UpstreamPeer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    peer.wait_end();
  });
  ProxiedServer server(app.url(),
                       [](server::ServerConfig& config) { config.upstream_timeout = 300ms; });
  const auto client = server.client();
  client->send(ProxiedServer::get("/"));
  EXPECT_FALSE(client->read_answer());
  EXPECT_NE(client->end(), End::open);
  EXPECT_NE(client->end(), End::close_notify) << "it can be seen that something is missing";
}

TEST(ServerProxyStream, AStopLeavesNothingHanging) {
  std::atomic<int> asked{0};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_head();
    ++asked;
    peer.wait_end();
  });
  std::optional<ProxiedServer> server;
  server.emplace(app.url(), [](server::ServerConfig& config) { config.drain = 300ms; });
  const auto waits = server->client();
  waits->send(ProxiedServer::get("/"));
  const auto uploads = server->client();
  uploads->send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n12345");
  EXPECT_TRUE(eventually([&] { return asked == 2; }));
  server.reset();
  EXPECT_NE(waits->wait_end(), End::open);
  EXPECT_NE(uploads->wait_end(), End::open);
}

}  // namespace
}  // namespace clawws::test
