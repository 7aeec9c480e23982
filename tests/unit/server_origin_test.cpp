#include "clawws/server/origin.hpp"

#include <gtest/gtest.h>

namespace clawws::server {
namespace {

using base::Errc;
using boost::asio::ip::make_address;

OriginRules listed(const std::vector<std::string>& origins) {
  const auto rules = OriginRules::from(origins);
  EXPECT_TRUE(rules.has_value());
  return rules ? *rules : OriginRules();
}

TEST(ServerOrigin, WhoIsNoBrowserNamesNone) {
  EXPECT_TRUE(OriginRules().allows(std::nullopt, "panel.example"));
}

TEST(ServerOrigin, TheOwnOriginIsHttpsAndTheHostThatWasAsked) {
  const OriginRules rules;
  EXPECT_TRUE(rules.allows("https://panel.example", "panel.example"));
  EXPECT_TRUE(rules.allows("https://panel.example:443", "panel.example"));
  EXPECT_TRUE(rules.allows("https://panel.example", "panel.example:443"));
  EXPECT_TRUE(rules.allows("https://panel.example:8443", "panel.example:8443"));
  EXPECT_TRUE(rules.allows("HTTPS://Panel.Example", "panel.EXAMPLE"));
  EXPECT_TRUE(rules.allows("https://[::1]:8443", "[::1]:8443"));
  EXPECT_FALSE(rules.allows("https://panel.example:8443", "panel.example"));
  EXPECT_FALSE(rules.allows("https://panel.example", "panel.example:8443"));
  EXPECT_FALSE(rules.allows("http://panel.example", "panel.example")) << "another scheme";
  EXPECT_FALSE(rules.allows("wss://panel.example", "panel.example"));
}

TEST(ServerOrigin, ATrailingSlashOfTheOptionIsNoPath) {
  EXPECT_TRUE(listed({"https://host/"}).allows("https://host", "panel.example"));
  EXPECT_FALSE(listed({"https://host/"}).allows("https://host/", "panel.example"));
  for (const char* path : {"https://host//", "https://host/a/", "https://host/a", "/", ""})
    EXPECT_FALSE(OriginRules::from({path}).has_value()) << path;
}

TEST(ServerOrigin, StrangersAreRefused) {
  const OriginRules rules = listed({"https://host"});
  const char* const strangers[] = {"https://evil.example",
                                   "null",
                                   "https://host.evil",
                                   "https://evilhost",
                                   "http://host",
                                   "https://host:8443",
                                   "https://host/",
                                   "https://host/path",
                                   "https://host?a",
                                   "https://host#a",
                                   "https://host ",
                                   " https://host",
                                   "https://user@host",
                                   "https://host,host",
                                   "https://host https://host",
                                   "https://",
                                   "",
                                   "host",
                                   "//host",
                                   "https:host",
                                   "https://host\\",
                                   "https://host.",
                                   "file://",
                                   "https://host:",
                                   "https://host:0",
                                   "https://host:65536",
                                   "https://host%00"};
  for (const char* const origin : strangers)
    EXPECT_FALSE(rules.allows(origin, "panel.example")) << origin;
  EXPECT_FALSE(rules.allows(std::string_view("https://host\0.evil", 18), "panel.example"));
  EXPECT_TRUE(rules.allows("https://host", "panel.example"));
}

TEST(ServerOrigin, AHostThatIsNoneAllowsNobody) {
  const OriginRules rules;
  for (const char* const host : {"", "evil/", "a@b", "host evil", "null"}) {
    EXPECT_FALSE(rules.allows("https://evil.example", host)) << host;
    EXPECT_FALSE(rules.allows("null", host)) << host;
  }
}

TEST(ServerOrigin, ListedOnesMayBeOfAnySchemeAndPort) {
  const OriginRules rules = listed({"http://localhost:3000", "https://Panel.Example:443"});
  EXPECT_TRUE(rules.allows("http://localhost:3000", "other"));
  EXPECT_TRUE(rules.allows("https://panel.example", "other"));
  EXPECT_FALSE(rules.allows("https://localhost:3000", "other"));
  EXPECT_FALSE(rules.allows("http://localhost", "other"));
  EXPECT_FALSE(rules.allows("http://panel.example", "other"));
}

TEST(ServerOrigin, ABadListEntryIsNamed) {
  for (const char* const bad :
       {"panel.example", "https://panel.example//", "https://a/b", "null", "*", "wss://a", ""}) {
    const auto rules = OriginRules::from({"https://good.example", bad});
    ASSERT_FALSE(rules.has_value()) << bad;
    EXPECT_EQ(rules.error().code, Errc::config);
    EXPECT_NE(rules.error().message().find("--origin '" + std::string(bad) + "'"),
              std::string::npos);
  }
}

ProxyRules trusting(const std::vector<std::string>& cidrs) {
  const auto rules = ProxyRules::from(cidrs);
  EXPECT_TRUE(rules.has_value());
  return rules ? *rules : ProxyRules();
}

TEST(ServerProxyRules, NetworksAreComparedByTheirPrefix) {
  const ProxyRules rules =
      trusting({"10.0.0.0/8", "192.0.2.77", "198.51.100.128/25", "2001:db8::/33", "::1"});
  for (const char* const inside :
       {"10.0.0.0", "10.255.255.255", "192.0.2.77", "198.51.100.128", "198.51.100.255",
        "2001:db8:7fff::1", "::1", "::ffff:10.1.2.3"}) {
    EXPECT_TRUE(rules.trusts(make_address(inside))) << inside;
  }
  for (const char* const outside : {"11.0.0.0", "9.255.255.255", "192.0.2.76", "198.51.100.127",
                                    "2001:db8:8000::1", "::2", "::ffff:11.1.2.3", "::10.0.0.1"}) {
    EXPECT_FALSE(rules.trusts(make_address(outside))) << outside;
  }
  EXPECT_TRUE(trusting({"0.0.0.0/0"}).trusts(make_address("203.0.113.9")));
  EXPECT_FALSE(trusting({"0.0.0.0/0"}).trusts(make_address("2001:db8::1")));
  EXPECT_TRUE(trusting({"::/0"}).trusts(make_address("2001:db8::1")));
  EXPECT_TRUE(trusting({"::ffff:192.0.2.1"}).trusts(make_address("192.0.2.1")));
  EXPECT_FALSE(ProxyRules().trusts(make_address("127.0.0.1")));
}

TEST(ServerProxyRules, ABadNetworkIsNamed) {
  for (const char* const bad :
       {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8", "::1/129",
        "localhost", "10.0.0.0/ 8", "10.0.0.0/8/8"}) {
    const auto rules = ProxyRules::from({bad});
    ASSERT_FALSE(rules.has_value()) << bad;
    EXPECT_EQ(rules.error().code, Errc::config);
    EXPECT_NE(rules.error().message().find("--trusted-proxy '" + std::string(bad) + "'"),
              std::string::npos);
  }
}

TEST(ServerProxyRules, AnUntrustedPeersFieldIsIgnored) {
  const ProxyRules rules = trusting({"10.0.0.0/8"});
  EXPECT_EQ(rules.client_address(make_address("203.0.113.5"), "127.0.0.1"), "203.0.113.5");
  EXPECT_EQ(rules.client_address(make_address("203.0.113.5"), "198.51.100.1, 10.0.0.1"),
            "203.0.113.5");
  EXPECT_EQ(ProxyRules().client_address(make_address("127.0.0.1"), "198.51.100.1"), "127.0.0.1");
}

TEST(ServerProxyRules, TheRightMostUntrustedHopIsTheClient) {
  const ProxyRules rules = trusting({"10.0.0.0/8", "::1"});
  const auto proxy = make_address("10.0.0.1");
  EXPECT_EQ(rules.client_address(proxy, std::nullopt), "10.0.0.1");
  EXPECT_EQ(rules.client_address(proxy, "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(rules.client_address(proxy, "127.0.0.1, 198.51.100.1"), "198.51.100.1")
      << "what it made up stands left";
  EXPECT_EQ(rules.client_address(proxy, "198.51.100.1, 10.2.0.1 ,10.3.0.1"), "198.51.100.1");
  EXPECT_EQ(rules.client_address(proxy, "10.2.0.1, 10.3.0.1"), "10.2.0.1")
      << "all are ours: the first";
  EXPECT_EQ(rules.client_address(proxy, "2001:db8::5"), "2001:db8::5");
  EXPECT_EQ(rules.client_address(proxy, "::ffff:198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(rules.client_address(make_address("::ffff:10.0.0.1"), "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(rules.client_address(make_address("::1"), "198.51.100.1"), "198.51.100.1");
}

TEST(ServerProxyRules, WhatIsNoAddressEndsTheSearch) {
  const ProxyRules rules = trusting({"10.0.0.0/8"});
  const auto proxy = make_address("10.0.0.1");
  EXPECT_EQ(rules.client_address(proxy, ""), "10.0.0.1");
  EXPECT_EQ(rules.client_address(proxy, "198.51.100.1, unknown, 10.2.0.1"), "10.2.0.1");
  EXPECT_EQ(rules.client_address(proxy, "198.51.100.1, , 10.2.0.1"), "10.2.0.1");
  EXPECT_EQ(rules.client_address(proxy, "198.51.100.1\", evil"), "10.0.0.1");
}

}  // namespace
}  // namespace clawws::server
