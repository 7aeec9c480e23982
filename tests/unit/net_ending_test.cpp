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
  EXPECT_EQ(close_ending(1013, "full retry-ms=7").what, "the server is overloaded (1013: full)");
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
