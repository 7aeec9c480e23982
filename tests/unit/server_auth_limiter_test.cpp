#include "clawws/server/auth_limiter.hpp"

#include <gtest/gtest.h>

namespace clawws::server {
namespace {

using std::chrono::seconds;

constexpr auto k_none = std::nullopt;
const base::SteadyTime k_start{seconds(1'000'000)};

TEST(ServerAuthLimiter, TenFailuresAMinutePerAddressAndUser) {
  AuthLimiter limiter;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(limiter.wait("a", "u", k_start + seconds(i)), k_none) << i;
    limiter.failed("a", "u", k_start + seconds(i));
  }
  EXPECT_EQ(limiter.wait("a", "u", k_start + seconds(10)), seconds(50));
  EXPECT_EQ(limiter.wait("a", "other", k_start + seconds(10)), k_none);
  EXPECT_EQ(limiter.wait("b", "u", k_start + seconds(10)), k_none);
  // The first failure is a minute old: one more attempt, and not two.
  EXPECT_EQ(limiter.wait("a", "u", k_start + seconds(60)), k_none);
  limiter.failed("a", "u", k_start + seconds(60));
  EXPECT_EQ(limiter.wait("a", "u", k_start + seconds(60)), seconds(1));
  EXPECT_EQ(limiter.wait("a", "u", k_start + seconds(200)), k_none);
}

TEST(ServerAuthLimiter, AHundredFailuresPerAddress) {
  AuthLimiter limiter;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(limiter.wait("a", "u" + std::to_string(i), k_start), k_none) << i;
    limiter.failed("a", "u" + std::to_string(i), k_start);
  }
  EXPECT_EQ(limiter.wait("a", "fresh", k_start + seconds(20)), seconds(40));
  EXPECT_EQ(limiter.wait("b", "fresh", k_start + seconds(20)), k_none);
  EXPECT_EQ(limiter.wait("a", "fresh", k_start + seconds(60)), k_none);
}

TEST(ServerAuthLimiter, RunningAttemptsCountUntilTheyEnd) {
  AuthLimiter limiter;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(limiter.wait("a", "u", k_start), k_none);
    limiter.begin("a", "u");
  }
  EXPECT_EQ(limiter.running("a"), 10u);
  EXPECT_EQ(limiter.wait("a", "u", k_start), seconds(1));
  limiter.end("a", "u");
  EXPECT_EQ(limiter.wait("a", "u", k_start), k_none);
  limiter.failed("a", "u", k_start);
  EXPECT_EQ(limiter.wait("a", "u", k_start), seconds(1));
}

TEST(ServerAuthLimiter, MemoryIsBounded) {
  AuthLimiter limiter(100);
  limiter.begin("running", "u");
  for (int i = 0; i < 5'000; ++i) limiter.failed("a" + std::to_string(i), "u", k_start);
  EXPECT_LE(limiter.entries(), 100u);
  EXPECT_EQ(limiter.running("running"), 1u) << "what runs is not forgotten";
  limiter.end("running", "u");
  for (int i = 0; i < 10; ++i) limiter.failed("x", std::string(1'000'000, 'u'), k_start);
  EXPECT_NE(limiter.wait("x", std::string(1'000'000, 'u'), k_start), k_none);
}

TEST(ServerAuthLimiter, Addresses) {
  EXPECT_EQ(limiter_address("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(limiter_address("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(limiter_address("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(limiter_address("2001:db8:1:2:ffff::1"), limiter_address("2001:db8:1:2::9"));
  EXPECT_NE(limiter_address("2001:db8:1:3::1"), limiter_address("2001:db8:1:2::1"));
  EXPECT_EQ(limiter_address("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(limiter_address("::1"), "::/64");
  EXPECT_EQ(limiter_address("unix"), "unix");
}

}  // namespace
}  // namespace clawws::server
