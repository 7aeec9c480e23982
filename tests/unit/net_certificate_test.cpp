#include "clawws/net/certificate.hpp"

#include <gtest/gtest.h>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/net/tls_context.hpp"

namespace clawws::net {
namespace {

using base::Errc;

TEST(NetCertificate, ASelfSignedOneSaysWhatItWasMadeFor) {
  const auto pair = make_self_signed({"localhost", "127.0.0.1", "::1", "panel.example"}, 397);
  ASSERT_TRUE(pair.has_value()) << pair.error().message();
  const auto facts = read_certificate(pair->certificate);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->subject, "CN=localhost");
  ASSERT_EQ(facts->names.size(), 4U);
  EXPECT_EQ(facts->names[0], "localhost");
  EXPECT_EQ(facts->names[1], "127.0.0.1");
  EXPECT_EQ(facts->names[2], "::1");
  EXPECT_EQ(facts->names[3], "panel.example");
  const std::int64_t now = base::unix_millis() / 1000;
  EXPECT_NEAR(static_cast<double>(facts->not_before), static_cast<double>(now - 3600), 60);
  EXPECT_NEAR(static_cast<double>(facts->not_after), static_cast<double>(now + 397 * 86400), 60);
  EXPECT_EQ(pair->key.rfind("-----BEGIN PRIVATE KEY-----", 0), 0U);
}

TEST(NetCertificate, ThePinIsOfTheKey) {
  const auto first = make_self_signed({"localhost"}, 1);
  const auto second = make_self_signed({"localhost"}, 1);
  const std::string pin = read_certificate(first->certificate)->pin;
  EXPECT_EQ(pin.rfind("sha256//", 0), 0U);
  EXPECT_EQ(base::base64_decode(std::string_view(pin).substr(8)).value_or("").size(), 32U);
  EXPECT_NE(pin, read_certificate(second->certificate)->pin);
  EXPECT_NE(first->certificate, second->certificate);
}

TEST(NetCertificate, TheFirstOfAChainIsRead) {
  const auto leaf = make_self_signed({"leaf.example"}, 1);
  const auto other = make_self_signed({"other.example"}, 1);
  EXPECT_EQ(
      read_certificate("some words before\n" + leaf->certificate + other->certificate)->subject,
      "CN=leaf.example");
}

TEST(NetCertificate, WhatIsNoneIsRefused) {
  const auto pair = make_self_signed({"localhost"}, 1);
  const std::string cut = pair->certificate.substr(0, pair->certificate.size() / 2);
  for (const std::string& bad :
       {std::string(), std::string("words"), pair->key, cut, std::string(1, '\0') + "x"}) {
    const auto facts = read_certificate(bad);
    ASSERT_FALSE(facts.has_value());
    EXPECT_EQ(facts.error().code, Errc::tls);
  }
  EXPECT_EQ(take_tls_error(), "") << "nothing is left for the next who asks";
}

}  // namespace
}  // namespace clawws::net
