#include "clawws/server/credentials.hpp"

#include <gtest/gtest.h>

#include <string>

#include "clawws/base/text.hpp"

namespace clawws::server {
namespace {

using Kind = Presented::Kind;
using Answer = Subprotocol::Answer;
using namespace std::string_literals;

std::string plain(std::string_view pair) {
  return base::base64_encode(pair);
}
std::string url(std::string_view pair) {
  return base::base64_encode(pair, base::Base64::url);
}

Presented from_authorization(const std::string& value) {
  return credentials_from(std::nullopt, value);
}
Presented from_subprotocols(const std::string& value) {
  return credentials_from(value, std::nullopt);
}

void expect_basic(const Presented& presented, const std::string& user,
                  const std::string& password) {
  EXPECT_EQ(presented.kind, Kind::basic);
  EXPECT_EQ(presented.user, user);
  EXPECT_EQ(presented.password_or_token, password);
}

TEST(ServerCredentials, NothingGiven) {
  EXPECT_EQ(credentials_from(std::nullopt, std::nullopt).kind, Kind::none);
  EXPECT_EQ(from_subprotocols("clawws.v1").kind, Kind::none);
  EXPECT_EQ(from_subprotocols("clawpanel").kind, Kind::none);
  EXPECT_EQ(from_subprotocols("clawpanel, clawws.v1").kind, Kind::none);
  EXPECT_EQ(from_subprotocols(plain("admin:secret1")).kind, Kind::none)
      << "without clawpanel before it, it is an unknown subprotocol";
}

TEST(ServerCredentials, Basic) {
  expect_basic(from_authorization("Basic " + plain("admin:changeme")), "admin", "changeme");
  expect_basic(from_authorization("bAsIc   " + url("admin:changeme") + "  "), "admin", "changeme");
  expect_basic(from_authorization("Basic " + plain("admin:a:b:")), "admin", "a:b:");
  expect_basic(from_authorization("Basic " + plain("\xc3\xa9va:p\xc3\xa4ss")), "\xc3\xa9va",
               "p\xc3\xa4ss");
  expect_basic(from_authorization("Basic " + plain("admin:")), "admin", "");
}

TEST(ServerCredentials, MalformedAuthorization) {
  for (const std::string& value :
       {""s, "Basic"s, "Basic "s, "Basic !!!!"s, "Basic " + plain("no colon"),
        "Basic " + plain("admin:a\0b"s), "Basic " + plain("a\0b:c"s), "Digest username=x"s,
        "Bearer"s, "Bearer "s, "Bearer a b"s, "Bearer ==="s, "Bearer a=b"s,
        plain("admin:changeme")}) {
    EXPECT_EQ(from_authorization(value).kind, Kind::malformed) << value;
  }
}

TEST(ServerCredentials, Bearer) {
  const Presented presented = from_authorization("bearer abc-._~+/123==");
  EXPECT_EQ(presented.kind, Kind::bearer);
  EXPECT_EQ(presented.password_or_token, "abc-._~+/123==");
  EXPECT_EQ(presented.user, "");
}

TEST(ServerCredentials, SubprotocolInEveryBase64) {
  // 0xff makes '/' in the plain alphabet and '_' in the other.
  for (const std::string& pair :
       {"admin:changeme"s, "admin:secret12"s, "u:\xff\xff\xff"s, "a:b:c"s}) {
    const auto colon = pair.find(':');
    const std::string user = pair.substr(0, colon);
    const std::string password = pair.substr(colon + 1);
    std::string unpadded = plain(pair);
    unpadded.erase(unpadded.find_last_not_of('=') + 1);
    expect_basic(from_subprotocols("clawpanel, " + plain(pair)), user, password);
    expect_basic(from_subprotocols("clawpanel," + unpadded), user, password);
    expect_basic(from_subprotocols("clawpanel , " + url(pair)), user, password);
    expect_basic(from_subprotocols("clawws.v1, clawpanel, " + url(pair)), user, password);
    expect_basic(from_subprotocols("clawpanel, clawws.v1,, " + url(pair)), user, password);
  }
  EXPECT_EQ(from_subprotocols("clawpanel, chat").kind, Kind::malformed);
  EXPECT_EQ(from_subprotocols("clawpanel, " + plain("a:\0"s)).kind, Kind::malformed);
}

TEST(ServerCredentials, TheSubprotocolDecidesBeforeAuthorization) {
  const std::string good = "Basic " + plain("bob:two");
  expect_basic(credentials_from("clawpanel, " + url("admin:one"), good), "admin", "one");
  EXPECT_EQ(credentials_from("clawpanel, nonsense!", good).kind, Kind::malformed);
  expect_basic(credentials_from("clawpanel", good), "bob", "two");
  expect_basic(credentials_from(plain("admin:one"), good), "bob", "two");
}

TEST(ServerCredentials, NegotiatesTheFirstKnownName) {
  EXPECT_EQ(negotiate_subprotocol(std::nullopt).answer, Answer::none);
  EXPECT_EQ(negotiate_subprotocol("").answer, Answer::none);
  EXPECT_EQ(negotiate_subprotocol(" , ,,").answer, Answer::none);
  EXPECT_EQ(negotiate_subprotocol("clawws.v1").answer, Answer::clawws_v1);
  EXPECT_EQ(negotiate_subprotocol("clawpanel, " + plain("admin:changeme")).answer,
            Answer::clawpanel);
  EXPECT_EQ(negotiate_subprotocol("clawws.v1, clawpanel, x").answer, Answer::clawws_v1);
  EXPECT_EQ(negotiate_subprotocol("chat, clawws.v1").answer, Answer::clawws_v1);
  EXPECT_EQ(negotiate_subprotocol("Clawpanel").answer, Answer::refuse);
}

TEST(ServerCredentials, NeverEchoesWhatItDoesNotKnow) {
  const std::string secret = plain("admin:changeme");
  for (const std::string& offer : {secret, secret + ", chat", "chat"s}) {
    const Subprotocol subprotocol = negotiate_subprotocol(offer);
    EXPECT_EQ(subprotocol.answer, Answer::refuse);
    EXPECT_EQ(subprotocol.name(), "");
  }
  EXPECT_EQ(negotiate_subprotocol("clawpanel, " + secret).name(), "clawpanel");
  EXPECT_EQ(negotiate_subprotocol("clawws.v1").name(), "clawws.v1");
  EXPECT_EQ(Subprotocol{}.name(), "");
}

}  // namespace
}  // namespace clawws::server
