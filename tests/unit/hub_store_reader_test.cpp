// Replays: what is close together is read once, users take turns within their allowance, and
// nothing that matches is left out.
#include "clawws/hub/store_reader.hpp"

#include <gtest/gtest.h>

#include <future>

#include "clawws/hub/memory_store.hpp"
#include "support/eventually.hpp"
#include "support/hub_events.hpp"

namespace clawws::hub {
namespace {

using base::Result;
using test::eventually;
using test::numbered_event;
using ChunkResult = Result<std::shared_ptr<const Chunk>>;

struct Replays : testing::Test {
  void fill(std::size_t count, std::size_t padding = 0, Retention retention = {}) {
    store = std::make_unique<MemoryStore>(retention);
    ASSERT_TRUE(store->open([](std::uint64_t, std::span<const wire::Event>) {}));
    for (std::size_t n = 1; n <= count; ++n) {
      const wire::Event event = numbered_event(n, n % 3 == 0 ? "session.created" : "agent.status", padding);
      ASSERT_TRUE(store->append({&event, 1}));
    }
  }
  StoreReader& start(const StoreReader::Limits& limits = {0, 4'096, 1u << 20}) {
    reader = std::make_unique<StoreReader>(*store, types, limits);
    reader->start();
    return *reader;
  }
  ChunkResult replay(std::uint64_t after, const wire::Filter& filter = {}, const std::string& user = "u", std::uint64_t last_match = 0) {
    std::promise<ChunkResult> done;
    reader->replay(filter, after, last_match, user, [&](ChunkResult chunk) { done.set_value(std::move(chunk)); });
    return done.get_future().get();
  }
  // Follows chunk after chunk as a session does; the seqs that it would send.
  std::vector<std::uint64_t> follow(std::uint64_t after, const wire::Filter& filter = {}) {
    std::vector<std::uint64_t> seqs;
    while (after < store->facts().newest) {
      std::shared_ptr<const Chunk> chunk = reader->at_hand(filter, after);
      if (!chunk) chunk = *replay(after, filter);
      for (std::uint32_t i = chunk->frames->index_after(after); i < chunk->frames->count(); ++i) seqs.push_back(chunk->frames->seq_of(i));
      if (chunk->scanned_to <= after) break;
      after = chunk->scanned_to;
    }
    return seqs;
  }

  TypeTable types;
  std::unique_ptr<MemoryStore> store;
  std::unique_ptr<StoreReader> reader;
};

TEST_F(Replays, NothingIsLeftOutFromAnyPlace) {
  fill(300);
  start();
  const wire::Filter sessions = *wire::Filter::from_globs({"session.*"});
  for (std::uint64_t after = 0; after <= 300; after += 7) {
    std::vector<std::uint64_t> all, some;
    for (std::uint64_t seq = after + 1; seq <= 300; ++seq) {
      all.push_back(seq);
      if (seq % 3 == 0) some.push_back(seq);
    }
    EXPECT_EQ(follow(after), all) << after;
    EXPECT_EQ(follow(after, sessions), some) << after;
  }
}

TEST_F(Replays, AThousandClientsFromClosePlacesReadTheLogOnce) {
  fill(2'000);
  start();
  EXPECT_EQ(follow(0).size(), 2'000U);
  const std::uint64_t once = reader->reads();
  EXPECT_GT(once, 20U) << "in bounded chunks";
  for (std::uint64_t client = 0; client < 1'000; ++client) ASSERT_EQ(follow(client % 64).size(), 2'000 - client % 64);
  EXPECT_EQ(reader->reads(), once);
}

TEST_F(Replays, TheFirstFramesPrevIsTheNewestMatchBeforeIt) {
  fill(300);
  start();
  const wire::Filter sessions = *wire::Filter::from_globs({"session.*"});
  const auto first_prev = [&](std::uint64_t after, std::uint64_t last_match) {
    const auto chunk = *replay(after, sessions, "u", last_match);
    const std::string_view text = chunk->frames->text_of(chunk->frames->index_after(after));
    return std::string(text.substr(text.find("\"prev\":")));
  };
  EXPECT_EQ(first_prev(66, 66), "\"prev\":66}") << "inside the chunk, which begins at 64";
  EXPECT_EQ(first_prev(192, 189), "\"prev\":189}") << "before it";
  EXPECT_EQ(first_prev(256, 0), "\"prev\":0}") << "not known";
}

TEST_F(Replays, WhatIsAtHandIsBounded) {
  fill(2'000);
  start({0, 4'096, 16 * 1'024});
  follow(0);
  const std::uint64_t once = reader->reads();
  EXPECT_EQ(reader->at_hand({}, 0), nullptr) << "the oldest has left";
  EXPECT_NE(reader->at_hand({}, 1'990), nullptr);
  follow(0);
  EXPECT_EQ(reader->reads(), 2 * once);
}

TEST_F(Replays, EventsLargerThanAChunkComeOneByOne) {
  fill(130, 3'000);
  start({0, 1'000, 1u << 20});
  EXPECT_EQ(follow(100).size(), 30U);
}

TEST_F(Replays, APlaceThatIsNoLongerKeptIsAnError) {
  fill(300, 0, Retention{100, 1'000'000'000, 1u << 30});
  start();
  EXPECT_EQ(replay(10).error().code, base::Errc::bad_position);
  EXPECT_EQ(follow(200).size(), 100U) << "the alignment does not reach before what is kept";
}

TEST_F(Replays, AUserOverItsAllowanceWaitsAndOthersDoNot) {
  fill(2'000);
  start({2, 4'096, 1});  // nothing stays at hand
  ASSERT_TRUE(replay(0, {}, "greedy"));
  std::atomic<int> greedy{0};
  for (std::uint64_t after : {200U, 400U, 600U}) reader->replay({}, after, 0, "greedy", [&](const ChunkResult&) { ++greedy; });
  ASSERT_TRUE(replay(300, {}, "ann"));
  ASSERT_TRUE(replay(500, {}, "ben"));
  EXPECT_EQ(greedy, 0);
}

TEST_F(Replays, WhoWaitedForItsAllowanceGoesOn) {
  fill(2'000);
  start({1'000, 4'096, 1});
  std::atomic<int> done{0};
  for (std::uint64_t i = 0; i < 30; ++i) reader->replay({}, i * 64, 0, "u", [&](const ChunkResult&) { ++done; });
  EXPECT_TRUE(eventually([&] { return done == 30; }));
}

TEST_F(Replays, WhatIsAtHandCostsNoAllowance) {
  fill(200);
  start({50, 64 * 1'024, 1u << 20});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(follow(0).size(), 200U);
  EXPECT_EQ(reader->reads(), 1U);
}

TEST_F(Replays, OtherWorkDoesNotWaitForReplays) {
  fill(2'000);
  start({1, 4'096, 1});
  ASSERT_TRUE(replay(0));
  std::atomic<bool> replayed{false};
  reader->replay({}, 1'000, 0, "u", [&](const ChunkResult&) { replayed = true; });
  std::promise<void> ran;
  reader->run([&] { ran.set_value(); });
  ran.get_future().get();
  EXPECT_FALSE(replayed);
}

TEST_F(Replays, AStopDropsWhatWaits) {
  fill(2'000);
  start({1, 4'096, 1});
  ASSERT_TRUE(replay(0));
  const auto held = std::make_shared<int>(0);
  reader->replay({}, 0, 0, "u", [held](const ChunkResult&) { ADD_FAILURE() << "called after the stop"; });
  reader->stop();
  EXPECT_EQ(held.use_count(), 1);
  reader->replay({}, 0, 0, "u", [held](const ChunkResult&) { ADD_FAILURE() << "not running"; });
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace clawws::hub
