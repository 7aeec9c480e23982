// What every event store does, whatever keeps it: each test runs with each store.
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <optional>
#include <set>

#include "clawws/hub/memory_store.hpp"
#include "clawws/hub/sqlite_store.hpp"
#include "support/hub_events.hpp"
#include "support/temp_dir.hpp"

namespace clawws::hub {
namespace {

using test::numbered_event;
using test::numbered_events;

enum class Kind { memory, sqlite };

// A store with a clock that stands where the test puts it. Retention is done with each append.
struct StoreTest {
  explicit StoreTest(Kind kind, const Retention& retention = {})
      : owned(make(kind, retention)), store(*owned) {
    const auto opened =
        store.open([this](std::uint64_t first, std::span<const wire::Event> events) {
          EXPECT_EQ(first, sunk + 1);
          sunk += events.size();
        });
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message());
  }
  std::unique_ptr<EventStore> make(Kind kind, const Retention& retention) {
    const auto clock = [this] { return now.load(); };
    if (kind == Kind::memory) return std::make_unique<MemoryStore>(retention, clock);
    SqliteStoreConfig config;
    config.directory = dir.path();
    config.retention = retention;
    config.clock = clock;
    config.upkeep = SqliteStoreConfig::Upkeep::by_hand;
    auto made = std::make_unique<SqliteStore>(std::move(config));
    sqlite = made.get();
    return made;
  }
  std::uint64_t put(const std::vector<wire::Event>& events) {
    const auto first = store.append(events);
    EXPECT_TRUE(first.has_value()) << (first ? "" : first.error().message());
    if (sqlite != nullptr) sqlite->keeper().round();
    return first ? *first : 0;
  }
  std::uint64_t append(std::size_t count, std::string_view type = "agent.status") {
    return put(numbered_events(store.facts().newest + 1, count, type));
  }
  std::vector<std::uint64_t> seqs_after(std::uint64_t after, std::size_t limit = 1u << 20) const {
    std::vector<std::uint64_t> seqs;
    const auto events = store.read(after, limit);
    EXPECT_TRUE(events.has_value()) << (events ? "" : events.error().message());
    if (events) {
      for (const StoredEvent& event : *events) seqs.push_back(event.seq);
    }
    return seqs;
  }

  std::atomic<std::int64_t> now{1'000'000};
  std::uint64_t sunk = 0;
  test::TempDir dir;
  SqliteStore* sqlite = nullptr;  // the same store, when it is that one
  std::unique_ptr<EventStore> owned;
  EventStore& store;
};

class HubEventStore : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Each, HubEventStore, testing::Values(Kind::memory, Kind::sqlite),
                         [](const auto& instance) {
                           return instance.param == Kind::memory ? "memory" : "sqlite";
                         });

TEST_P(HubEventStore, AnEmptyStore) {
  const StoreTest test(GetParam());
  const StoreFacts facts = test.store.facts();
  EXPECT_EQ(facts.oldest, 1U);
  EXPECT_EQ(facts.newest, 0U);
  EXPECT_EQ(test.seqs_after(0), std::vector<std::uint64_t>());
  EXPECT_EQ(*test.store.before_last(5, wire::Filter()), 0U);
  EXPECT_EQ(*test.store.before_time(0), 0U);
  EXPECT_EQ(*test.store.before_time(std::numeric_limits<std::int64_t>::max()), 0U);
  EXPECT_EQ(test.store.durability(), GetParam() == Kind::memory ? "memory" : "written");
  EXPECT_TRUE(test.store.writable());
}

TEST_P(HubEventStore, EveryNewStoreIsAnEpochOfItsOwn) {
  std::set<std::string> epochs;
  for (int i = 0; i < 20; ++i) {
    const std::string epoch = StoreTest(GetParam()).store.facts().epoch;
    EXPECT_EQ(epoch.size(), 8U);
    EXPECT_EQ(epoch.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), std::string::npos);
    epochs.insert(epoch);
  }
  EXPECT_EQ(epochs.size(), 20U);
}

TEST_P(HubEventStore, SeqsAreConsecutiveAndComeBackThroughTheSink) {
  StoreTest test(GetParam());
  EXPECT_EQ(test.append(3), 1U);
  EXPECT_EQ(test.append(1), 4U);
  EXPECT_EQ(test.append(2), 5U);
  EXPECT_EQ(test.sunk, 6U);
  const auto events = *test.store.read(3, 1u << 20);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].seq, 4U);
  EXPECT_EQ(events[0].type, "agent.status");
  EXPECT_EQ(events[0].body, numbered_event(4).body);
  EXPECT_EQ(events[0].unix_millis, test.now);
}

TEST_P(HubEventStore, ReadsAreBoundedAndGiveAtLeastOne) {
  StoreTest test(GetParam());
  test.append(10);
  const std::size_t one = numbered_event(1).body.size();
  EXPECT_EQ(test.seqs_after(2, 1), std::vector<std::uint64_t>{3});
  EXPECT_EQ(test.seqs_after(2, 2 * one).size(), 2U);
  EXPECT_EQ(test.seqs_after(2, 2 * one + 1).size(), 3U);
  EXPECT_EQ(test.seqs_after(9), std::vector<std::uint64_t>{10});
  EXPECT_EQ(test.seqs_after(10), std::vector<std::uint64_t>());
  EXPECT_EQ(test.seqs_after(11), std::vector<std::uint64_t>())
      << "a position that does not exist yet";
}

TEST_P(HubEventStore, RetainsByCount) {
  StoreTest test(GetParam(), {.events = 5});
  test.append(3);
  EXPECT_EQ(test.store.facts().oldest, 1U);
  test.append(4);
  EXPECT_EQ(test.store.facts().oldest, 3U);
  EXPECT_EQ(test.store.facts().newest, 7U);
  EXPECT_EQ(test.seqs_after(2), (std::vector<std::uint64_t>{3, 4, 5, 6, 7}));
  const auto gone = test.store.read(1, 100);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, base::Errc::bad_position);
  EXPECT_NE(gone.error().message().find("oldest event is 3"), std::string::npos);
  // A batch larger than everything that may stay goes through the sink whole.
  test.append(50);
  EXPECT_EQ(test.sunk, 57U);
  EXPECT_EQ(test.store.facts().oldest, 53U);
}

TEST_P(HubEventStore, RetainsByBytes) {
  const std::size_t one = numbered_event(10).body.size();
  StoreTest test(GetParam(), {.bytes = 3 * one});
  for (std::uint64_t n = 10; n < 13; ++n) test.put({numbered_event(n)});
  EXPECT_EQ(test.store.facts().oldest, 1U);
  test.put({numbered_event(13)});
  EXPECT_EQ(test.store.facts().oldest, 2U);
  // One event larger than all that may stay: nothing is kept, and seqs go on.
  test.put({numbered_event(1, "agent.status", 4 * one)});
  EXPECT_EQ(test.store.facts().oldest, 6U);
  EXPECT_EQ(test.store.facts().newest, 5U);
  EXPECT_EQ(test.seqs_after(5), std::vector<std::uint64_t>());
  EXPECT_FALSE(test.store.read(4, 100).has_value());
  test.put({numbered_event(14)});
  EXPECT_EQ(test.seqs_after(5), std::vector<std::uint64_t>{6});
}

TEST_P(HubEventStore, RetainsByAge) {
  StoreTest test(GetParam(), {.age_millis = 1'000});
  test.append(2);
  test.now += 600;
  test.append(1);
  test.now += 400;
  test.append(1);
  EXPECT_EQ(test.store.facts().oldest, 1U) << "exactly as old as may be";
  test.now += 1;
  test.append(1);
  EXPECT_EQ(test.store.facts().oldest, 3U);
  test.now += 100'000;
  test.append(1);
  EXPECT_EQ(test.store.facts().oldest, 6U);
}

TEST_P(HubEventStore, TheNewestThatMatch) {
  StoreTest test(GetParam(), {.events = 8});
  test.append(2, "session.created");  // 1, 2
  test.append(3);                     // 3 to 5
  test.append(1, "session.created");  // 6
  test.append(3);                     // 7 to 9; 1 is gone
  const wire::Filter sessions = *wire::Filter::from_globs({"session.*"});
  EXPECT_EQ(*test.store.before_last(1, sessions), 5U);
  EXPECT_EQ(*test.store.before_last(2, sessions), 1U);
  EXPECT_EQ(*test.store.before_last(3, sessions), 1U) << "fewer than asked for: all that is kept";
  EXPECT_EQ(*test.store.before_last(0, sessions), 9U);
  EXPECT_EQ(*test.store.before_last(1, wire::Filter()), 8U);
  EXPECT_EQ(*test.store.before_last(std::numeric_limits<std::uint64_t>::max(), wire::Filter()), 1U);
}

// Farther back than one read of the search reaches.
TEST_P(HubEventStore, TheNewestThatMatchFarBack) {
  StoreTest test(GetParam());
  test.append(1, "session.created");  // 1
  test.append(1'999);                 // to 2,000
  test.append(1, "session.created");  // 2,001
  test.append(4'000);                 // to 6,001
  const wire::Filter sessions = *wire::Filter::from_globs({"session.*"});
  EXPECT_EQ(*test.store.before_last(1, sessions), 2'000U);
  EXPECT_EQ(*test.store.before_last(2, sessions), 0U);
  EXPECT_EQ(*test.store.before_last(3, sessions), 0U);
}

TEST_P(HubEventStore, TheEventsSinceATime) {
  StoreTest test(GetParam());
  test.append(2);  // 1, 2
  test.now += 10;
  test.append(1);  // 3
  test.now += 10;
  test.append(1);  // 4
  EXPECT_EQ(*test.store.before_time(0), 0U);
  EXPECT_EQ(*test.store.before_time(1'000'000), 0U);
  EXPECT_EQ(*test.store.before_time(1'000'001), 2U);
  EXPECT_EQ(*test.store.before_time(1'000'010), 2U);
  EXPECT_EQ(*test.store.before_time(1'000'020), 3U);
  EXPECT_EQ(*test.store.before_time(1'000'021), 4U);
}

TEST_P(HubEventStore, AClockThatGoesBackDoesNotDisorderTheTimes) {
  StoreTest test(GetParam(), {.age_millis = 5'000});
  test.append(1);
  test.now -= 900'000;
  test.append(2);
  test.now += 900'010;
  test.append(1);
  const auto events = *test.store.read(0, 1u << 20);
  ASSERT_EQ(events.size(), 4U);
  for (std::size_t i = 1; i < events.size(); ++i)
    EXPECT_GE(events[i].unix_millis, events[i - 1].unix_millis);
  EXPECT_EQ(*test.store.before_time(1'000'005), 3U);
  EXPECT_EQ(*test.store.before_time(1'000'000), 0U);
}

}  // namespace
}  // namespace clawws::hub
