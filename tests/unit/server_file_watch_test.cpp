#include "clawws/server/file_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "support/eventually.hpp"
#include "support/temp_dir.hpp"

namespace clawws::server {
namespace {

using test::TempDir;

// Makes the file look as if it had been written `age` ago.
void set_age(const std::filesystem::path& path, std::chrono::seconds age) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const timespec times[2] = {{now.tv_sec - age.count(), now.tv_nsec},
                             {now.tv_sec - age.count(), now.tv_nsec}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

TEST(ServerFileWatch, NoticesAChangeAReplacementAndARemoval) {
  const TempDir dir;
  const auto path = dir.write("a", "one");
  set_age(path, std::chrono::seconds(100));
  FileWatch watch({path, {}, dir.path() / "not there"});
  EXPECT_FALSE(watch.changed());

  set_age(path, std::chrono::seconds(50));
  EXPECT_TRUE(watch.changed());
  EXPECT_TRUE(watch.changed());
  watch.mark();
  EXPECT_FALSE(watch.changed());

  dir.write("a", "two");  // another inode
  set_age(path, std::chrono::seconds(50));
  EXPECT_TRUE(watch.changed());
  watch.mark();

  std::filesystem::remove(path);
  EXPECT_TRUE(watch.changed());
  watch.mark();
  EXPECT_FALSE(watch.changed());
  dir.write("not there", "now it is");
  set_age(dir.path() / "not there", std::chrono::seconds(5));
  EXPECT_TRUE(watch.changed());
}

TEST(ServerFileWatch, WaitsUntilTheFileHasComeToRest) {
  const TempDir dir;
  const auto path = dir.write("a", "one");
  set_age(path, std::chrono::seconds(100));
  FileWatch watch({path});
  const auto before = std::chrono::steady_clock::now();
  dir.write("a", "two");
  EXPECT_TRUE(test::eventually([&] { return watch.changed(); }));
  // The kernel's file times lag behind the clock by a tick or so.
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(80));
  set_age(path, std::chrono::seconds(-1'000));
  EXPECT_TRUE(watch.changed()) << "a time in the future does not hold it up";
}

}  // namespace
}  // namespace clawws::server
