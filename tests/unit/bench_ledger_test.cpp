// The ledger against a model that remembers every arrival.
#include "clawws/bench/ledger.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace clawws::bench {
namespace {

using Entry = Ledger::Entry;

TEST(BenchLedger, AnUndisturbedStreamIsDelivered) {
  Ledger ledger({{2, 10}});
  EXPECT_EQ(ledger.received(0, 0), Entry::warm_up);
  EXPECT_EQ(ledger.received(0, 1), Entry::warm_up);
  for (std::uint64_t n = 2; n < 10; ++n) EXPECT_EQ(ledger.received(0, n), Entry::in_order);
  EXPECT_TRUE(ledger.complete());
  const LedgerCounts counts = ledger.counts();
  EXPECT_EQ(counts.expected, 8U);
  EXPECT_EQ(counts.delivered, 8U);
  EXPECT_EQ(counts.lost, 0U);
}

TEST(BenchLedger, WhatNeverComesIsLost) {
  Ledger ledger({{0, 5}});
  ledger.received(0, 1);
  ledger.received(0, 3);
  EXPECT_EQ(ledger.counts().lost, 3U);
  EXPECT_EQ(ledger.counts().delivered, 2U);
  EXPECT_EQ(ledger.missing(), 3U);
}

TEST(BenchLedger, NothingAtAllIsLostWhole) {
  Ledger ledger({{0, 5}, {1, 4}});
  EXPECT_EQ(ledger.counts().expected, 8U);
  EXPECT_EQ(ledger.counts().lost, 8U);
}

TEST(BenchLedger, LateIsReorderedAndNotLost) {
  Ledger ledger({{0, 4}});
  EXPECT_EQ(ledger.received(0, 3), Entry::in_order);
  EXPECT_EQ(ledger.received(0, 1), Entry::late);
  EXPECT_EQ(ledger.received(0, 1), Entry::duplicate);
  EXPECT_EQ(ledger.received(0, 3), Entry::duplicate);
  const LedgerCounts counts = ledger.counts();
  EXPECT_EQ(counts.reordered, 1U);
  EXPECT_EQ(counts.duplicated, 2U);
  EXPECT_EQ(counts.lost, 2U);
}

TEST(BenchLedger, OvertakenIsMissingWithALaterOneThere) {
  Ledger ledger({{0, 10}});
  EXPECT_EQ(ledger.overtaken(), 0U);
  ledger.received(0, 4);
  EXPECT_EQ(ledger.overtaken(), 4U);
  ledger.received(0, 2);
  EXPECT_EQ(ledger.overtaken(), 3U);
  ledger.received(0, 2);
  EXPECT_EQ(ledger.overtaken(), 3U) << "a duplicate fills no hole";
  ledger.received(0, 5);
  EXPECT_EQ(ledger.overtaken(), 3U);
  EXPECT_EQ(ledger.missing(), 7U);
}

TEST(BenchLedger, WhatWasNeverSentIsUnknown) {
  Ledger ledger({{0, 4}});
  EXPECT_EQ(ledger.received(0, 4), Entry::unknown);
  EXPECT_EQ(ledger.received(1, 0), Entry::unknown);
  EXPECT_EQ(ledger.counts().lost, 4U);
}

TEST(BenchLedger, ShortenedExpectsNoMoreThanWasSent) {
  Ledger ledger({{1, 100}});
  ledger.received(0, 1);
  ledger.received(0, 4);
  ledger.shorten(0, 8);
  EXPECT_EQ(ledger.counts().expected, 7U);
  EXPECT_EQ(ledger.counts().lost, 5U);
  EXPECT_EQ(ledger.missing(), 5U);
}

TEST(BenchLedger, BalancesUnderEveryDisorder) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t end = random() % 60 + 2, skip = random() % end;
    Ledger ledger({{skip, end}});
    std::vector<int> came(end);
    std::uint64_t newest = 0, late = 0, again = 0;
    bool any = false;
    for (std::uint64_t step = random() % 120; step > 0; --step) {
      const std::uint64_t number = random() % end;
      ledger.received(0, number);
      if (number < skip) continue;
      if (came[number]++ > 0) {
        ++again;
      } else if (any && number < newest) {
        ++late;
      }
      newest = any ? std::max(newest, number) : number;
      any = true;
    }
    std::uint64_t delivered = 0;
    for (const int count : came) delivered += count > 0 ? 1 : 0;
    const LedgerCounts counts = ledger.counts();
    ASSERT_EQ(counts.expected, end - skip);
    ASSERT_EQ(counts.delivered, delivered);
    ASSERT_EQ(counts.lost, end - skip - delivered);
    ASSERT_EQ(counts.duplicated, again);
    ASSERT_EQ(counts.reordered, late);
    ASSERT_EQ(ledger.missing(), counts.lost);
  }
}

}  // namespace
}  // namespace clawws::bench
