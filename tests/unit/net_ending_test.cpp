#include "clawws/net/ending.hpp"

#include <gtest/gtest.h>

namespace clawws::net {
namespace {

using base::Errc;
using base::Millis;

Ending answered(int status, std::string_view retry_after = "") {
  return http_ending({status, retry_after, "", "", 0});
}

TEST(NetEnding, SortsHttpStatuses) {
  for (const int status : {400, 401, 403, 404, 426, 301, 302, 307, 200, 405, 418})
    EXPECT_EQ(answered(status).again, Again::never) << status;
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 507})
    EXPECT_EQ(answered(status).again, Again::backoff) << status;
  EXPECT_EQ(answered(401).code, Errc::not_accepted);
  EXPECT_EQ(answered(403).code, Errc::not_accepted);
  EXPECT_EQ(answered(404).code, Errc::protocol);
  EXPECT_EQ(answered(503).code, Errc::connect_failed);
  EXPECT_EQ(answered(503).http_status, 503);
}

TEST(NetEnding, SortsCloseCodes) {
  for (const int code : {1000, 1002, 1003, 1007, 1008, 1009, 1010, 4001})
    EXPECT_EQ(close_ending(static_cast<std::uint16_t>(code), "").again, Again::never) << code;
  for (const int code : {1001, 1005, 1006, 1011, 1012, 1013, 1014, 4008, 4999})
    EXPECT_EQ(close_ending(static_cast<std::uint16_t>(code), "").again, Again::backoff) << code;
  EXPECT_EQ(close_ending(4001, "").code, Errc::not_accepted);
  EXPECT_EQ(close_ending(1008, "").code, Errc::protocol);
}

TEST(NetEnding, SaysWhatACloseCodeMeans) {
  EXPECT_EQ(close_ending(1012, "retry-ms=0").what, "the server restarts (1012)");
  EXPECT_EQ(close_ending(1013, "full retry-ms=7").what, "the server cannot serve this now (1013: full)");
  EXPECT_EQ(close_ending(4001, "").what,
            "the credentials were revoked, changed or have expired (4001)");
  EXPECT_EQ(close_ending(4008, "k3f9c2a1:8812").what,
            "this client read too slowly (4008: k3f9c2a1:8812)");
  EXPECT_EQ(close_ending(1001, "").what, "the server goes away (1001)");
  EXPECT_EQ(close_ending(1005, "").what, "closed by the server (1005)");
  for (const int code : {1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011})
    EXPECT_EQ(close_ending(static_cast<std::uint16_t>(code), "").what.find("the server "), 0u)
        << code;
}

TEST(NetEnding, TakesTheServersHints) {
  EXPECT_EQ(close_ending(1012, "restart retry-ms=1500").hint, Millis(1500));
  EXPECT_EQ(close_ending(1013, "retry-ms=7;overload").hint, Millis(7));
  EXPECT_EQ(close_ending(1012, "retry-ms=").hint, std::nullopt);
  EXPECT_EQ(close_ending(1012, "no-retry-ms=5").hint, std::nullopt);
  EXPECT_EQ(answered(503, "3").hint, Millis(3000));
  EXPECT_EQ(answered(503).hint, std::nullopt);
}

TEST(NetEnding, ReadsRetryAfter) {
  EXPECT_EQ(parse_retry_after(" 120 ", 0), Millis(120'000));
  EXPECT_EQ(parse_retry_after("-1", 0), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", 0), std::nullopt);
  const std::int64_t at = 784'111'777'000;  // the date below
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", at - 5'000), Millis(5'000));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", at + 5'000), Millis(0));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 CET", at), std::nullopt);
}

TEST(NetEnding, KnowsAnAnswerByItsBeginning) {
  const auto busy = answer_ending(
      "HTTP/1.1 503 Busy\r\nA: b\r\nretry-after:  3 \r\nContent-Length: 99\r\n\r\nab", 0);
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->again, Again::backoff);
  EXPECT_EQ(busy->http_status, 503);
  EXPECT_EQ(busy->hint, Millis(3000));
  const auto refused = answer_ending("HTTP/1.0 401\r\n\r\n{\"message\":\"no\"}", 0);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, Errc::not_accepted);
  EXPECT_NE(refused->what.find("401: no"), std::string::npos) << refused->what;
}

TEST(NetEnding, AHeadTooLongToReadStillHasItsStatus) {
  std::string head = "HTTP/1.1 502 Bad\r\nRetry-After: 7\r\n";
  while (head.size() < k_longest_head_bytes - 100) head += "Set-Cookie: a=b\r\n";
  EXPECT_FALSE(answer_ending(head, 0));  // more of it may come
  head += "X: " + std::string(100, 'x');
  const auto ending = answer_ending(head, 0);
  ASSERT_TRUE(ending);
  EXPECT_EQ(ending->http_status, 502);
  EXPECT_EQ(ending->hint, Millis(7000));
  EXPECT_TRUE(answer_ending("HTTP/1.1 500 " + std::string(9000, 'x'), 0));
}

TEST(NetEnding, WhatIsNoAnswerSaysNothing) {
  for (const char* bytes :
       {"", "220 mail\r\n\r\n", "HTTP/2.0 503 x\r\n\r\n", "HTTP/1.1 503", "HTTP/1.1 5x3 a\r\n\r\n",
        "HTTP/1.1 5030 a\r\n\r\n", "HTTP/1.1 099 a\r\n\r\n", "HTTP/1.1 503 a\r\nA: b\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n"})
    EXPECT_FALSE(answer_ending(bytes, 0)) << bytes;
  EXPECT_TRUE(is_upgrade("HTTP/1.1 101 Switching\r\n"));
  EXPECT_FALSE(is_upgrade("HTTP/1.1 503 Busy\r\n"));
}

TEST(NetEnding, LooksAtTheBeginningOfABodyOnly) {
  const std::string words = R"({"message":"no"})";
  EXPECT_NE(http_ending({400, "", "", words, 0}).what.find("no"), std::string::npos);
  const std::string padded = words + std::string(k_longest_body_bytes, ' ') + "x";
  EXPECT_NE(http_ending({400, "", "", padded, 0}).what.find("400: no"), std::string::npos);
}

TEST(NetEnding, NoPeerSendsAClientAwayForGood) {
  EXPECT_EQ(parse_retry_after("99999999999999999999999", 0), Millis(600'000));
  EXPECT_EQ(parse_retry_after("86400", 0), Millis(600'000));
  EXPECT_EQ(retry_hint("retry-ms=18446744073709551615"), Millis(600'000));
}

TEST(NetEnding, QuotesPeersHarmlessly) {
  const Ending closed = close_ending(1011, "\x1b[2Jgone\xe2\x80\xae");
  EXPECT_EQ(closed.what.find('\x1b'), std::string::npos);
  EXPECT_NE(closed.what.find("\\x1b[2Jgone\\u202e"), std::string::npos) << closed.what;
  const Ending refused = http_ending({401, "", "", R"({"message":"bad\u001b[31m"})", 0});
  EXPECT_EQ(refused.what.find('\x1b'), std::string::npos);
  const Ending long_one =
      http_ending({503, "", "", "{\"message\":\"" + std::string(5000, 'x') + "\"}", 0});
  EXPECT_LT(long_one.what.size(), 400u);
}

}  // namespace
}  // namespace clawws::net
