#include "clawws/net/resolve.hpp"

#include <gtest/gtest.h>

namespace clawws::net {
namespace {

TEST(NetResolve, ReadsEntries) {
  const auto plain = parse_resolve_entry("panel.example:8443:127.0.0.1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "panel.example");
  EXPECT_EQ(plain->port, 8443);
  EXPECT_EQ(plain->address, "127.0.0.1");
  EXPECT_TRUE(parse_resolve_entry("h:1:::1"));
  EXPECT_TRUE(parse_resolve_entry("h:1:[::1]"));
  const auto bracketed = parse_resolve_entry("[fe80::1]:1:10.0.0.1");
  ASSERT_TRUE(bracketed);
  EXPECT_EQ(bracketed->host, "fe80::1");
  for (const char* bad : {"", "h", "h:1", ":1:127.0.0.1", "h:0:127.0.0.1", "h:70000:127.0.0.1",
                          "h:x:127.0.0.1", "h:1:localhost", "h:1:", "["})
    EXPECT_FALSE(parse_resolve_entry(bad)) << bad;
}

Url url_of(const char* text) {
  return parse_url(text).value();
}

TEST(NetResolve, NeedsNoDnsForAddressesAndEntries) {
  EXPECT_EQ(known_addresses(url_of("wss://127.0.0.1:7/ws"), {})->front().port(), 7);
  EXPECT_TRUE(known_addresses(url_of("wss://[::1]:7/ws"), {})->front().address().is_v6());
  EXPECT_FALSE(known_addresses(url_of("wss://panel.example:7/ws"), {}));
  const std::vector<ResolveEntry> entries = {{"PANEL.example", 7, "127.0.0.9"},
                                             {"panel.example", 8, "127.0.0.8"}};
  const auto found = known_addresses(url_of("wss://panel.example:7/ws"), entries);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().address().to_string(), "127.0.0.9");
}

TEST(NetResolve, FindsLocalhost) {
  const auto resolved = resolve_blocking("localhost", 8443);
  ASSERT_FALSE(resolved.endpoints.empty()) << resolved.problem;
  EXPECT_TRUE(resolved.endpoints.front().address().is_loopback());
  EXPECT_EQ(resolved.endpoints.front().port(), 8443);
}

}  // namespace
}  // namespace clawws::net
