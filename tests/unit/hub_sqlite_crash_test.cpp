// The promise itself: what was acknowledged before kill -9 is there afterwards, in order and in the
// same epoch; and whatever bit of the file changes, no wrong event is ever served.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "clawws/base/posix.hpp"
#include "support/eventually.hpp"
#include "support/sqlite_events.hpp"

namespace clawws::hub {
namespace {

using test::numbered_event;
using test::read_all;
using test::SqliteEvents;

bool long_tests() {
  return std::getenv("CLAWWS_TEST_LONG") != nullptr;
}

unsigned seed_of_run() {
  const char* given = std::getenv("CLAWWS_TEST_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                         : std::random_device{}();
  std::printf("seed: CLAWWS_TEST_SEED=%u\n", seed);
  return seed;
}

// In a child: opens, says its epoch, then appends for ever and says each seq once it is
// acknowledged.
[[noreturn]] void append_for_ever(SqliteEvents& events, int said, unsigned seed) {
  if (!events.try_open().empty()) ::_exit(1);
  const std::string epoch = events.epoch();
  if (::write(said, epoch.data(), epoch.size()) != 8) ::_exit(2);
  std::mt19937 random(seed);
  while (true) {
    const std::size_t count = random() % 4 == 0 ? 1 + random() % 200 : 1;
    std::vector<wire::Event> batch;
    for (std::size_t i = 0; i < count; ++i)
      batch.push_back(numbered_event(events.newest() + 1 + i));
    const std::string name = std::to_string(events.newest() + 1);
    const IdempotencyKey key{"user", name, name};
    const KeyedEvents keyed{&key, 0, count};
    if (!events.store->append(batch, Alongside{{&keyed, 1}})) ::_exit(3);
    const std::uint64_t acknowledged = events.newest();
    if (::write(said, &acknowledged, sizeof acknowledged) != sizeof acknowledged) ::_exit(4);
  }
}

TEST(HubSqliteCrash, WhatWasAcknowledgedBeforeAKillIsThere) {
  std::mt19937 random(seed_of_run());
  SqliteEvents events;
  // Small limits, so that kills also fall into checkpoints, pruning and the log's new beginnings.
  events.config.checkpoints = {64 * 1024, 512 * 1024, base::Millis(20), base::Millis(50)};
  events.config.retention.events = 3'000;
  events.config.clock = {};
  events.config.upkeep = SqliteStoreConfig::Upkeep::own_thread;
  std::string epoch;
  std::uint64_t newest = 0;
  const int loops = long_tests() ? 1'000 : 12;
  for (int loop = 0; loop < loops; ++loop) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const unsigned seed = random();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_for_ever(events, ends[1], seed);
    const base::UniqueFd out(ends[0]);
    ::close(ends[1]);
    std::string said(8, '\0');
    ASSERT_EQ(::read(out.get(), said.data(), 8), 8);
    // Killed at a random moment after a random number of acknowledgements.
    std::uint64_t acknowledged = newest;
    const unsigned until = random() % 60;
    const auto next = [&] {
      std::uint64_t seq = 0;
      if (::read(out.get(), &seq, sizeof seq) != sizeof seq) return false;
      acknowledged = seq;
      return true;
    };
    for (unsigned i = 0; i < until; ++i) ASSERT_TRUE(next());
    for (std::atomic<unsigned> spin = random() % 100'000; spin > 0; --spin) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    while (next()) {
    }

    SqliteEvents reader;
    reader.config = events.config;
    reader.config.upkeep = SqliteStoreConfig::Upkeep::by_hand;
    reader.config.tell = {};
    ASSERT_EQ(reader.try_open(), "") << "loop " << loop;
    if (epoch.empty()) epoch = said;
    ASSERT_EQ(said, epoch) << "loop " << loop;
    ASSERT_EQ(reader.epoch(), epoch) << "loop " << loop;
    ASSERT_GE(reader.newest(), acknowledged) << "loop " << loop;
    ASSERT_EQ(read_all(*reader.store), "") << "loop " << loop;
    // The keys of events are there exactly when the events are.
    std::uint64_t keyed_to = newest;
    for (const RememberedKey& key : *reader.store->remembered_keys()) {
      if (key.first <= newest) continue;
      ASSERT_EQ(key.first, keyed_to + 1) << "loop " << loop;
      keyed_to = key.last;
    }
    newest = reader.newest();
    ASSERT_EQ(keyed_to, newest) << "loop " << loop;
  }
  EXPECT_GT(newest, 0U);
}

// Noticed, at the start or by who reads, or harmless: then all events are as they were written.
TEST(HubSqliteCrash, NoChangedBitIsServed) {
  std::mt19937 random(seed_of_run());
  SqliteEvents events;
  events.open();
  const std::string epoch = events.epoch();
  for (int i = 0; i < 8; ++i) {
    const std::vector<wire::Event> batch = test::numbered_events(events.newest() + 1, 60);
    const IdempotencyKey key{"user", std::to_string(i), "print"};
    const KeyedEvents keyed{&key, 0, 60};
    ASSERT_TRUE(events.store->append(batch, Alongside{{&keyed, 1}}));
  }
  // Free pages too: they are written to again.
  events.config.retention.events = 400;
  events.store.reset();
  events.open();
  events.close();
  const std::string whole = *base::read_file(events.file());
  const std::string epoch_file = *base::read_file(events.file("events.epoch"));
  const auto put = [&](const char* name, const std::string& bytes) {
    const base::UniqueFd fd(::open(events.file(name).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  };
  const int flips = long_tests() ? 5'000 : 150;
  int noticed = 0;
  for (int i = 0; i < flips; ++i) {
    std::string changed = whole;
    // Every third in the head and the first pages, where there is more than rows.
    const std::size_t byte = random() % (i % 3 == 0 ? 512 : changed.size());
    const unsigned bit = random() % 8;
    changed[byte] = static_cast<char>(changed[byte] ^ (1 << bit));
    events.close();
    put("events.db", changed);
    put("events.epoch", epoch_file);
    const std::string where = "byte " + std::to_string(byte) + " bit " + std::to_string(bit);
    if (!events.try_open().empty()) {
      ++noticed;
      EXPECT_NE(events.code, base::Errc::internal) << where;
      continue;
    }
    const std::string problem = read_all(*events.store);
    EXPECT_NE(problem.find("another text"), 0U) << where;
    EXPECT_NE(problem.find("a hole"), 0U) << where;
    const bool whole_again = problem.empty() && events.epoch() == epoch && events.newest() == 480;
    if (!whole_again) ++noticed;
    if (problem.empty() && events.epoch() == epoch) {
      EXPECT_EQ(events.newest(), 480U) << where;
    }
    for (const RememberedKey& key : *events.store->remembered_keys()) {
      EXPECT_EQ(key.key.fingerprint, "print") << where;
      EXPECT_EQ(key.last - key.first, 59U) << where;
    }
    // Writing and pruning go on where nothing was found: they must not make it worse in silence.
    if (problem.empty() && events.store->append(test::numbered_events(events.newest() + 1, 40))) {
      events.store->keeper().round();
      const std::string after = read_all(*events.store);
      EXPECT_NE(after.find("another text"), 0U) << where;
      EXPECT_NE(after.find("a hole"), 0U) << where;
    }
  }
  EXPECT_GT(noticed, flips / 4);
}

// With the rows alone, not SQLite's own structure: a body, a type, a time, a seq of its own.
TEST(HubSqliteCrash, ARowThatChangedIsNamed) {
  SqliteEvents events;
  events.open();
  events.append(50);
  const std::string epoch = events.epoch();
  events.close();
  const std::string whole = *base::read_file(events.file());
  const std::size_t body = whole.find("\"n\":37,");
  ASSERT_NE(body, std::string::npos);
  std::string changed = whole;
  changed[body + 5] = '6';
  const base::UniqueFd fd(::open(events.file().c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(fd.get(), changed.data(), changed.size(), 0),
            static_cast<ssize_t>(changed.size()));
  const std::string refused = events.try_open();
  EXPECT_NE(refused.find("event " + epoch + ":37 is not what was written"), std::string::npos)
      << refused;
  EXPECT_EQ(events.code, base::Errc::store_damaged);
}

// What a start does not look at is looked at soon after.
TEST(HubSqliteCrash, OlderEventsAreLookedAtBeside) {
  SqliteEvents events;
  events.config.check_bytes = 100'000;
  events.open();
  events.append(2'000);
  events.open();
  events.store->keeper().round();
  EXPECT_NE(events.said().find("nothing is damaged"), std::string::npos) << events.said();
  auto other = SqliteConnection::open(events.file(), SqliteConnection::Access::write, nullptr);
  ASSERT_TRUE(other->run("UPDATE events SET type = 'agent.statut' WHERE seq = 7"));
  other->close();
  events.open();
  events.store->keeper().round();
  EXPECT_NE(events.said().find("event " + events.epoch() + ":7 is not"), std::string::npos)
      << events.said();
  EXPECT_TRUE(events.store->writable());
  EXPECT_TRUE(events.store->read(7, 1'000));
  auto second = SqliteConnection::open(events.file(), SqliteConnection::Access::write, nullptr);
  ASSERT_TRUE(second->run("UPDATE events SET type = 'agent.statut' WHERE seq = 1990"));
  second->close();
  EXPECT_NE(events.try_open().find(":1990 is not"), std::string::npos)
      << "the newest are looked at first";
}

// While it runs: whoever reads there is told, the live ones and the publishers go on.
TEST(HubSqliteCrash, ARowThatChangesUnderARunningServerIsNeverServed) {
  SqliteEvents events;
  events.open();
  events.append(50);
  auto other = SqliteConnection::open(events.file(), SqliteConnection::Access::write, nullptr);
  ASSERT_TRUE(
      other->run("UPDATE events SET body = replace(body, ':20,', ':21,') WHERE seq = 20; DELETE "
                 "FROM events WHERE seq BETWEEN 30 AND 32"));
  const auto before = events.store->read(0, 19 * 10);
  EXPECT_TRUE(before.has_value());
  const auto whole = events.store->read(0, 1u << 20);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->size(), 19U) << "what stands before the damage is served";
  const auto through = events.store->read(19, 1u << 20);
  ASSERT_FALSE(through.has_value());
  EXPECT_EQ(through.error().code, base::Errc::store_damaged);
  EXPECT_NE(through.error().message().find(events.epoch() + ":20"), std::string::npos);
  EXPECT_EQ(events.store->read(25, 1u << 20)->back().seq, 29U);
  const auto hole = events.store->read(29, 1u << 20);
  ASSERT_FALSE(hole.has_value());
  EXPECT_NE(hole.error().message().find("missing from " + events.epoch() + ":30 to 32"),
            std::string::npos)
      << hole.error().message();
  EXPECT_FALSE(events.store->read(30, 100).has_value());
  EXPECT_TRUE(events.store->read(32, 1u << 20).has_value());
  const wire::Filter none = *wire::Filter::from_globs({"session.*"});
  EXPECT_FALSE(events.store->before_last(1, none).has_value());
  EXPECT_EQ(events.append(1), 51U);
}

}  // namespace
}  // namespace clawws::hub
