// Every row of the table in stream_start.hpp.
#include "clawws/server/stream_start.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace clawws::server {
namespace {

using wire::Since;

// Events 11 to 50 are kept.
const hub::StoreFacts k_facts{"epochnow", 11, 50};
const hub::StoreFacts k_empty{"epochnow", 1, 0};

StartRequest since(std::string epoch, std::uint64_t seq) {
  StartRequest request;
  request.since.kind = Since::Kind::position;
  request.since.position = {std::move(epoch), seq};
  return request;
}

StartRequest located(std::optional<std::uint64_t> found) {
  StartRequest request;
  request.last = 3;
  request.located = found;
  return request;
}

struct Expected {
  std::uint64_t position;
  bool resumed;
  std::optional<std::uint64_t> lost;
  std::uint64_t oldest;
};

void expect(const StartRequest& request, const hub::StoreFacts& facts, const Expected& expected) {
  const StartPlan plan = plan_start(request, facts);
  EXPECT_EQ(plan.position, expected.position);
  EXPECT_EQ(plan.said.resumed, expected.resumed);
  EXPECT_EQ(plan.said.lost, expected.lost);
  EXPECT_EQ(plan.said.oldest, expected.oldest);
  EXPECT_EQ(plan.said.epoch, facts.epoch);
  EXPECT_EQ(plan.said.seq, facts.newest);
}

TEST(ServerStreamStart, NothingAskedIsFromNowOn) {
  expect({}, k_facts, {50, false, 0, 11});
  expect({}, k_empty, {0, false, 0, 1});
}

TEST(ServerStreamStart, AKeptPositionIsResumed) {
  expect(since("epochnow", 50), k_facts, {50, true, 0, 11});
  expect(since("epochnow", 30), k_facts, {30, true, 0, 11});
  expect(since("epochnow", 10), k_facts, {10, true, 0, 11});
  expect(since("epochnow", 0), k_empty, {0, true, 0, 1});
}

TEST(ServerStreamStart, APrunedPositionSaysHowManyAreLost) {
  expect(since("epochnow", 9), k_facts, {10, false, 1, 11});
  expect(since("epochnow", 0), k_facts, {10, false, 10, 11});
}

TEST(ServerStreamStart, AnotherEpochOrThePositionOfTheFutureBeginsWithTheOldest) {
  expect(since("epochold", 30), k_facts, {10, false, std::nullopt, 11});
  expect(since("epochnow", 51), k_facts, {10, false, std::nullopt, 11});
  expect(since("epochnow", std::numeric_limits<std::uint64_t>::max()), k_facts,
         {10, false, std::nullopt, 11});
  expect(since("epochold", 0), k_empty, {0, false, std::nullopt, 1});
}

TEST(ServerStreamStart, EarliestIsTheOldest) {
  StartRequest request;
  request.since.kind = Since::Kind::earliest;
  expect(request, k_facts, {10, false, 0, 11});
  expect(request, k_empty, {0, false, 0, 1});
}

TEST(ServerStreamStart, ATimeOrTheNewestBeginWhereTheyWereFound) {
  EXPECT_TRUE(located(5).needs_locating());
  expect(located(40), k_facts, {40, false, 0, 41});
  expect(located(50), k_facts, {50, false, 0, 51});
  expect(located(10), k_facts, {10, false, 0, 11});
  StartRequest time;
  time.since.kind = Since::Kind::time;
  EXPECT_TRUE(time.needs_locating());
  time.located = 25;
  expect(time, k_facts, {25, false, 0, 26});
}

TEST(ServerStreamStart, WhatWasFoundMayBeOutOfDate) {
  // Pruned since then, or newer than what the view has looked at.
  expect(located(3), k_facts, {10, false, 0, 11});
  expect(located(60), k_facts, {50, false, 0, 51});
  expect(located(std::nullopt), k_facts, {50, false, 0, 51});
}

TEST(ServerStreamStart, OnlyATimeAndTheNewestNeedTheStore) {
  EXPECT_FALSE(StartRequest{}.needs_locating());
  EXPECT_FALSE(since("epochnow", 3).needs_locating());
}

TEST(ServerStreamStart, NothingKeptAtAll) {
  // Everything was pruned: the oldest is the one to come.
  const hub::StoreFacts pruned{"epochnow", 51, 50};
  expect({}, pruned, {50, false, 0, 51});
  expect(since("epochnow", 50), pruned, {50, true, 0, 51});
  expect(since("epochnow", 49), pruned, {50, false, 1, 51});
  // The store is ahead of the log, and has pruned beyond the log's end already.
  const hub::StoreFacts ahead{"epochnow", 90, 50};
  expect({}, ahead, {50, false, 0, 51});
  expect(since("epochnow", 40), ahead, {50, false, 10, 51});
}

}  // namespace
}  // namespace clawws::server
