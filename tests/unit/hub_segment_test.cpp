#include "clawws/hub/segment.hpp"

#include <gtest/gtest.h>

#include "support/hub_events.hpp"

namespace clawws::hub {
namespace {

using test::numbered_event;

TEST(HubSegment, FramesLieOneBehindTheOther) {
  Segment segment(4096, 11, 3);
  EXPECT_EQ(segment.count(), 0U);
  EXPECT_EQ(segment.begin_of(0), 0U);
  const std::vector<std::string> texts = {std::string(70, 'a'), std::string(125, 'b'),
                                          std::string(126, 'c')};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    segment.append(11 + 2 * i, static_cast<TypeId>(i + 5), texts[i].substr(0, 9),
                   texts[i].substr(9));
  }
  ASSERT_EQ(segment.count(), 3U);
  EXPECT_EQ(segment.end_of(0), 72U);
  EXPECT_EQ(segment.end_of(1), 72U + 127U);
  EXPECT_EQ(segment.end_of(2), 72U + 127U + 130U);
  EXPECT_EQ(segment.begin_of(2), segment.end_of(1));
  EXPECT_EQ(segment.begin_of(3), segment.end_of(2));
  EXPECT_EQ(segment.seq_of(2), 15U);
  EXPECT_EQ(segment.type_of(2), 7U);
  EXPECT_EQ(segment.ordinal(), 3U);
  EXPECT_EQ(test::texts_of(segment), texts);
  std::string bytes(segment.data(), segment.end_of(2));
  EXPECT_EQ(test::take_frames(bytes), texts);
  EXPECT_EQ(bytes, "");
}

TEST(HubSegment, HeaderGrowsWithTheText) {
  EXPECT_EQ(Segment::frame_bytes(0), 2U);
  EXPECT_EQ(Segment::frame_bytes(125), 127U);
  EXPECT_EQ(Segment::frame_bytes(126), 130U);
  EXPECT_EQ(Segment::frame_bytes(65'535), 65'539U);
  EXPECT_EQ(Segment::frame_bytes(65'536), 65'546U);
  const std::string text(65'536, 'z');
  Segment segment(Segment::frame_bytes(text.size()), 1, 0);
  segment.append(1, 0, text, {});
  EXPECT_EQ(segment.text_of(0), text);
}

TEST(HubSegment, RoomEndsWithTheLastByteTheLastEntryAndTheLastOffset) {
  Segment bytes(200, 1, 0);
  EXPECT_TRUE(bytes.has_room(196, 1));  // 4 bytes of header
  EXPECT_FALSE(bytes.has_room(197, 1));
  bytes.append(1, 0, std::string(98, 'a'), {});
  EXPECT_TRUE(bytes.has_room(98, 2));
  EXPECT_FALSE(bytes.has_room(99, 2));

  Segment entries(1024, 1, 0);  // frames of less than 64 bytes run out of entries first
  std::uint64_t seq = 1;
  while (entries.has_room(10, seq)) entries.append(seq++, 0, "0123456789", {});
  EXPECT_EQ(entries.count(), 1024U / 64U + 1U);

  Segment offsets(1024, 1, 0);
  EXPECT_TRUE(offsets.has_room(64, 1 + 0xffff'ffffULL));
  EXPECT_FALSE(offsets.has_room(64, 2 + 0xffff'ffffULL));
}

TEST(HubSegment, FindsPlacesBySeqAndByByte) {
  Segment segment(4096, 100, 0);
  for (const std::uint64_t seq : {100, 103, 104, 110})
    segment.append(seq, 0, std::string(98, 'a'), {});
  EXPECT_EQ(segment.index_after(0), 0U);
  EXPECT_EQ(segment.index_after(99), 0U);
  EXPECT_EQ(segment.index_after(100), 1U);
  EXPECT_EQ(segment.index_after(102), 1U);
  EXPECT_EQ(segment.index_after(104), 3U);
  EXPECT_EQ(segment.index_after(109), 3U);
  EXPECT_EQ(segment.index_after(110), 4U);
  EXPECT_EQ(segment.index_after(999), 4U);
  EXPECT_EQ(segment.index_at(0, 4), 0U);
  EXPECT_EQ(segment.index_at(99, 4), 0U);
  EXPECT_EQ(segment.index_at(100, 4), 1U);
  EXPECT_EQ(segment.index_at(399, 4), 3U);
  EXPECT_EQ(segment.index_at(400, 4), 4U);
  EXPECT_EQ(segment.index_at(399, 2), 2U);  // among the first two only
}

TEST(HubSegment, ClosingAndEvictingAreSeen) {
  Segment segment(128, 1, 0);
  EXPECT_FALSE(segment.closed());
  EXPECT_FALSE(segment.evicted());
  segment.close();
  EXPECT_TRUE(segment.closed());
  EXPECT_FALSE(segment.evicted());
  segment.evict();
  EXPECT_TRUE(segment.evicted());
}

TEST(HubSegmentDeathTest, WritingBeyondTheEndEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Segment segment(100, 1, 0);
  EXPECT_DEATH(segment.append(1, 0, std::string(200, 'a'), {}), "");
}

}  // namespace
}  // namespace clawws::hub
