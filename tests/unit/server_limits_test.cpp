// What holds clients back: the token bucket and the count of connections.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "clawws/server/admission.hpp"
#include "clawws/server/rate.hpp"

namespace clawws::server {
namespace {

using base::Millis;
using base::SteadyTime;
using boost::asio::ip::make_address;
using std::chrono::seconds;

const SteadyTime k_start{std::chrono::hours(1)};

int take_all(TokenBucket& bucket, SteadyTime now) {
  int taken = 0;
  while (taken < 1'000 && bucket.take(now)) ++taken;
  return taken;
}

TEST(ServerTokenBucket, ABurstAndThenTheRate) {
  TokenBucket bucket(60, 10, k_start);
  EXPECT_EQ(take_all(bucket, k_start), 10);
  EXPECT_FALSE(bucket.take(k_start + Millis(900)));
  EXPECT_TRUE(bucket.take(k_start + Millis(1'010))) << "having asked in vain costs nothing";
  EXPECT_FALSE(bucket.take(k_start + Millis(1'020)));
  EXPECT_EQ(take_all(bucket, k_start + Millis(6'050)), 5);
}

TEST(ServerTokenBucket, NeverHoldsMoreThanItsBurst) {
  TokenBucket bucket(60, 3, k_start);
  EXPECT_EQ(take_all(bucket, k_start + std::chrono::hours(24)), 3);
}

TEST(ServerTokenBucket, AskingOftenDoesNotLoseTokens) {
  TokenBucket bucket(600, 1, k_start);
  int taken = 0;
  for (int i = 0; i <= 100'000; ++i)
    taken += bucket.take(k_start + std::chrono::microseconds(100 * i)) ? 1 : 0;
  // Ten seconds at ten a second, and the one of the beginning.
  EXPECT_GE(taken, 99);
  EXPECT_LE(taken, 102);
}

ServerConfig limits(std::size_t clients, std::size_t per_address) {
  ServerConfig config;
  config.max_clients = clients;
  config.max_clients_per_ip = per_address;
  return config;
}

TEST(ServerAdmission, AnAddressHasItsShare) {
  const ServerConfig config = limits(100, 2);
  Admission admission(config);
  const auto first = admission.admit(make_address("192.0.2.1"));
  auto second = admission.admit(make_address("192.0.2.1"));
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(admission.admit(make_address("192.0.2.1")));
  EXPECT_TRUE(admission.admit(make_address("192.0.2.2")));
  EXPECT_TRUE(admission.admit(make_address("2001:db8::1")));
  second = {};
  EXPECT_TRUE(admission.admit(make_address("192.0.2.1")));
}

TEST(ServerAdmission, APermitIsGivenBackOnceWhereverItWent) {
  const ServerConfig config = limits(100, 1);
  Admission admission(config);
  {
    auto permit = admission.admit(make_address("192.0.2.1"));
    Admission::Permit moved(std::move(permit));
    Admission::Permit assigned;
    assigned = std::move(moved);
    EXPECT_TRUE(assigned);
    EXPECT_FALSE(admission.admit(make_address("192.0.2.1")));
  }
  const auto again = admission.admit(make_address("192.0.2.1"));
  EXPECT_TRUE(again);
  EXPECT_FALSE(admission.admit(make_address("192.0.2.1"))) << "given back once, not twice";
}

TEST(ServerAdmission, LoopbackIsFreeUnlessTheLimitWasGiven) {
  ServerConfig config = limits(100, 1);
  {
    Admission admission(config);
    const auto first = admission.admit(make_address("127.0.0.1"));
    EXPECT_TRUE(admission.admit(make_address("127.0.0.1")));
    const auto other = admission.admit(make_address("::1"));
    EXPECT_TRUE(admission.admit(make_address("::1")));
  }
  config.loopback_limit = ServerConfig::LoopbackLimit::as_others;
  Admission admission(config);
  const auto first = admission.admit(make_address("127.0.0.1"));
  EXPECT_FALSE(admission.admit(make_address("127.0.0.1")));
}

TEST(ServerAdmission, TheServerHasRoomForItsClientsAndSomeRequests) {
  const ServerConfig config = limits(10, 1'000);
  Admission admission(config);
  std::vector<Admission::Permit> permits;
  while (true) {
    auto permit = admission.admit(make_address("127.0.0.1"));
    if (!permit) break;
    permits.push_back(std::move(permit));
    ASSERT_LT(permits.size(), 1'000U);
  }
  EXPECT_EQ(permits.size(), 10U + 256U);
  EXPECT_FALSE(admission.admit(make_address("192.0.2.1"))) << "nobody else either";
  permits.pop_back();
  EXPECT_TRUE(admission.admit(make_address("192.0.2.1")));
}

TEST(ServerAdmission, CountsRightFromManyThreads) {
  const ServerConfig config = limits(1'000, 4);
  Admission admission(config);
  std::vector<std::thread> threads;
  std::atomic<int> over{0};
  std::atomic<int> inside{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        const auto permit = admission.admit(make_address("192.0.2.1"));
        if (!permit) continue;
        if (++inside > 4) ++over;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(over, 0);
  std::vector<Admission::Permit> permits;
  for (int i = 0; i < 4; ++i) permits.push_back(admission.admit(make_address("192.0.2.1")));
  for (const auto& permit : permits) EXPECT_TRUE(permit);
}

}  // namespace
}  // namespace clawws::server
