#include "clawws/client/reconnect.hpp"

#include <gtest/gtest.h>

namespace clawws::client {
namespace {

using base::Errc;
using base::Millis;
using base::SteadyTime;

class ClientReconnect : public testing::Test {
 protected:
  Reconnect make() { return Reconnect(config, 7, now); }
  // A client that had its first success and has just lost it.
  Reconnect make_connected() {
    Reconnect reconnect = make();
    reconnect.connected(now);
    return reconnect;
  }
  static net::Ending lost() { return net::passing(net::Phase::live, "link lost"); }

  ReconnectConfig config;
  SteadyTime now{std::chrono::hours(1)};
};

TEST_F(ClientReconnect, FailsFastAtFirstUnlessToldToWait) {
  auto impatient = make();
  const auto decision = impatient.failed(lost(), now);
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(decision.code, Errc::connect_failed);
  EXPECT_EQ(decision.reason, "link lost");
  config.first_connect = ReconnectConfig::FirstConnect::wait;
  auto patient = make();
  EXPECT_TRUE(patient.failed(lost(), now).again);
}

TEST_F(ClientReconnect, WaitsNoLongerThanTold) {
  config.first_connect = ReconnectConfig::FirstConnect::wait;
  config.wait_limit = Millis(1'000);
  auto reconnect = make();
  EXPECT_TRUE(reconnect.failed(lost(), now + Millis(999)).again);
  EXPECT_LE(reconnect.failed(lost(), now + Millis(999)).delay, Millis(1));
  EXPECT_FALSE(reconnect.failed(lost(), now + Millis(1'000)).again);
}

TEST_F(ClientReconnect, GoesOnForEverAfterTheFirstSuccess) {
  auto reconnect = make_connected();
  for (int i = 1; i <= 1'000; ++i) {
    const auto decision = reconnect.failed(lost(), now);
    ASSERT_TRUE(decision.again);
    EXPECT_EQ(decision.retry, static_cast<std::uint32_t>(i));
    now += Millis(10'000);
  }
  EXPECT_EQ(reconnect.total_retries(), 1'000u);
}

TEST_F(ClientReconnect, LooksOftenInTheFirstTwoMinutesAndSeldomLater) {
  auto reconnect = make_connected();
  Millis longest_early(0), longest_late(0);
  for (int i = 0; i < 200; ++i)
    longest_early = std::max(longest_early, reconnect.failed(lost(), now).delay);
  EXPECT_LE(longest_early, Millis(2'050));
  EXPECT_GT(longest_early, Millis(1'500));
  now += Millis(121'000);
  for (int i = 0; i < 200; ++i)
    longest_late = std::max(longest_late, reconnect.failed(lost(), now).delay);
  EXPECT_LE(longest_late, Millis(30'050));
  EXPECT_GT(longest_late, Millis(20'000));
}

TEST_F(ClientReconnect, AShortCapHoldsFromTheStart) {
  config.backoff.cap = Millis(500);
  auto reconnect = make_connected();
  for (int i = 0; i < 100; ++i) EXPECT_LE(reconnect.failed(lost(), now).delay, Millis(550));
}

TEST_F(ClientReconnect, OnlyAStableConnectionEndsTheBackOff) {
  auto reconnect = make_connected();
  Millis unstable(0);
  for (int i = 0; i < 50; ++i) {
    // Accepted and dropped at once; or connected for long, but nothing ever came.
    reconnect.connected(now);
    if (i % 2 == 0) reconnect.alive(now + Millis(9'999));
    unstable = std::max(unstable, reconnect.failed(lost(), now + Millis(9'999)).delay);
  }
  EXPECT_GT(unstable, Millis(1'000));
  reconnect.connected(now);
  reconnect.alive(now + Millis(10'000));
  EXPECT_LE(reconnect.failed(lost(), now + Millis(10'001)).delay, Millis(300));
}

TEST_F(ClientReconnect, ALiveConnectionEndsTheOutage) {
  config.max_retries = 2;
  config.max_outage = Millis(60'000);
  auto reconnect = make_connected();
  for (int outage = 0; outage < 5; ++outage) {
    EXPECT_EQ(reconnect.failed(lost(), now).retry, 1u);
    now += Millis(40'000);
    const auto second = reconnect.failed(lost(), now);
    EXPECT_TRUE(second.again);
    EXPECT_EQ(second.retry, 2u);
    reconnect.connected(now);
    reconnect.progressed();
  }
  EXPECT_EQ(reconnect.total_retries(), 10u);
}

TEST_F(ClientReconnect, AServerThatOnlyLetsInAndDropsDoesNotEndTheOutage) {
  config.max_retries = 2;
  auto reconnect = make_connected();
  EXPECT_EQ(reconnect.failed(lost(), now).retry, 1u);
  reconnect.connected(now);
  EXPECT_EQ(reconnect.failed(lost(), now).retry, 2u);
  reconnect.connected(now);
  EXPECT_FALSE(reconnect.failed(lost(), now).again);
}

TEST_F(ClientReconnect, TheWaitForTheFirstSuccessIsNoOutage) {
  config.first_connect = ReconnectConfig::FirstConnect::wait;
  config.max_retries = 3;
  auto reconnect = make();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(reconnect.failed(lost(), now).again);
  reconnect.connected(now);
  EXPECT_EQ(reconnect.failed(lost(), now).retry, 1u);
}

TEST_F(ClientReconnect, CountsRetries) {
  config.max_retries = 2;
  auto reconnect = make_connected();
  EXPECT_TRUE(reconnect.failed(lost(), now).again);
  EXPECT_TRUE(reconnect.failed(lost(), now).again);
  const auto end = reconnect.failed(lost(), now);
  EXPECT_FALSE(end.again);
  EXPECT_EQ(end.reason, "gave up after 2 retries; last: link lost");
  config.max_retries = 0;
  auto none = make_connected();
  EXPECT_FALSE(none.failed(lost(), now).again);
}

TEST_F(ClientReconnect, MeasuresTheOutageAndTriesOnceMoreAtItsEnd) {
  config.max_outage = Millis(60'000);
  auto reconnect = make_connected();
  EXPECT_TRUE(reconnect.failed(lost(), now).again);
  const auto last = reconnect.failed(lost(), now + Millis(59'990));
  EXPECT_TRUE(last.again);
  EXPECT_LE(last.delay, Millis(10));
  EXPECT_FALSE(reconnect.failed(lost(), now + Millis(60'000)).again);
}

TEST_F(ClientReconnect, EndsWhenItMayNotReconnect) {
  config.afterwards = ReconnectConfig::Afterwards::end;
  auto reconnect = make_connected();
  EXPECT_FALSE(reconnect.failed(lost(), now).again);
}

TEST_F(ClientReconnect, NeverRetriesWhatIsFinal) {
  config.first_connect = ReconnectConfig::FirstConnect::wait;
  auto reconnect = make_connected();
  const auto end =
      reconnect.failed(net::final_ending(net::Phase::upgrade, Errc::not_accepted, "401"), now);
  EXPECT_FALSE(end.again);
  EXPECT_EQ(end.code, Errc::not_accepted);
}

TEST_F(ClientReconnect, WaitsAtLeastAsLongAsTheServerSays) {
  auto reconnect = make_connected();
  net::Ending hinted = lost();
  hinted.hint = Millis(5'000);
  for (int i = 0; i < 50; ++i) {
    const Millis delay = reconnect.failed(hinted, now).delay;
    EXPECT_GE(delay, Millis(5'000));
    EXPECT_LE(delay, Millis(5'300));
  }
}

TEST_F(ClientReconnect, AServerThatAlwaysSaysAtOnceIsNotHammered) {
  auto reconnect = make_connected();
  net::Ending hinted = lost();
  hinted.hint = Millis(0);
  const SteadyTime start = now;
  // Sessions that end as soon as they began, each with the hint.
  for (int i = 0; i < 60; ++i) {
    now += reconnect.failed(hinted, now).delay;
    reconnect.connected(now);
    reconnect.alive(now);
  }
  EXPECT_GT(now - start, std::chrono::seconds(30));
}

TEST_F(ClientReconnect, AnAttemptThatTimedOutIsAFailureToConnect) {
  auto reconnect = make();
  const auto end = reconnect.failed(net::passing(net::Phase::tls, "slow", Errc::timed_out), now);
  EXPECT_EQ(end.code, Errc::connect_failed);
}

TEST_F(ClientReconnect, StartsAfreshAfterASleep) {
  config.max_outage = Millis(60'000);
  auto reconnect = make_connected();
  for (int i = 0; i < 20; ++i) reconnect.failed(lost(), now);
  now += Millis(59'000);
  reconnect.start_afresh(now);
  const auto decision = reconnect.failed(lost(), now + Millis(2'000));
  EXPECT_TRUE(decision.again);
  EXPECT_LE(decision.delay, Millis(300));
}

}  // namespace
}  // namespace clawws::client
