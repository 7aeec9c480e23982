#include "clawws/server/heap_trim.hpp"

#include <gtest/gtest.h>

namespace clawws::server {
namespace {

constexpr std::size_t k_worth = HeapTrim::k_worth_connections;

// The second look at one number: nobody left in between.
bool settled(HeapTrim& heap, std::size_t open) {
  EXPECT_FALSE(heap.due(open));
  return heap.due(open);
}

TEST(HeapTrim, waits_until_enough_connections_are_gone) {
  HeapTrim heap;
  EXPECT_FALSE(heap.due(1'000));
  EXPECT_FALSE(settled(heap, 1'000 - k_worth + 1));
  EXPECT_TRUE(settled(heap, 1'000 - k_worth));
}

TEST(HeapTrim, waits_for_the_end_of_a_fall) {
  HeapTrim heap;
  heap.due(10'000);
  for (std::size_t open = 9'000; open > 0; open -= 1'000) EXPECT_FALSE(heap.due(open));
  EXPECT_TRUE(settled(heap, 0));
}

TEST(HeapTrim, counts_from_where_it_was_due_the_last_time) {
  HeapTrim heap;
  heap.due(1'000);
  EXPECT_TRUE(settled(heap, 500));
  EXPECT_FALSE(heap.due(500));
  EXPECT_FALSE(settled(heap, 500 - k_worth + 1));
  EXPECT_TRUE(settled(heap, 500 - k_worth));
}

TEST(HeapTrim, is_not_due_while_clients_come_and_go_at_one_level) {
  HeapTrim heap;
  for (std::size_t round = 0; round < 1'000; ++round) {
    EXPECT_FALSE(heap.due(10'000 + round % k_worth));
  }
}

}  // namespace
}  // namespace clawws::server
