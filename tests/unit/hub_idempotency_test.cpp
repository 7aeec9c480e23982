#include "clawws/hub/idempotency.hpp"

#include <gtest/gtest.h>

namespace clawws::hub {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using Verdict = IdempotencyTable::Verdict;

struct TableTest {
  Verdict begin(const IdempotencyKey& key) {
    PublishDone done = [this](Result<Receipt> answer) { answers.push_back(std::move(answer)); };
    const Verdict verdict = table.begin(key, done, now, receipt);
    EXPECT_EQ(done == nullptr, verdict == Verdict::wait) << "taken exactly when it waits";
    return verdict;
  }
  // Ends what begin() let proceed and calls those who waited; how many they were.
  std::size_t finish(const IdempotencyKey& key, const Result<Receipt>& outcome) {
    auto waiting = table.finish(key, outcome, now);
    for (auto& [done, answer] : waiting) done(std::move(answer));
    return waiting.size();
  }
  static IdempotencyKey key(std::string name, std::string body = "body", std::string user = "ann") {
    return {std::move(user), std::move(name), std::move(body)};
  }

  IdempotencyTable table;
  base::SteadyTime now{std::chrono::hours(1)};
  Receipt receipt;
  std::vector<Result<Receipt>> answers;
};

const Receipt k_receipt{7, 9};

TEST(HubIdempotency, TheSameKeyAndBodyGetsTheFirstAnswer) {
  TableTest test;
  EXPECT_EQ(test.begin(test.key("k")), Verdict::proceed);
  EXPECT_EQ(test.finish(test.key("k"), k_receipt), 0U);
  EXPECT_EQ(test.begin(test.key("k")), Verdict::repeated);
  EXPECT_EQ(test.receipt.first, 7U);
  EXPECT_EQ(test.receipt.last, 9U);
  EXPECT_EQ(test.receipt.novelty, Receipt::Novelty::repeated);
}

TEST(HubIdempotency, AnotherBodyIsAConflictWhetherItRunsOrIsDone) {
  TableTest test;
  EXPECT_EQ(test.begin(test.key("k", "one")), Verdict::proceed);
  EXPECT_EQ(test.begin(test.key("k", "two")), Verdict::conflict);
  test.finish(test.key("k", "one"), k_receipt);
  EXPECT_EQ(test.begin(test.key("k", "two")), Verdict::conflict);
  EXPECT_EQ(test.begin(test.key("k", "one")), Verdict::repeated);
}

TEST(HubIdempotency, KeysAreScopedToTheUser) {
  TableTest test;
  EXPECT_EQ(test.begin(test.key("k", "one", "ann")), Verdict::proceed);
  EXPECT_EQ(test.begin(test.key("k", "two", "bob")), Verdict::proceed);
  // The pair is what counts, not the two names put together.
  EXPECT_EQ(test.begin(test.key("bc", "x", "a")), Verdict::proceed);
  EXPECT_EQ(test.begin(test.key("c", "y", "ab")), Verdict::proceed);
  EXPECT_EQ(test.begin(test.key("1:a", "x", "1")), Verdict::proceed);
  EXPECT_EQ(test.begin(test.key("a", "y", "11:")), Verdict::proceed);
}

TEST(HubIdempotency, WhoComesWhileTheFirstRunsWaitsForItsAnswer) {
  TableTest test;
  EXPECT_EQ(test.begin(test.key("k")), Verdict::proceed);
  EXPECT_EQ(test.begin(test.key("k")), Verdict::wait);
  EXPECT_EQ(test.begin(test.key("k")), Verdict::wait);
  EXPECT_EQ(test.answers.size(), 0U);
  EXPECT_EQ(test.finish(test.key("k"), k_receipt), 2U);
  ASSERT_EQ(test.answers.size(), 2U);
  EXPECT_EQ(test.answers[1]->first, 7U);
  EXPECT_EQ(test.answers[1]->novelty, Receipt::Novelty::repeated);
  EXPECT_EQ(test.begin(test.key("k")), Verdict::repeated);
}

TEST(HubIdempotency, AFailureIsNotRemembered) {
  TableTest test;
  EXPECT_EQ(test.begin(test.key("k")), Verdict::proceed);
  EXPECT_EQ(test.begin(test.key("k")), Verdict::wait);
  EXPECT_EQ(test.finish(test.key("k"), Error(Errc::store_full, "full")), 1U);
  ASSERT_EQ(test.answers.size(), 1U);
  ASSERT_FALSE(test.answers[0].has_value());
  EXPECT_EQ(test.answers[0].error().code, Errc::store_full);
  EXPECT_EQ(test.table.size(), 0U);
  EXPECT_EQ(test.begin(test.key("k", "another")), Verdict::proceed);
}

TEST(HubIdempotency, ASuccessIsForgottenAfterTenMinutes) {
  TableTest test;
  EXPECT_EQ(test.begin(test.key("k")), Verdict::proceed);
  test.now += std::chrono::minutes(3);  // it ran for a while: the time counts from its end
  test.finish(test.key("k"), k_receipt);
  test.now += k_key_lifetime - base::Millis(1);
  EXPECT_EQ(test.begin(test.key("k")), Verdict::repeated);
  test.now += base::Millis(1);
  EXPECT_EQ(test.begin(test.key("k")), Verdict::proceed);
  EXPECT_EQ(test.table.size(), 1U);
}

TEST(HubIdempotency, ARunningOneIsNeverForgotten) {
  TableTest test;
  EXPECT_EQ(test.begin(test.key("k")), Verdict::proceed);
  test.now += k_key_lifetime * 3;
  EXPECT_EQ(test.begin(test.key("k")), Verdict::wait);
  EXPECT_EQ(test.finish(test.key("k"), k_receipt), 1U);
}

TEST(HubIdempotency, AUserHasTenThousandLiveKeys) {
  TableTest test;
  for (std::size_t i = 0; i < k_max_keys_per_user; ++i) {
    const IdempotencyKey key = test.key(std::to_string(i));
    ASSERT_EQ(test.begin(key), Verdict::proceed);
    if (i % 2 == 0) test.finish(key, k_receipt);  // running ones count as well
  }
  EXPECT_EQ(test.begin(test.key("more")), Verdict::full);
  EXPECT_EQ(test.begin(test.key("0")), Verdict::repeated) << "known ones still answer";
  EXPECT_EQ(test.begin(test.key("more", "body", "bob")), Verdict::proceed)
      << "others are not held back";
  test.finish(test.key("1"), Error(Errc::unavailable));
  EXPECT_EQ(test.begin(test.key("more")), Verdict::proceed) << "a failed one makes room";
  EXPECT_EQ(test.begin(test.key("and more")), Verdict::full);
  test.now += k_key_lifetime;
  EXPECT_EQ(test.begin(test.key("and more")), Verdict::proceed) << "so does time";
  EXPECT_EQ(test.table.size(), k_max_keys_per_user / 2 + 2);
}

}  // namespace
}  // namespace clawws::hub
