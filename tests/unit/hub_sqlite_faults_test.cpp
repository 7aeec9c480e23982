// The SQLite store on a disk that is full, broken, gone or standing still: publishing fails with
// the right error, what is there can be read, and it goes on without a restart.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "clawws/hub/hub.hpp"
#include "support/eventually.hpp"
#include "support/fault_vfs.hpp"
#include "support/sqlite_events.hpp"

namespace clawws::hub {
namespace {

using base::Errc;
using test::eventually;
using test::FaultVfs;
using test::numbered_event;
using test::numbered_events;
using test::read_all;

// Stores come and go before the VFS that they use.
struct FaultyEvents {
  FaultyEvents() {
    events.config.vfs = faults.name();
    events.config.free_bytes = [this]() -> base::Result<std::uint64_t> {
      return free_bytes.load();
    };
  }
  Errc append_code() {
    const auto first = events.store->append(numbered_events(events.newest() + 1, 2));
    return first ? Errc::internal : first.error().code;
  }

  FaultVfs faults;
  std::atomic<std::uint64_t> free_bytes{1ull << 40};
  test::SqliteEvents events;
};

TEST(HubSqliteFaults, BelowItsLeastFreeSpaceNothingIsTaken) {
  FaultyEvents test;
  SqliteStore& store = test.events.open();
  test.events.append(3);
  EXPECT_TRUE(std::filesystem::exists(test.events.file("events.reserve")));
  test.free_bytes = k_least_free_bytes - 1;
  EXPECT_TRUE(store.writable()) << "nobody has looked yet";
  const auto refused = store.append(numbered_events(4, 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::store_full);
  EXPECT_NE(refused.error().message().find(test.events.epoch() + ":4"), std::string::npos)
      << refused.error().message();
  EXPECT_NE(refused.error().message().find("64.0 MiB"), std::string::npos);
  ASSERT_FALSE(store.writable());
  EXPECT_EQ(store.writable().error().code, Errc::store_full);
  EXPECT_EQ(read_all(store), "");
  store.keeper().round();
  EXPECT_TRUE(std::filesystem::exists(test.events.file("events.reserve")))
      << "kept until it is needed";
  test.free_bytes = k_least_free_bytes;
  store.keeper().round();
  EXPECT_TRUE(store.writable()) << "seen without a publisher";
  EXPECT_EQ(test.events.append(1), 4U);
  EXPECT_NE(test.events.said().find("takes events again"), std::string::npos);
}

TEST(HubSqliteFaults, LowSpaceIsSeenWithoutAPublisher) {
  FaultyEvents test;
  SqliteStore& store = test.events.open();
  test.events.append(3);
  test.free_bytes = 1u << 20;
  store.keeper().round();
  EXPECT_EQ(store.writable().error().code, Errc::store_full);
  EXPECT_FALSE(std::filesystem::exists(test.events.file("events.reserve")))
      << "given up for what must go on";
  EXPECT_EQ(std::filesystem::file_size(test.events.file("events.db-wal")), 0U)
      << "and the log's space given back";
  test.free_bytes = 1ull << 40;
  store.keeper().round();
  EXPECT_TRUE(store.writable());
  EXPECT_EQ(std::filesystem::file_size(test.events.file("events.reserve")), k_reserve_bytes);
}

// A quota, or somebody else who took the last byte: SQLite itself finds out.
TEST(HubSqliteFaults, ADiskThatIsFullInTheMiddleOfACommit) {
  FaultyEvents test;
  SqliteStore& store = test.events.open();
  test.events.append(3);
  test.faults.write_code = SQLITE_FULL;
  EXPECT_EQ(test.append_code(), Errc::store_full);
  EXPECT_EQ(test.events.newest(), 3U);
  EXPECT_EQ(test.events.sunk, 3U) << "nothing that was not stored is sent";
  store.keeper().round();
  EXPECT_EQ(store.writable().error().code, Errc::store_full) << "tried, and still so";
  EXPECT_EQ(read_all(store), "");
  test.faults.write_code = 0;
  store.keeper().round();
  EXPECT_TRUE(store.writable());
  EXPECT_EQ(test.events.append(2), 4U) << "no seq was used up";
  const std::string epoch = test.events.epoch();
  test.events.open();
  EXPECT_EQ(test.events.epoch(), epoch);
  EXPECT_EQ(read_all(*test.events.store), "");
  EXPECT_EQ(test.events.newest(), 5U);
}

TEST(HubSqliteFaults, ADiskThatFailsOrIsReadOnly) {
  FaultyEvents test;
  SqliteStore& store = test.events.open();
  test.events.append(3);
  for (const int code : {SQLITE_IOERR_WRITE, SQLITE_READONLY}) {
    test.faults.write_code = code;
    EXPECT_EQ(test.append_code(), Errc::unavailable);
    EXPECT_EQ(store.writable().error().code, Errc::unavailable);
    EXPECT_EQ(read_all(store), "");
    test.faults.write_code = 0;
    EXPECT_EQ(test.append_code(), Errc::internal) << "the next one is taken";
    EXPECT_TRUE(store.writable());
  }
  test.events.open();
  EXPECT_EQ(read_all(*test.events.store), "");
  EXPECT_EQ(test.events.newest(), 7U);
}

TEST(HubSqliteFaults, WithFsyncEachCommitIsSyncedAndOneThatFailsIsNotAcknowledged) {
  FaultyEvents test;
  test.events.config.durability = Durability::fsync;
  SqliteStore& store = test.events.open();
  EXPECT_EQ(store.durability(), "fsynced");
  test.events.append(1);
  const int before = test.faults.syncs;
  for (int i = 0; i < 5; ++i) test.events.append(1);
  EXPECT_GE(test.faults.syncs - before, 5);
  test.faults.sync_code = SQLITE_IOERR_FSYNC;
  EXPECT_EQ(test.append_code(), Errc::unavailable);
  EXPECT_EQ(test.events.newest(), 6U);
  test.faults.sync_code = 0;
  EXPECT_EQ(test.events.append(1), 7U);
  test.events.open();
  EXPECT_EQ(read_all(*test.events.store), "");
}

TEST(HubSqliteFaults, WithoutFsyncACommitSyncsNothing) {
  FaultyEvents test;
  test.events.open();
  test.events.append(1);
  const int before = test.faults.syncs;
  for (int i = 0; i < 20; ++i) test.events.append(1);
  EXPECT_EQ(test.faults.syncs, before);
}

TEST(HubSqliteFaults, AFileThatIsMovedAwayIsNoticedAndMayComeBack) {
  FaultyEvents test;
  SqliteStore& store = test.events.open();
  test.events.append(3);
  std::filesystem::rename(test.events.file(), test.events.file("away"));
  EXPECT_EQ(test.append_code(), Errc::unavailable) << "what went there would be lost with it";
  EXPECT_EQ(store.writable().error().code, Errc::unavailable);
  test.events.dir.write("events.db", "another file");
  EXPECT_EQ(test.append_code(), Errc::unavailable);
  std::filesystem::rename(test.events.file("away"), test.events.file());
  store.keeper().round();
  EXPECT_TRUE(store.writable());
  EXPECT_EQ(test.events.append(1), 4U);
}

// It takes events as if it were there, and a kill would lose them all.
TEST(HubSqliteFaults, ARemovedWriteAheadLogIsNoticed) {
  FaultyEvents test;
  SqliteStore& store = test.events.open();
  test.events.append(3);
  std::filesystem::remove(test.events.file("events.db-wal"));
  EXPECT_EQ(test.append_code(), Errc::unavailable);
  EXPECT_NE(store.writable().error().message().find("events.db-wal was removed"), std::string::npos);
  test.events.dir.write("events.db-wal", "another file");
  EXPECT_EQ(test.append_code(), Errc::unavailable);
  std::filesystem::remove(test.events.file("events.db-wal"));
  test.events.open();
  EXPECT_EQ(test.events.newest(), 3U) << "a regular stop kept them";
  EXPECT_EQ(test.events.append(1), 4U);
}

// Reads, and with them every client that is live or catches up, do not wait for a disk that stands
// still.
TEST(HubSqliteFaults, AStalledDiskHoldsPublishersAlone) {
  FaultyEvents test;
  SqliteStore& store = test.events.open();
  test.events.append(3);
  test.faults.stalled = true;
  std::atomic<bool> stored{false};
  std::thread publisher([&] {
    EXPECT_TRUE(store.append(numbered_events(4, 1)));
    stored = true;
  });
  ASSERT_TRUE(eventually([&] { return test.faults.waiting > 0; }));
  EXPECT_EQ(read_all(store), "");
  EXPECT_EQ(store.facts().newest, 3U);
  EXPECT_TRUE(store.writable());
  EXPECT_FALSE(stored);
  test.faults.stalled = false;
  publisher.join();
  EXPECT_EQ(read_all(store), "");
  EXPECT_EQ(store.facts().newest, 4U);
}

TEST(HubSqliteFaults, PruningThatFailedIsDoneLater) {
  FaultyEvents test;
  test.events.config.retention.events = 100;
  SqliteStore& store = test.events.open();
  test.events.append(2'500);
  test.faults.write_code = SQLITE_FULL;
  store.keeper().round();
  EXPECT_NE(test.events.said().find("tidied up"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(test.events.file("events.reserve")));
  EXPECT_EQ(read_all(store), "");
  test.faults.write_code = 0;
  for (int i = 0; i < 2; ++i) store.keeper().round();
  EXPECT_EQ(store.facts().oldest, 2'401U);
  test.events.open();
  EXPECT_EQ(test.events.store->facts().oldest, 2'401U) << "no row was left behind";
  EXPECT_EQ(read_all(*test.events.store), "");
}

// Nothing injected: the kernel itself refuses to let the files grow. In a process of its own, since
// the limit is one of processes.
TEST(HubSqliteFaults, ARealLimitOfTheKernel) {
  test::SqliteEvents events;
  events.open();
  events.append(10);
  const std::string epoch = events.epoch();
  events.close();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const auto run = [&]() -> int {
      if (!events.try_open().empty()) return 1;
      rlimit limit{};
      ::getrlimit(RLIMIT_FSIZE, &limit);
      limit.rlim_cur = 512 * 1024;
      if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
      std::uint64_t stored = 10;
      for (int i = 0; i < 1'000; ++i) {
        const auto first = events.store->append(numbered_events(stored + 1, 10));
        if (!first) {
          if (first.error().code != Errc::store_full) {
            std::fprintf(stderr, "%s\n", first.error().message().c_str());
            return 3;
          }
          if (!read_all(*events.store).empty() || events.newest() != stored) return 4;
          limit.rlim_cur = limit.rlim_max;
          if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 5;
          if (!events.store->append(numbered_events(stored + 1, 10))) return 6;
          return read_all(*events.store).empty() ? 0 : 7;
        }
        stored += 10;
      }
      return 8;
    };
    const int outcome = run();
    events.close();
    ::_exit(outcome);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  events.open();
  EXPECT_EQ(events.epoch(), epoch);
  EXPECT_EQ(read_all(*events.store), "");
}

TEST(HubSqliteFaults, AFullDiskAtTheFirstStartIsSaid) {
  FaultyEvents test;
  test.faults.write_code = SQLITE_FULL;
  EXPECT_NE(test.events.try_open().find("disk is full"), std::string::npos);
  EXPECT_EQ(test.events.code, Errc::store_full);
  test.faults.write_code = 0;
  test.events.open();
  EXPECT_EQ(test.events.append(1), 1U);
}

}  // namespace
}  // namespace clawws::hub
