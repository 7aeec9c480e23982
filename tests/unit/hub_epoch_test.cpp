// When a new epoch begins, and when not: the rule itself, then a store whose files were tampered
// with.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "clawws/base/posix.hpp"
#include "clawws/hub/epoch_file.hpp"
#include "support/sqlite_events.hpp"

namespace clawws::hub {
namespace {

namespace fs = std::filesystem;
using test::read_all;
using test::SqliteEvents;

struct EpochRule : testing::Test {
  EpochFacts before{"e1", "boot-1", 5, 77, Durability::written, 100, EpochFacts::Ending::none};
  EpochNow now{"e1", "boot-1", 5, 77, 100};
  bool goes_on() const { return !why_new_epoch(before, now).has_value(); }
};

TEST_F(EpochRule, AKillLeavesTheEpoch) {
  EXPECT_TRUE(goes_on());
  now.newest = 101;  // committed, but not acknowledged yet
  EXPECT_TRUE(goes_on());
}

TEST_F(EpochRule, AcknowledgedEventsThatAreGoneEndIt) {
  now.newest = 99;
  EXPECT_FALSE(goes_on());
  EXPECT_NE(why_new_epoch(before, now)->find("the last was 100, the store ends at 99"),
            std::string::npos);
}

TEST_F(EpochRule, AnotherFileEndsIt) {
  now.inode = 78;
  EXPECT_FALSE(goes_on());
  now.inode = 77;
  now.device = 6;
  EXPECT_FALSE(goes_on());
  now.epoch = "e2";
  now.device = 5;
  EXPECT_FALSE(goes_on());
}

TEST_F(EpochRule, ALossOfPowerEndsItUnlessEachCommitWasSynced) {
  now.boot_id = "boot-2";
  EXPECT_FALSE(goes_on());
  before.durability = Durability::fsync;
  EXPECT_TRUE(goes_on());
  now.device = 9;
  EXPECT_TRUE(goes_on()) << "device numbers may change from boot to boot";
  before.durability = Durability::written;
  before.ending = EpochFacts::Ending::clean;
  EXPECT_TRUE(goes_on());
  before.ending = EpochFacts::Ending::none;
  before.boot_id = now.boot_id = "";
  EXPECT_FALSE(goes_on()) << "a machine that does not say which boot it is";
}

TEST_F(EpochRule, WithoutAFileThatTellsThereIsANewOne) {
  EXPECT_TRUE(why_new_epoch(std::nullopt, now).has_value());
  now.epoch = "";
  EXPECT_NE(why_new_epoch(before, now)->find("acknowledged events are missing: the last was 100"), std::string::npos);
  EXPECT_EQ(why_new_epoch(std::nullopt, now), "the event store is new");
  before.acknowledged = 0;
  EXPECT_EQ(why_new_epoch(before, now), "the event store is new");
}

TEST(EpochFile, HoldsWhatItWasGiven) {
  const test::TempDir dir;
  const fs::path path = dir.path() / "epoch";
  EXPECT_FALSE(EpochFile::read(path)->has_value());
  const EpochFacts given{"k3f9c2a1", "b", 3, 4, Durability::fsync, 17, EpochFacts::Ending::none};
  auto file = *EpochFile::create(path, given);
  auto read = **EpochFile::read(path);
  EXPECT_EQ(read.epoch, "k3f9c2a1");
  EXPECT_EQ(read.boot_id, "b");
  EXPECT_EQ(read.device, 3U);
  EXPECT_EQ(read.inode, 4U);
  EXPECT_EQ(read.durability, Durability::fsync);
  EXPECT_EQ(read.acknowledged, 17U);
  EXPECT_EQ(read.ending, EpochFacts::Ending::none);
  ASSERT_TRUE(file.note(18));
  EXPECT_EQ((**EpochFile::read(path)).acknowledged, 18U);
  ASSERT_TRUE(file.mark_clean());
  EXPECT_EQ((**EpochFile::read(path)).ending, EpochFacts::Ending::clean);
}

TEST(EpochFile, WhatIsChangedInItIsNotBelieved) {
  const test::TempDir dir;
  const fs::path path = dir.path() / "epoch";
  {
    const auto file = *EpochFile::create(
        path, {"k3f9c2a1", "b", 3, 4, Durability::fsync, 17, EpochFacts::Ending::none});
  }
  const std::string whole = *base::read_file(path);
  for (std::size_t byte : {0u, 20u, 40u, 97u, 105u, 113u}) {
    std::string changed = whole;
    changed[byte] = static_cast<char>(changed[byte] ^ 4);
    dir.write("epoch", changed);
    EXPECT_FALSE(EpochFile::read(path)->has_value()) << byte;
  }
  dir.write("epoch", whole.substr(0, 2'000));
  EXPECT_FALSE(EpochFile::read(path)->has_value());
}

// ---- a whole store ------------------------------------------------------------------------------

TEST(HubSqliteEpoch, ADatabaseRestoredFromAnOlderCopy) {
  SqliteEvents events;
  events.open();
  events.append(10);
  events.close();
  fs::copy_file(events.file(), events.file("copy"));
  events.open();
  const std::string epoch = events.epoch();
  events.append(5);
  events.close();
  fs::rename(events.file("copy"), events.file());
  events.open();
  EXPECT_NE(events.epoch(), epoch);
  EXPECT_EQ(events.newest(), 10U);
  EXPECT_EQ(read_all(*events.store), "") << "what is still there is served, in the new epoch";
  EXPECT_EQ(events.append(1), 11U);
  EXPECT_NE(events.said().find("not the one that was written to"), std::string::npos);
  const std::string second = events.epoch();
  events.open();
  EXPECT_EQ(events.epoch(), second) << "once is enough";
  EXPECT_EQ(read_all(*events.store), "");
}

TEST(HubSqliteEpoch, AnEpochFileCutShortUnderTheServer) {
  SqliteEvents events;
  events.open();
  events.append(2);
  const std::string epoch = events.epoch();
  fs::resize_file(events.file("events.epoch"), 0);
  EXPECT_EQ(events.append(1), 3U);
  events.open();
  EXPECT_NE(events.epoch(), epoch) << "nothing tells what was acknowledged";
  EXPECT_EQ(events.newest(), 3U);
  EXPECT_EQ(read_all(*events.store), "");
}

// The same file with less in it: only the acknowledged seq can tell.
TEST(HubSqliteEpoch, ADatabaseThatLostItsNewestEvents) {
  SqliteEvents events;
  events.open();
  events.append(10);
  events.close();
  const std::string older = *base::read_file(events.file());
  events.open();
  const std::string epoch = events.epoch();
  events.append(5);
  events.close();
  {
    const base::UniqueFd fd(::open(events.file().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    ASSERT_EQ(::write(fd.get(), older.data(), older.size()), static_cast<ssize_t>(older.size()));
  }
  events.open();
  EXPECT_NE(events.epoch(), epoch);
  EXPECT_NE(events.said().find("the last was 15, the store ends at 10"), std::string::npos);
  EXPECT_EQ(read_all(*events.store), "");
}

TEST(HubSqliteEpoch, ADatabaseCutShort) {
  SqliteEvents events;
  events.open();
  events.append(500, 300);
  events.close();
  const auto size = fs::file_size(events.file());
  for (const auto left : {size - 4096, size / 2, std::uintmax_t{4096}, std::uintmax_t{100}}) {
    fs::resize_file(events.file(), left);
    const std::string refused = events.try_open();
    EXPECT_NE(refused.find("is damaged"), std::string::npos) << left << ": " << refused;
  }
  fs::resize_file(events.file(), 0);
  events.open();
  EXPECT_EQ(events.newest(), 0U);
  EXPECT_NE(events.said().find("new epoch"), std::string::npos);
}

TEST(HubSqliteEpoch, AnotherBootWithoutACleanEnd) {
  SqliteEvents events;
  events.config.boot_id = "boot-1";
  events.open();
  const std::string epoch = events.epoch();
  events.append(3);
  events.config.boot_id = "boot-2";
  events.open();
  EXPECT_EQ(events.epoch(), epoch) << "the end before it was clean";
  events.append(1);
  // What kill -9 and a loss of power leave: the files as they are now.
  for (const char* name : {"events.db", "events.db-wal", "events.epoch"}) {
    fs::copy_file(events.file(name), events.file((std::string(name) + ".kept").c_str()));
  }
  const auto restore = [&] {
    events.close();
    for (const char* name : {"events.db", "events.db-wal", "events.epoch"}) {
      const std::string bytes =
          *base::read_file(events.file((std::string(name) + ".kept").c_str()));
      const base::UniqueFd fd(
          ::open(events.file(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
      ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
    fs::remove(events.file("events.db-shm"));
  };
  restore();
  events.open();
  EXPECT_EQ(events.epoch(), epoch) << "killed within one boot";
  EXPECT_EQ(events.newest(), 4U);
  restore();
  events.config.boot_id = "boot-3";
  events.open();
  EXPECT_NE(events.epoch(), epoch);
  EXPECT_EQ(read_all(*events.store), "");
}

TEST(HubSqliteEpoch, WithoutTheEpochFile) {
  SqliteEvents events;
  events.open();
  const std::string epoch = events.epoch();
  events.append(3);
  events.close();
  fs::remove(events.file("events.epoch"));
  events.open();
  EXPECT_NE(events.epoch(), epoch);
  EXPECT_EQ(read_all(*events.store), "");
}

}  // namespace
}  // namespace clawws::hub
