#include "clawws/net/url.hpp"

#include <gtest/gtest.h>

namespace clawws::net {
namespace {

using base::Errc;

TEST(NetUrl, ItsPartsAndItsText) {
  const auto url = parse_url("wss://panel.example:8443/ws?types=a.b&last=5");
  ASSERT_TRUE(url.has_value()) << url.error().message();
  EXPECT_EQ(url->scheme, "wss");
  EXPECT_EQ(url->host, "panel.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/ws");
  EXPECT_EQ(url->query, "types=a.b&last=5");
  EXPECT_EQ(url->authority(), "panel.example:8443");
  EXPECT_EQ(url->target(), "/ws?types=a.b&last=5");
  EXPECT_EQ(url->text(), "wss://panel.example:8443/ws?types=a.b&last=5");
}

TEST(NetUrl, WhatIsLeftOutHasADefault) {
  const struct {
    const char* text;
    int port;
    const char* again;
  } cases[] = {{"wss://h", 443, "wss://h/"},       {"https://h/", 443, "https://h/"},
               {"ws://h", 80, "ws://h/"},          {"http://h:80/a", 80, "http://h/a"},
               {"WSS://h:443", 443, "wss://h/"},   {"wss://h?a=b", 443, "wss://h/?a=b"},
               {"wss://h:80/", 80, "wss://h:80/"}, {"wss://h/?", 443, "wss://h/"}};
  for (const auto& one : cases) {
    const auto url = parse_url(one.text);
    ASSERT_TRUE(url.has_value()) << one.text;
    EXPECT_EQ(url->port, one.port) << one.text;
    EXPECT_EQ(url->text(), one.again) << one.text;
  }
}

TEST(NetUrl, AddressesOfVersionSixStandInBrackets) {
  const auto url = parse_url("wss://[::1]:8443/ws");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority(), "[::1]:8443");
  EXPECT_EQ(parse_url("https://[2001:db8::5]")->authority(), "[2001:db8::5]");
  EXPECT_FALSE(parse_url("wss://::1/ws").has_value());
  EXPECT_FALSE(parse_url("wss://[::1/ws").has_value());
  EXPECT_FALSE(parse_url("wss://[::1]8443").has_value());
  EXPECT_FALSE(parse_url("wss://[]/").has_value());
}

TEST(NetUrl, OthersAreRefused) {
  for (const char* const bad : {"",
                                "h",
                                "h:8443",
                                "//h",
                                "ftp://h",
                                "wss:/h",
                                "wss://",
                                "wss:///ws",
                                "wss://h:",
                                "wss://h:0",
                                "wss://h:65536",
                                "wss://h:8443x",
                                "wss://h:-1",
                                "wss://h h",
                                "wss://h/a b",
                                "wss://h/\n",
                                "wss://h/\x7f",
                                "wss://h#a",
                                "wss://h/a#b",
                                "wss://h\"",
                                "wss://h\\a",
                                "wss://h<"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url.has_value()) << bad;
    EXPECT_EQ(url.error().code, Errc::usage) << bad;
  }
  EXPECT_TRUE(parse_url("wss://" + std::string(255, 'h')).has_value());
  EXPECT_FALSE(parse_url("wss://" + std::string(256, 'h')).has_value());
}

TEST(NetUrl, CredentialsInsideAreRefusedAndNotRepeated) {
  for (const char* const bad :
       {"wss://ann:s3cret@h/ws", "wss://ann@h", "wss://s3cret@h:1/?a", "wss://@h"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url.has_value()) << bad;
    EXPECT_EQ(url.error().message().find("s3cret"), std::string::npos);
    EXPECT_NE(url.error().message().find("--password-file"), std::string::npos);
  }
  EXPECT_TRUE(parse_url("wss://h/a@b?c@d").has_value())
      << "behind the host it is a character like others";
}

TEST(NetUrl, BadTextIsShownHarmless) {
  const std::string message = parse_url("wss://h\x1b[31m/").error().message();
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(NetHostPort, IsWhereToListen) {
  const auto check = [](const char* text, const char* host, int port) {
    const auto place = parse_host_port(text);
    ASSERT_TRUE(place.has_value()) << text;
    EXPECT_EQ(place->host, host) << text;
    EXPECT_EQ(place->port, port) << text;
  };
  check("127.0.0.1:8443", "127.0.0.1", 8443);
  check("[::1]:0", "::1", 0);
  check("localhost:65535", "localhost", 65535);
  check("[fe80::1%eth0]:1", "fe80::1%eth0", 1);
  for (const char* const bad :
       {"", "8443", "localhost", ":8443", "localhost:", "[::1]", "::1", "::1:8443", "h:65536",
        "h:-1", "h:1:2", "h:1 ", "[::1]x:1", "h/:1"}) {
    const auto place = parse_host_port(bad);
    ASSERT_FALSE(place.has_value()) << bad;
    EXPECT_EQ(place.error().code, Errc::usage) << bad;
    EXPECT_FALSE(place.error().message().empty());
  }
}

}  // namespace
}  // namespace clawws::net
