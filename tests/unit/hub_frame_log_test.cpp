#include "clawws/hub/frame_log.hpp"

#include <gtest/gtest.h>

#include "support/hub_events.hpp"

namespace clawws::hub {
namespace {

// Frames of exactly 100 bytes: ten to a segment of 1,000.
constexpr FrameLog::Limits k_limits{1'000, 3'000};

void append(FrameLog& log, std::uint64_t seq, std::size_t text_bytes = 98) {
  log.append(seq, 0, std::to_string(seq),
             std::string(text_bytes - std::to_string(seq).size(), '.'));
}

void append_range(FrameLog& log, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = first; seq <= last; ++seq) append(log, seq);
}

// Reads to the end; the seqs seen.
std::vector<std::uint64_t> read_all(const FrameLog& log, Cursor& cursor) {
  std::vector<std::uint64_t> seqs;
  do {
    for (const std::uint32_t count = cursor.segment->count(); cursor.index < count;
         ++cursor.index) {
      seqs.push_back(cursor.segment->seq_of(cursor.index));
      EXPECT_EQ(cursor.segment->text_of(cursor.index).substr(0, std::to_string(seqs.back()).size()),
                std::to_string(seqs.back()));
    }
    cursor.offset = cursor.segment->begin_of(cursor.index);
  } while (log.cross(cursor));
  return seqs;
}

std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> seqs;
  for (; first <= last; ++first) seqs.push_back(first);
  return seqs;
}

TEST(HubFrameLog, AnEmptyLogHasAPlaceForWhatComes) {
  FrameLog log(k_limits, 41);
  EXPECT_EQ(log.head(), 41U);
  EXPECT_EQ(log.start(), 41U);
  EXPECT_FALSE(log.after(40).has_value());
  std::optional<Cursor> place = log.after(41);
  ASSERT_TRUE(place.has_value());
  EXPECT_FALSE(log.cross(*place));
  append_range(log, 42, 45);
  EXPECT_EQ(log.head(), 45U);
  EXPECT_EQ(read_all(log, *place), range(42, 45));
}

TEST(HubFrameLog, ACursorCrossesSegmentsAndWaitsAtTheEnd) {
  FrameLog log(k_limits, 0);
  Cursor cursor = *log.after(0);
  append_range(log, 1, 10);
  EXPECT_EQ(read_all(log, cursor), range(1, 10));
  EXPECT_EQ(cursor.segment->ordinal(), 0U);
  EXPECT_FALSE(cursor.segment->closed()) << "the segment is full, but nobody knows yet";
  append_range(log, 11, 11);
  EXPECT_TRUE(cursor.segment->closed());
  EXPECT_EQ(read_all(log, cursor), range(11, 11));
  EXPECT_EQ(cursor.segment->ordinal(), 1U);
  EXPECT_FALSE(log.cross(cursor));
  append_range(log, 12, 25);
  EXPECT_EQ(read_all(log, cursor), range(12, 25));
}

TEST(HubFrameLog, ACursorThatHasNotReadAllStays) {
  FrameLog log(k_limits, 0);
  append_range(log, 1, 15);
  Cursor cursor = *log.after(0);
  const auto before = cursor.segment;
  cursor.index = 9;
  EXPECT_FALSE(log.cross(cursor));
  EXPECT_EQ(cursor.segment, before);
  cursor.index = 10;
  EXPECT_TRUE(log.cross(cursor));
  EXPECT_EQ(cursor.index, 0U);
  EXPECT_EQ(cursor.offset, 0U);
}

TEST(HubFrameLog, AfterFindsEveryPlaceThatIsInMemory) {
  FrameLog log(k_limits, 0);
  append_range(log, 1, 57);
  const std::uint64_t start = log.start();
  EXPECT_GT(start, 0U);
  for (std::uint64_t seq = 0; seq <= 60; ++seq) {
    std::optional<Cursor> place = log.after(seq);
    ASSERT_EQ(place.has_value(), seq >= start) << seq;
    if (place) {
      EXPECT_TRUE(place->at_boundary()) << seq;
      EXPECT_EQ(read_all(log, *place), range(seq + 1, 57)) << seq;
    }
  }
}

TEST(HubFrameLog, SeqsMayHaveHoles) {
  FrameLog log(k_limits, 0);
  for (std::uint64_t seq = 5; seq <= 100; seq += 5) append(log, seq);
  log.advance_head(103);
  EXPECT_EQ(log.head(), 103U);
  Cursor cursor = *log.after(47);
  EXPECT_EQ(read_all(log, cursor).front(), 50U) << "the first segment's last";
  cursor = *log.after(50);
  EXPECT_EQ(read_all(log, cursor).front(), 55U) << "the next segment's first";
  cursor = *log.after(52);
  EXPECT_EQ(read_all(log, cursor).front(), 55U);
  cursor = *log.after(103);
  append(log, 104);
  EXPECT_EQ(read_all(log, cursor), range(104, 104));
}

TEST(HubFrameLog, TheOldestSegmentsGoWhenMemoryIsFull) {
  FrameLog log(k_limits, 0);
  append_range(log, 1, 30);
  EXPECT_EQ(log.start(), 0U);
  EXPECT_EQ(log.memory_bytes(), 3'000U);
  Cursor behind = *log.after(3);
  const Cursor ahead = *log.after(12);
  append_range(log, 31, 31);
  EXPECT_EQ(log.start(), 10U);
  EXPECT_EQ(log.memory_bytes(), 3'000U);
  EXPECT_TRUE(behind.segment->evicted());
  EXPECT_FALSE(ahead.segment->evicted());
  // Whoever holds the evicted segment can still read it and go on, as long as the next one is
  // there.
  EXPECT_EQ(read_all(log, behind), range(4, 31));
  behind = *log.after(10);
  append_range(log, 32, 51);
  behind.index = behind.segment->count();
  EXPECT_FALSE(log.cross(behind)) << "the next segment is gone too";
}

TEST(HubFrameLog, TwoSegmentsStayHoweverSmallTheMemory) {
  FrameLog log({1'000, 1}, 0);
  append_range(log, 1, 11);
  EXPECT_EQ(log.start(), 0U);
  append_range(log, 12, 21);
  EXPECT_EQ(log.start(), 10U);
  EXPECT_EQ(log.memory_bytes(), 2'000U);
}

TEST(HubFrameLog, AFrameLargerThanASegmentGetsItsOwn) {
  FrameLog log(k_limits, 0);
  append_range(log, 1, 3);
  Cursor cursor = *log.after(0);
  append(log, 4, 2'000);
  append_range(log, 5, 7);
  EXPECT_EQ(read_all(log, cursor), range(1, 7));
  EXPECT_EQ(cursor.segment->ordinal(), 2U);
  EXPECT_EQ(log.memory_bytes(), Segment::frame_bytes(2'000) + 1'000U)
      << "it counts with its own size";
}

TEST(HubFrameLog, AnEmptySegmentIsReplacedByTheLargerOne) {
  FrameLog log(k_limits, 0);
  Cursor waiting = *log.after(0);
  append(log, 1, 2'000);
  EXPECT_EQ(log.memory_bytes(), Segment::frame_bytes(2'000))
      << "the empty one is not counted any more";
  EXPECT_EQ(read_all(log, waiting), range(1, 1));
  EXPECT_EQ(waiting.segment->ordinal(), 0U);
  append_range(log, 2, 12);
  EXPECT_EQ(read_all(log, waiting), range(2, 12));
}

// A reader that stood still on the replaced segment must learn that it has to look elsewhere.
TEST(HubFrameLog, AReplacedSegmentIsEvictedForThoseWhoHoldIt) {
  FrameLog log(k_limits, 0);
  Cursor waiting = *log.after(0);
  append(log, 1, 2'000);
  append_range(log, 2, 60);
  ASSERT_GT(log.start(), 0U);
  EXPECT_FALSE(log.cross(waiting));
  EXPECT_TRUE(waiting.segment->evicted());
}

TEST(HubFrameLog, RestartDropsEverything) {
  FrameLog log(k_limits, 0);
  append_range(log, 1, 15);
  Cursor old = *log.after(12);
  log.restart(500);
  EXPECT_EQ(log.head(), 500U);
  EXPECT_EQ(log.start(), 500U);
  EXPECT_EQ(log.memory_bytes(), 1'000U);
  EXPECT_TRUE(old.segment->evicted());
  EXPECT_TRUE(old.segment->closed());
  EXPECT_FALSE(log.after(499).has_value());
  Cursor fresh = *log.after(500);
  append_range(log, 501, 503);
  EXPECT_EQ(read_all(log, fresh), range(501, 503));
  old.index = old.segment->count();
  EXPECT_FALSE(log.cross(old)) << "it would skip what came between";
}

TEST(HubFrameLogDeathTest, SeqsOnlyGrow) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  FrameLog log(k_limits, 10);
  EXPECT_DEATH(append(log, 10), "");
}

}  // namespace
}  // namespace clawws::hub
