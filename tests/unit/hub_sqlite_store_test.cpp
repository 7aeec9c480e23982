// What the SQLite store keeps across a restart, how it prunes, and what a person finds in its file.
#include "clawws/hub/sqlite_store.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "clawws/hub/hub.hpp"
#include "support/eventually.hpp"
#include "support/sqlite_events.hpp"

namespace clawws::hub {
namespace {

using base::Errc;
using test::eventually;
using test::numbered_event;
using test::numbered_events;
using test::read_all;
using test::SqliteEvents;

// Changes the file as another program would.
void run_sql(const std::filesystem::path& file, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_free(message);
  sqlite3_close(database);
}

std::int64_t ask(const std::filesystem::path& file, const char* sql) {
  auto connection = SqliteConnection::open(file, SqliteConnection::Access::write, nullptr);
  EXPECT_TRUE(connection.has_value());
  const auto value = connection->ask_integer(sql);
  EXPECT_TRUE(value.has_value()) << sql;
  return value ? *value : -1;
}

TEST(HubSqliteStore, EventsAndEpochOutliveTheProcess) {
  SqliteEvents events;
  events.open();
  const std::string epoch = events.epoch();
  EXPECT_EQ(epoch.size(), 8U);
  EXPECT_EQ(events.append(3), 1U);
  events.now += 5'000;
  EXPECT_EQ(events.append(2), 4U);
  for (int i = 0; i < 3; ++i) {
    events.open();
    EXPECT_EQ(events.epoch(), epoch);
    EXPECT_EQ(events.newest(), static_cast<std::uint64_t>(5 + i));
    EXPECT_EQ(read_all(*events.store), "");
    EXPECT_EQ(*events.store->before_time(1'700'000'000'001), 3U);
    EXPECT_EQ(events.append(1), static_cast<std::uint64_t>(6 + i)) << "seqs go on";
  }
  const auto kept = *events.store->read(0, 1u << 20);
  EXPECT_EQ(kept[0].unix_millis, 1'700'000'000'000);
  EXPECT_EQ(kept[4].unix_millis, 1'700'000'005'000);
}

TEST(HubSqliteStore, NobodyElseCanReadItsFiles) {
  SqliteEvents events;
  events.open();
  events.append(1);
  for (const char* name :
       {"events.db", "events.db-wal", "events.db-shm", "events.epoch", "events.reserve"}) {
    struct stat facts {};
    ASSERT_EQ(::stat(events.file(name).c_str(), &facts), 0) << name;
    EXPECT_EQ(facts.st_mode & 0777, 0600U) << name;
  }
  events.close();
  EXPECT_FALSE(std::filesystem::exists(events.file("events.db-wal")))
      << "a clean end leaves one file";
  std::filesystem::permissions(events.file(), std::filesystem::perms::all);
  events.open();
  struct stat facts {};
  ASSERT_EQ(::stat(events.file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST(HubSqliteStore, TheFileIsReadyForWalAndForShrinking) {
  SqliteEvents events;
  events.open();
  EXPECT_EQ(ask(events.file(), "PRAGMA auto_vacuum"), 2);
  EXPECT_EQ(ask(events.file(), "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
  EXPECT_EQ(ask(events.file(), "PRAGMA user_version"), 1);
}

TEST(HubSqliteStore, WhatIsNotItsOwnIsRefused) {
  SqliteEvents events;
  run_sql(events.file(), "CREATE TABLE t (x)");
  EXPECT_NE(events.try_open().find("no event store"), std::string::npos);
  EXPECT_EQ(events.code, Errc::config);
  std::filesystem::remove(events.file());

  events.dir.write("events.db", std::string(8192, 'x'));
  EXPECT_NE(events.try_open().find("events.db"), std::string::npos);
  EXPECT_EQ(events.code, Errc::store_damaged);
  std::filesystem::remove(events.file());

  events.open();
  events.close();
  run_sql(events.file(), "PRAGMA user_version=2");
  EXPECT_NE(events.try_open().find("has format 2"), std::string::npos);
  EXPECT_EQ(events.code, Errc::config);
  run_sql(events.file(), "PRAGMA user_version=1; CREATE TABLE t (x)");
  EXPECT_NE(events.try_open().find("not its own"), std::string::npos);
  run_sql(events.file(), "DROP TABLE t; DROP TABLE idempotency");
  EXPECT_NE(events.try_open().find("idempotency"), std::string::npos);
  std::filesystem::remove(events.file());
  std::filesystem::create_directory(events.file());
  EXPECT_NE(events.try_open().find("not a file"), std::string::npos);
  EXPECT_EQ(events.code, Errc::io);
}

TEST(HubSqliteStore, AStartThatEndedBeforeItsTablesIsDoneAgain) {
  SqliteEvents events;
  run_sql(events.file(), "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL");
  ASSERT_GT(std::filesystem::file_size(events.file()), 0U);
  events.open();
  EXPECT_EQ(events.append(1), 1U);
}

TEST(HubSqliteStore, PrunesInStepsAndGivesTheSpaceBack) {
  SqliteEvents events;
  events.config.retention.events = 2'000;
  events.open();
  for (int i = 0; i < 12; ++i) events.append(1'000, 300);
  EXPECT_EQ(events.store->facts().oldest, 1U) << "not within a publisher's commit";
  events.store->keeper().round();
  EXPECT_EQ(events.store->facts().oldest, 10'001U);
  EXPECT_EQ(read_all(*events.store, 300), "");
  const auto gone = events.store->read(9'999, 100);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, Errc::bad_position);
  events.open();
  EXPECT_EQ(events.store->facts().oldest, 10'001U);
  EXPECT_EQ(events.newest(), 12'000U);
  events.close();
  EXPECT_LT(std::filesystem::file_size(events.file()),
            2'000U * 420 * 12 / 10 + (1u << 20) + 256 * 4096);
}

TEST(HubSqliteStore, TheFileStaysWithinItsPartOfTheBytes) {
  SqliteEvents events;
  events.config.retention.bytes = 4u << 20;
  events.open();
  // Small events: what SQLite adds to each is as much as the event.
  for (int i = 0; i < 70; ++i) {
    events.append(1'000);
    if (i % 10 == 9) events.store->keeper().round();
  }
  events.store->keeper().round();
  EXPECT_GT(events.store->facts().oldest, 1U);
  EXPECT_EQ(read_all(*events.store), "");
  events.close();
  EXPECT_LT(std::filesystem::file_size(events.file()),
            (4u << 20) * 12 / 10 + (1u << 20) + 256 * 4096);
}

TEST(HubSqliteStore, NothingKeptIsNotNothingEver) {
  SqliteEvents events;
  events.config.retention.age_millis = 1'000;
  events.open();
  const std::string epoch = events.epoch();
  events.append(5);
  events.now += 5'000;
  events.store->keeper().round();
  EXPECT_EQ(events.store->facts().oldest, 6U);
  EXPECT_EQ(events.newest(), 5U);
  events.open();
  EXPECT_EQ(events.store->facts().oldest, 6U);
  EXPECT_EQ(events.newest(), 5U);
  EXPECT_EQ(events.epoch(), epoch);
  EXPECT_EQ(events.append(1), 6U);
  EXPECT_EQ(read_all(*events.store), "");
}

TEST(HubSqliteStore, RetentionHappensByItself) {
  SqliteEvents events;
  events.config.retention.events = 100;
  events.config.upkeep = SqliteStoreConfig::Upkeep::own_thread;
  events.open();
  events.append(1'000);
  events.append(1'000);
  EXPECT_TRUE(eventually([&] { return events.store->facts().oldest == 1'901; }));
  EXPECT_EQ(read_all(*events.store), "");
}

TEST(HubSqliteStore, CheckpointsRunBesideAndTheLogStaysSmall) {
  SqliteEvents events;
  events.config.checkpoints.begin_bytes = 64 * 1024;
  events.config.checkpoints.slow_bytes = 1u << 20;
  events.config.checkpoints.slow_for = base::Millis(5'000);
  events.open();
  for (int i = 0; i < 60; ++i) {
    events.append(100, 900);
    // A commit may go over the limit; the next one waits until the log is in the database.
    EXPECT_LT(events.store->checkpointer().frames() * 4096, (1u << 20) + 400'000U);
  }
  EXPECT_GT(events.store->checkpointer().runs(), 0U);
  EXPECT_EQ(read_all(*events.store, 900), "");
}

// A person who left a transaction open holds checkpoints up, but not the publishers for good.
TEST(HubSqliteStore, ALongReaderSlowsPublishersButStopsNone) {
  SqliteEvents events;
  events.config.checkpoints = {64 * 1024, 256 * 1024, base::Millis(20), base::Millis(5'000)};
  events.open();
  events.append(1);
  auto reader = SqliteConnection::open(events.file(), SqliteConnection::Access::read, nullptr);
  ASSERT_TRUE(reader->run("BEGIN; SELECT * FROM events"));
  for (int i = 0; i < 8; ++i) events.append(100, 900);
  EXPECT_GT(events.store->checkpointer().frames() * 4096, 256U * 1024);
  ASSERT_TRUE(reader->run("COMMIT"));
  EXPECT_TRUE(eventually([&] {
    events.append(1, 900);
    return events.store->checkpointer().frames() * 4096 < 256U * 1024;
  }));
}

TEST(HubSqliteStore, KeysAreKeptWithTheirEventsUntilTheyExpire) {
  SqliteEvents events;
  events.open();
  const IdempotencyKey first{"ann", "k1", std::string("\0\x01 bytes", 8)};
  const IdempotencyKey second{"ben", "k1", "other"};
  const std::vector<wire::Event> batch = numbered_events(1, 3);
  const std::vector<KeyedEvents> keys{{&first, 0, 1}, {&second, 1, 2}};
  ASSERT_TRUE(events.store->append(batch, Alongside{keys}));
  events.now += 60'000;
  events.open();
  const auto kept = *events.store->remembered_keys();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].key.user, "ann");
  EXPECT_EQ(kept[0].key.fingerprint, first.fingerprint);
  EXPECT_EQ(kept[0].last, 1U);
  EXPECT_EQ(kept[1].key.user, "ben");
  EXPECT_EQ(kept[1].first, 2U);
  EXPECT_EQ(kept[1].last, 3U);
  EXPECT_EQ(kept[1].expires_millis - events.now, 540'000);
  events.now += 540'000;
  events.open();
  EXPECT_TRUE(events.store->remembered_keys()->empty());
  events.store->keeper().round();
  events.close();
  EXPECT_EQ(ask(events.file(), "SELECT count(*) FROM idempotency"), 0);
}

TEST(HubSqliteStore, AHubKnowsTheKeysOfItsPredecessor) {
  SqliteEvents events;
  events.now = base::unix_millis();
  const IdempotencyKey key{"ann", "k", "print"};
  std::vector<base::Result<Receipt>> answers;
  std::mutex mutex;
  const auto publish = [&](const IdempotencyKey& with, std::uint64_t first) {
    auto config = events.config;
    Hub hub({}, std::make_unique<SqliteStore>(config));
    ASSERT_TRUE(hub.start());
    hub.publish(numbered_events(first, 2), with, [&](base::Result<Receipt> receipt) {
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(receipt));
    });
    ASSERT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex);
      return !answers.empty();
    }));
  };
  publish(key, 1);
  ASSERT_TRUE(answers.at(0));
  EXPECT_EQ(answers.at(0)->novelty, Receipt::Novelty::stored);
  answers.clear();
  publish(key, 1);
  ASSERT_TRUE(answers.at(0));
  EXPECT_EQ(answers.at(0)->novelty, Receipt::Novelty::repeated);
  EXPECT_EQ(answers.at(0)->first, 1U);
  EXPECT_EQ(answers.at(0)->last, 2U);
  answers.clear();
  publish({"ann", "k", "another print"}, 3);
  ASSERT_FALSE(answers.at(0));
  EXPECT_EQ(answers.at(0).error().code, Errc::conflict);
  answers.clear();
  publish({"ben", "k", "print"}, 3);
  EXPECT_EQ(answers.at(0)->first, 3U) << "another user's key, and nothing was stored twice";
}

TEST(HubSqliteStore, ReadsHoldWhileItIsWrittenAndPruned) {
  SqliteEvents events;
  events.config.retention.events = 500;
  events.config.upkeep = SqliteStoreConfig::Upkeep::own_thread;
  events.open();
  events.append(1);
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::string first_wrong;
  std::thread reader([&] {
    const wire::Filter none = *wire::Filter::from_globs({"session.*"});
    while (!done) {
      std::uint64_t position = events.store->facts().oldest - 1;
      for (int i = 0; i < 5; ++i) {
        const auto read = events.store->read(position, 20'000);
        if (!read && read.error().code == Errc::bad_position) break;
        if (!read && wrong++ == 0) first_wrong = read.error().message();
        if (!read || read->empty()) break;
        position = read->back().seq;
      }
      for (const auto& found : {events.store->before_time(1), events.store->before_last(3, none)}) {
        if (!found && wrong++ == 0) first_wrong = found.error().message();
      }
    }
  });
  for (int i = 0; i < 60; ++i) {
    events.append(200);
    events.store->keeper().round();
  }
  done = true;
  reader.join();
  EXPECT_EQ(wrong, 0) << first_wrong;
}

}  // namespace
}  // namespace clawws::hub
