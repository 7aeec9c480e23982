#include "clawws/hub/view.hpp"

#include <gtest/gtest.h>

#include "clawws/hub/catch_up.hpp"
#include "support/hub_events.hpp"

namespace clawws::hub {
namespace {

using test::numbered_event;

// A log small enough to go round, and what a hub does to put an event on it.
struct LogTest {
  explicit LogTest(FrameLog::Limits limits = {64 * 1024, 256 * 1024}) : log(limits, 0) {}
  wire::Event append(std::string_view type, std::size_t padding = 0) {
    wire::Event event = numbered_event(log.head() + 1, type, padding);
    char tail[32];
    log.append(log.head() + 1, *types.intern(type), event.body, write_seq(tail, log.head() + 1));
    return event;
  }
  static wire::Filter filter(const std::string& glob) { return *wire::Filter::from_globs({glob}); }

  FrameLog log;
  TypeTable types;
};

// Everything that the view's log holds.
std::vector<std::string> texts_in(const FrameLog& frames) {
  std::vector<std::string> texts;
  Cursor cursor = *frames.after(frames.start());
  do {
    for (const std::uint32_t count = cursor.segment->count(); cursor.index < count;
         ++cursor.index) {
      texts.emplace_back(cursor.segment->text_of(cursor.index));
    }
  } while (frames.cross(cursor));
  return texts;
}

TEST(HubView, TheViewOfEverythingIsTheLogItself) {
  LogTest test;
  View view(wire::Filter(), test.log, test.types);
  const wire::Event event = test.append("agent.status");
  view.pull();
  EXPECT_EQ(&view.frames(), &test.log);
  EXPECT_EQ(view.frames_built(), 0U);
  EXPECT_EQ(texts_in(view.frames()), std::vector<std::string>{test::text_with_seq(event, 1)});
}

// The frames as they are to be sent.
std::vector<std::string> frames_in(const FrameLog& frames) {
  std::vector<std::string> list;
  Cursor cursor = *frames.after(frames.start());
  do {
    for (const std::uint32_t count = cursor.segment->count(); cursor.index < count; ++cursor.index)
      list.emplace_back(cursor.segment->frame_of(cursor.index));
  } while (frames.cross(cursor));
  return list;
}

TEST(HubView, AnEventStreamHasFramesOfItsOwn) {
  LogTest test;
  test.append("session.created");
  View all(wire::Filter(), test.log, test.types, {"e1"});
  View some(test.filter("session.*"), test.log, test.types, {"e1"});
  const wire::Event second = test.append("agent.status");
  const wire::Event third = test.append("session.killed", 50'000);  // larger than a segment
  all.pull();
  some.pull();
  EXPECT_FALSE(all.is_the_log());
  const std::string begin = "id: e1:2\nevent: agent.status\ndata: ";
  const std::string large = "id: e1:3\nevent: session.killed\ndata: ";
  EXPECT_EQ(frames_in(all.frames()),
            (std::vector<std::string>{begin + test::text_with_seq(second, 2) + "\n\n",
                                      large + test::text_with_seq(third, 3) + "\n\n"}));
  const auto filtered = frames_in(some.frames());
  ASSERT_EQ(filtered.size(), 1u);
  EXPECT_TRUE(filtered[0].starts_with(large));
  EXPECT_TRUE(filtered[0].ends_with(",\"prev\":0}\n\n"));
  EXPECT_EQ(all.frames_built(), 2u);
}

TEST(HubView, HasWhatMatchesSinceItsBeginWithPrev) {
  LogTest test;
  test.append("session.created");
  test.append("agent.status");
  View view(test.filter("session.*"), test.log, test.types);
  EXPECT_EQ(view.frames().head(), 2U);
  EXPECT_EQ(view.frames().start(), 2U);
  test.append("agent.status");
  const wire::Event first = test.append("session.created");
  const wire::Event second = test.append("session.killed");  // a type that did not exist before
  test.append("agent.status");
  const wire::Event third = test.append("session.created");
  test.append("agent.status");
  EXPECT_EQ(view.frames().head(), 2U) << "not before it is asked to";
  view.pull();
  EXPECT_EQ(texts_in(view.frames()), (std::vector<std::string>{test::text_with_prev(first, 4, 0),
                                                               test::text_with_prev(second, 5, 4),
                                                               test::text_with_prev(third, 7, 5)}));
  EXPECT_EQ(view.frames().head(), 8U) << "what did not match was looked at as well";
  EXPECT_EQ(view.frames_built(), 3U);
  view.pull();
  EXPECT_EQ(view.frames_built(), 3U);
}

TEST(HubView, AnEmptyFilterMovesItsHeadAlone) {
  LogTest test;
  View view(*wire::Filter::from_globs({}), test.log, test.types);
  test.append("agent.status");
  view.pull();
  EXPECT_EQ(view.frames().head(), 1U);
  EXPECT_EQ(texts_in(view.frames()).size(), 0U);
}

TEST(HubView, AFrameLargerThanItsSegmentsGoesThrough) {
  LogTest test({1u << 20, 4u << 20});
  View view(test.filter("session.*"), test.log, test.types);
  const wire::Event large = test.append("session.created", 100'000);
  const wire::Event small = test.append("session.created");
  view.pull();
  EXPECT_EQ(texts_in(view.frames()), (std::vector<std::string>{test::text_with_prev(large, 1, 0),
                                                               test::text_with_prev(small, 2, 1)}));
}

// One pull takes everything, also when the segment that it stood on was dropped behind it.
TEST(HubView, PullTakesAllAlsoFromAnEvictedSegment) {
  LogTest test({1'000, 3'000});
  View view(test.filter("agent.*"), test.log, test.types);
  std::uint64_t built = 0;
  const auto place = test.log.after(0);
  while (!place->segment->evicted()) {
    test.append("agent.status");
    ++built;
  }
  ASSERT_EQ(test.log.start(), place->segment->seq_of(place->segment->count() - 1));
  view.pull();
  EXPECT_EQ(view.frames_built(), built);
  EXPECT_EQ(view.frames().head(), built);
}

TEST(HubView, BeginsAnewWhenTheLogWentRound) {
  LogTest test({1'000, 3'000});
  View view(test.filter("agent.*"), test.log, test.types);
  test.append("agent.status");
  view.pull();
  const Cursor reader = *view.frames().after(0);
  for (int i = 0; i < 100; ++i) test.append("agent.status");
  view.pull();
  EXPECT_EQ(view.frames().head(), test.log.head());
  EXPECT_TRUE(reader.segment->evicted()) << "its readers must see that something is missing";
  EXPECT_FALSE(view.frames().after(1).has_value());
  const wire::Event next = test.append("agent.status");
  view.pull();
  const auto texts = texts_in(view.frames());
  ASSERT_FALSE(texts.empty());
  // What lies between was not looked at, so no earlier match is known.
  EXPECT_EQ(texts.back(), test::text_with_prev(next, 102, 0));
}

TEST(HubCatchUp, AChunkOfTheLogIsWhatAViewWouldShow) {
  LogTest test;
  const wire::Event first = test.append("session.created");
  test.append("agent.status");
  const wire::Event second = test.append("session.killed");
  test.append("agent.status");
  TypeSet sessions(test.filter("session.*"), test.types);
  auto chunk = chunk_from_log(test.log, sessions, 0, 0, 1u << 20);
  ASSERT_TRUE(chunk.has_value());
  EXPECT_EQ(test::texts_of(*chunk->frames),
            (std::vector<std::string>{test::text_with_prev(first, 1, 0),
                                      test::text_with_prev(second, 3, 1)}));
  EXPECT_EQ(chunk->frames->seq_of(1), 3U);
  EXPECT_TRUE(chunk->frames->closed());
  EXPECT_EQ(chunk->scanned_to, 4U);
  EXPECT_EQ(chunk->last_match, 3U);
  chunk = chunk_from_log(test.log, sessions, 1, 1, 1u << 20);
  EXPECT_EQ(test::texts_of(*chunk->frames),
            std::vector<std::string>{test::text_with_prev(second, 3, 1)});
  chunk = chunk_from_log(test.log, sessions, 4, 3, 1u << 20);
  EXPECT_EQ(chunk->frames->count(), 0U);
  EXPECT_EQ(chunk->scanned_to, 4U);
  EXPECT_EQ(chunk->last_match, 3U);
}

TEST(HubCatchUp, AChunkOfTheLogIsBoundedByWhatItHoldsAndByWhatItLookedAt) {
  LogTest test({10'000, 1u << 20});
  for (int i = 0; i < 500; ++i) test.append("agent.status");
  const std::size_t one = test::text_with_seq(numbered_event(500), 500).size();
  TypeSet everything(wire::Filter(), test.types);
  auto chunk = chunk_from_log(test.log, everything, 0, 0, 20 * one);
  ASSERT_TRUE(chunk.has_value());
  EXPECT_GE(chunk->frames->count(), 20U);
  EXPECT_LE(chunk->frames->count(), 22U);  // the first ones are shorter
  EXPECT_EQ(chunk->scanned_to, chunk->frames->count());
  TypeSet none(test.filter("session.*"), test.types);
  chunk = chunk_from_log(test.log, none, 0, 0, 20 * one);
  EXPECT_EQ(chunk->frames->count(), 0U);
  EXPECT_GE(chunk->scanned_to, 80U);
  EXPECT_LE(chunk->scanned_to, 86U);
  // Chunk by chunk the whole log comes, across its segments.
  std::uint64_t at = 0;
  std::uint64_t seen = 0;
  while (at < 500) {
    chunk = chunk_from_log(test.log, everything, at, at, 20 * one);
    ASSERT_GT(chunk->scanned_to, at);
    seen += chunk->frames->count();
    at = chunk->scanned_to;
  }
  EXPECT_EQ(seen, 500U);
}

TEST(HubCatchUp, WhatIsOlderThanTheLogIsNotInAChunkOfIt) {
  LogTest test({1'000, 3'000});
  for (int i = 0; i < 100; ++i) test.append("agent.status");
  TypeSet everything(wire::Filter(), test.types);
  const std::uint64_t start = test.log.start();
  EXPECT_FALSE(chunk_from_log(test.log, everything, start - 1, 0, 1'000).has_value());
  const auto chunk = chunk_from_log(test.log, everything, start, 0, 1u << 20);
  ASSERT_TRUE(chunk.has_value());
  EXPECT_EQ(chunk->frames->seq_of(0), start + 1);
  EXPECT_EQ(chunk->scanned_to, 100U);
}

TEST(HubCatchUp, AChunkOfTheStoresEvents) {
  TypeTable types;
  std::vector<StoredEvent> events;
  for (std::uint64_t seq = 5; seq <= 9; ++seq) {
    const wire::Event event =
        numbered_event(seq, seq % 2 == 0 ? "session.created" : "agent.status");
    events.push_back({seq, 0, event.type, event.body});
  }
  Chunk chunk = chunk_from_events(events, wire::Filter(), types, 4, 0);
  ASSERT_EQ(chunk.frames->count(), 5U);
  EXPECT_EQ(chunk.frames->text_of(4), test::text_with_seq(numbered_event(9), 9));
  EXPECT_EQ(types.name(chunk.frames->type_of(1)), "session.created");
  EXPECT_EQ(chunk.scanned_to, 9U);

  chunk = chunk_from_events(events, *wire::Filter::from_globs({"session.*"}), types, 4, 2);
  EXPECT_EQ(
      test::texts_of(*chunk.frames),
      (std::vector<std::string>{test::text_with_prev(numbered_event(6, "session.created"), 6, 2),
                                test::text_with_prev(numbered_event(8, "session.created"), 8, 6)}));
  EXPECT_EQ(chunk.scanned_to, 9U);
  EXPECT_EQ(chunk.last_match, 8U);

  chunk = chunk_from_events({}, wire::Filter(), types, 77, 70);
  EXPECT_EQ(chunk.frames->count(), 0U);
  EXPECT_EQ(chunk.scanned_to, 77U);
  EXPECT_EQ(chunk.last_match, 70U);
}

TEST(HubCatchUp, TheLargestNumbersFit) {
  char tail[32];
  EXPECT_EQ(write_seq(tail, UINT64_MAX), ",\"seq\":18446744073709551615}");
  EXPECT_EQ(write_prev(tail, UINT64_MAX), ",\"prev\":18446744073709551615}");
}

}  // namespace
}  // namespace clawws::hub
