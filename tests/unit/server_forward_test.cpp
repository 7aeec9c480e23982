#include "clawws/server/forward.hpp"

#include <gtest/gtest.h>

#include <string>

namespace clawws::server {
namespace {

namespace http = boost::beast::http;

http::request<http::buffer_body> request(
    std::initializer_list<std::pair<const char*, const char*>> fields) {
  http::request<http::buffer_body> made(http::verb::get, "/a?b=c", 11);
  for (const auto& [name, value] : fields) made.insert(name, value);
  return made;
}
std::string all(const http::fields& fields, const char* name) {
  std::string out;
  const auto [first, last] = fields.equal_range(name);
  for (auto line = first; line != last; ++line)
    out += (out.empty() ? "" : " | ") + std::string(line->value());
  return out;
}
const ForwardFacts k_stranger{"192.0.2.7", ForwardFacts::Peer::untrusted, "127.0.0.1:3000",
                              "clawws-1"};
const ForwardFacts k_trusted{"10.0.0.1", ForwardFacts::Peer::trusted, "127.0.0.1:3000", "clawws-1"};

TEST(ServerForward, KeepsTheRequestAndItsHost) {
  const auto out = forwarded_request(request({{"Host", "panel.example"},
                                              {"Authorization", "Basic eA=="},
                                              {"Cookie", "a=1"},
                                              {"X-Thing", "1"},
                                              {"x-thing", "2"}}),
                                     k_stranger);
  EXPECT_EQ(out.method_string(), "GET");
  EXPECT_EQ(out.target(), "/a?b=c");
  EXPECT_EQ(out.version(), 11U);
  EXPECT_EQ(all(out, "Host"), "panel.example");
  EXPECT_EQ(all(out, "Authorization"), "Basic eA==") << "the application checks it itself";
  EXPECT_EQ(all(out, "Cookie"), "a=1");
  EXPECT_EQ(all(out, "X-Thing"), "1 | 2");
  EXPECT_EQ(all(out, "Connection"), "");
}

TEST(ServerForward, LeavesBehindWhatBelongsToTheConnection) {
  const auto out = forwarded_request(request({{"Host", "h"},
                                              {"Connection", "keep-alive, X-Mine"},
                                              {"Connection", "x-too"},
                                              {"X-Mine", "1"},
                                              {"X-Too", "1"},
                                              {"Keep-Alive", "timeout=5"},
                                              {"TE", "trailers"},
                                              {"Trailer", "X"},
                                              {"Transfer-Encoding", "chunked"},
                                              {"Proxy-Authorization", "Basic x"},
                                              {"Proxy-Connection", "close"},
                                              {"Upgrade", "h2c"},
                                              {"HTTP2-Settings", "AAM"},
                                              {"Content-Length", "3"},
                                              {"X-Stays", "1"}}),
                                     k_stranger);
  for (const char* gone :
       {"Connection", "X-Mine", "X-Too", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding",
        "Proxy-Authorization", "Proxy-Connection", "Upgrade", "HTTP2-Settings", "Content-Length"}) {
    EXPECT_EQ(out.count(gone), 0U) << gone;
  }
  EXPECT_EQ(all(out, "X-Stays"), "1");
}

TEST(ServerForward, ReplacesWhatAStrangerSaysOfHops) {
  const auto out = forwarded_request(request({{"Host", "panel.example"},
                                              {"X-Forwarded-For", "127.0.0.1"},
                                              {"X-Forwarded-For", "127.0.0.2"},
                                              {"X-Forwarded-Proto", "http"},
                                              {"X-Forwarded-Host", "evil"},
                                              {"X-Forwarded-Port", "1"},
                                              {"Forwarded", "for=127.0.0.1"},
                                              {"X-Real-IP", "127.0.0.1"},
                                              {"x_real_ip", "127.0.0.1"},
                                              {"X_Forwarded_For", "127.0.0.1"},
                                              {"x-forwarded-user", "root"}}),
                                     k_stranger);
  EXPECT_EQ(all(out, "X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(all(out, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(all(out, "X-Forwarded-Host"), "panel.example");
  for (const char* gone : {"Forwarded", "X-Real-IP", "X_Real_IP", "X-Forwarded-Port",
                           "X_Forwarded_For", "X-Forwarded-User"}) {
    EXPECT_EQ(out.count(gone), 0U) << gone;
  }
}

TEST(ServerForward, ContinuesWhatATrustedProxySays) {
  const auto out = forwarded_request(request({{"Host", "inner"},
                                              {"X-Forwarded-For", "192.0.2.7"},
                                              {"X-Forwarded-Proto", "http"},
                                              {"X-Forwarded-Host", "panel.example"},
                                              {"X-Forwarded-Port", "80"},
                                              {"X-Real-IP", "192.0.2.7"},
                                              {"Forwarded", "for=192.0.2.7"}}),
                                     k_trusted);
  EXPECT_EQ(all(out, "X-Forwarded-For"), "192.0.2.7, 10.0.0.1");
  EXPECT_EQ(all(out, "X-Forwarded-Proto"), "http");
  EXPECT_EQ(all(out, "X-Forwarded-Host"), "panel.example");
  EXPECT_EQ(all(out, "X-Forwarded-Port"), "80");
  EXPECT_EQ(all(out, "X-Real-IP"), "192.0.2.7");
  EXPECT_EQ(all(out, "Forwarded"), "") << "one account of the hops is enough";
}

TEST(ServerForward, ViaIsContinuedAndTellsWhetherARequestGoesRound) {
  const auto first = request({{"Host", "h"}});
  EXPECT_FALSE(came_through(first, "clawws-1"));
  EXPECT_EQ(all(forwarded_request(first, k_stranger), "Via"), "1.1 clawws-1");
  auto old = first;
  old.version(10);
  EXPECT_EQ(all(forwarded_request(old, k_stranger), "Via"), "1.0 clawws-1");

  const auto later = request({{"Host", "h"}, {"Via", "1.0 fred"}, {"Via", "HTTP/2 b.example (x)"}});
  EXPECT_FALSE(came_through(later, "clawws-1"));
  EXPECT_EQ(all(forwarded_request(later, k_stranger), "Via"),
            "1.0 fred, HTTP/2 b.example (x), 1.1 clawws-1");

  for (const char* via : {"1.1 clawws-1", "1.0 fred,1.1  clawws-1 (here)", "2 b, 1.1\tclawws-1\t, 1 c"})
    EXPECT_TRUE(came_through(request({{"Via", "1.1 a"}, {"Via", via}}), "clawws-1")) << via;
  for (const char* via : {"", ",", "clawws-1", "1.1 clawws-10", "1.1 x (clawws-1)"})
    EXPECT_FALSE(came_through(request({{"Via", via}}), "clawws-1")) << via;
}

TEST(ServerForward, AConnectionFieldTakesNothingOfOursAway) {
  const auto out = forwarded_request(
      request({{"Host", "h"},
               {"Via", "1.1 clawws-2"},
               {"Connection", "Host, Via, X-Forwarded-For, X-Forwarded-Proto, Content-Length"}}),
      k_stranger);
  EXPECT_EQ(all(out, "Host"), "h");
  EXPECT_EQ(all(out, "X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(all(out, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(all(out, "Via"), "1.1 clawws-2, 1.1 clawws-1");
}

TEST(ServerForward, OnlyAWebSocketIsEverOffered) {
  const auto socket = request({{"Host", "h"},
                               {"Connection", "keep-alive, Upgrade"},
                               {"Upgrade", "WebSocket"},
                               {"Sec-WebSocket-Protocol", "a"}});
  EXPECT_TRUE(asks_for_websocket(socket));
  EXPECT_EQ(all(forwarded_request(socket, k_stranger), "Upgrade"), "websocket");
  EXPECT_EQ(all(forwarded_request(socket, k_stranger), "Connection"), "Upgrade");
  EXPECT_EQ(all(forwarded_request(socket, k_stranger), "Sec-WebSocket-Protocol"), "a");

  auto h2c = request({{"Host", "h"}, {"Connection", "Upgrade"}, {"Upgrade", "h2c"}});
  EXPECT_FALSE(asks_for_websocket(h2c));
  auto old = socket;
  old.version(10);
  EXPECT_FALSE(asks_for_websocket(old));
  auto post = socket;
  post.method(http::verb::post);
  EXPECT_FALSE(asks_for_websocket(post));
  EXPECT_FALSE(asks_for_websocket(request({{"Host", "h"}, {"Upgrade", "websocket"}})));
}

TEST(ServerForward, AnHttp10RequestGetsAHostAndNoExpectation) {
  auto old = request({{"Expect", "100-continue"}});
  old.version(10);
  const auto out = forwarded_request(old, k_stranger);
  EXPECT_EQ(all(out, "Host"), "127.0.0.1:3000");
  EXPECT_EQ(out.count("Expect"), 0U);
  EXPECT_EQ(out.version(), 11U);
}

http::response<http::buffer_body> answer(
    unsigned status, std::initializer_list<std::pair<const char*, const char*>> fields) {
  http::response<http::buffer_body> made;
  made.version(11);
  made.result(status);
  for (const auto& [name, value] : fields) made.insert(name, value);
  return made;
}

TEST(ServerForward, TheAnswerKeepsStatusReasonAndFields) {
  auto from = answer(299, {{"Set-Cookie", "a=1"},
                           {"Set-Cookie", "b=2"},
                           {"Connection", "close, X-Gone"},
                           {"X-Gone", "1"},
                           {"Keep-Alive", "timeout=5"},
                           {"Transfer-Encoding", "chunked"},
                           {"ETag", "\"x\""}});
  from.reason("Quite Fine");
  const auto out = returned_answer(from, 10, ServerConfig::Hsts::off);
  EXPECT_EQ(out.result_int(), 299U);
  EXPECT_EQ(out.reason(), "Quite Fine");
  EXPECT_EQ(out.version(), 10U);
  EXPECT_EQ(all(out, "Set-Cookie"), "a=1 | b=2");
  EXPECT_EQ(all(out, "ETag"), "\"x\"");
  EXPECT_EQ(out.count("Connection") + out.count("X-Gone") + out.count("Keep-Alive") +
                out.count("Transfer-Encoding"),
            0U);
}

TEST(ServerForward, HstsIsAddedOnlyWhereTheApplicationSaysNothing) {
  EXPECT_EQ(all(returned_answer(answer(200, {}), 11, ServerConfig::Hsts::on),
                "Strict-Transport-Security"),
            "max-age=31536000");
  EXPECT_EQ(all(returned_answer(answer(200, {}), 11, ServerConfig::Hsts::off),
                "Strict-Transport-Security"),
            "");
  EXPECT_EQ(all(returned_answer(answer(200, {{"Strict-Transport-Security", "max-age=1"}}), 11,
                                ServerConfig::Hsts::on),
                "Strict-Transport-Security"),
            "max-age=1");
}

TEST(ServerForward, WhatCanBeReadInTwoWaysIsNoAnswer) {
  EXPECT_TRUE(is_clearly_framed(answer(200, {})));
  EXPECT_TRUE(is_clearly_framed(answer(200, {{"Transfer-Encoding", "Chunked"}})));
  EXPECT_FALSE(is_clearly_framed(answer(200, {{"Transfer-Encoding", "gzip"}})));
  EXPECT_FALSE(is_clearly_framed(answer(200, {{"Transfer-Encoding", "gzip, chunked"}})));
  EXPECT_FALSE(is_clearly_framed(
      answer(200, {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}})));
  EXPECT_FALSE(
      is_clearly_framed(answer(200, {{"Transfer-Encoding", "chunked"}, {"Content-Length", "1"}})));
}

}  // namespace
}  // namespace clawws::server
