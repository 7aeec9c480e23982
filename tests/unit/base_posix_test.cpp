#include "clawws/base/posix.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "support/temp_dir.hpp"

namespace clawws::base {
namespace {

namespace fs = std::filesystem;

class BasePosix : public testing::Test {
 protected:
  test::TempDir dir_;
  const fs::path root_ = dir_.path();
};

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

TEST_F(BasePosix, UniqueFdClosesAndMoves) {
  UniqueFd a(::open("/dev/null", O_RDONLY));
  const int number = a.get();
  ASSERT_TRUE(a);
  UniqueFd b(std::move(a));
  EXPECT_EQ(b.get(), number);
  b.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST_F(BasePosix, WritesAndReadsFiles) {
  const fs::path path = root_ / "file";
  ASSERT_TRUE(write_file_atomic(path, "one", 0640).has_value());
  ASSERT_TRUE(write_file_atomic(path, "two", 0600).has_value());
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), {}), 1) << "a temporary file was left";
}

TEST_F(BasePosix, ReadErrorsNameThePathAndTheReason) {
  const auto missing = read_file(root_ / "missing");
  ASSERT_TRUE(missing.has_error());
  EXPECT_EQ(missing.error().code, Errc::io);
  EXPECT_NE(missing.error().context.find((root_ / "missing").string()), std::string::npos);
  EXPECT_NE(missing.error().context.find("No such file"), std::string::npos);
  ASSERT_TRUE(write_file_atomic(root_ / "big", std::string(100, 'x'), 0600).has_value());
  EXPECT_TRUE(read_file(root_ / "big", 100).has_value());
  ASSERT_TRUE(read_file(root_ / "big", 99).has_error());
  EXPECT_NE(read_file(root_ / "big", 99).error().context.find("larger than 99"), std::string::npos);
  EXPECT_TRUE(read_file(root_).has_error());
  EXPECT_TRUE(write_file_atomic(root_ / "no" / "such", "x", 0600).has_error());
}

TEST_F(BasePosix, AFailedWriteLeavesTheOldContent) {
  ASSERT_TRUE(write_file_atomic(root_ / "dir" / "..", "x", 0600).has_error());
  fs::create_directories(root_ / "target" / "inside");
  EXPECT_TRUE(write_file_atomic(root_ / "target", "x", 0600).has_error());
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), {}), 1);
}

TEST_F(BasePosix, ReadsADescriptorToItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  ASSERT_EQ(::write(out.get(), "secret\n", 7), 7);
  out.reset();
  EXPECT_EQ(*read_fd(in.get(), 100), "secret\n");
  EXPECT_TRUE(read_fd(-1, 100).has_error());
}

TEST_F(BasePosix, PrivateDirectories) {
  const fs::path path = root_ / "a" / "b" / "c";
  ASSERT_TRUE(make_private_directory(path).has_value());
  EXPECT_EQ(mode_of(path), 0700u);
  EXPECT_EQ(mode_of(root_ / "a"), 0700u);
  EXPECT_TRUE(make_private_directory(path).has_value());
  ASSERT_EQ(::chmod(path.c_str(), 0770), 0);
  const auto shared = make_private_directory(path);
  ASSERT_TRUE(shared.has_error());
  EXPECT_NE(shared.error().context.find("others may write"), std::string::npos);
  ASSERT_TRUE(write_file_atomic(root_ / "file", "", 0600).has_value());
  EXPECT_TRUE(make_private_directory(root_ / "file").has_error());
}

TEST_F(BasePosix, ALockIsHeldByOneProcessAndNamesIt) {
  const fs::path path = root_ / "lock";
  auto mine = lock_file(path);
  ASSERT_TRUE(mine.has_value());
  EXPECT_EQ(mode_of(path), 0600u);
  const auto second = lock_file(path);
  ASSERT_TRUE(second.has_error());
  EXPECT_EQ(second.error().code, Errc::locked);
  EXPECT_NE(second.error().context.find("process " + std::to_string(::getpid())),
            std::string::npos);
  mine = lock_file(root_ / "other");
  EXPECT_TRUE(lock_file(path).has_value());
}

TEST_F(BasePosix, RandomBytesDiffer) {
  EXPECT_EQ(random_bytes(0).size(), 0u);
  EXPECT_EQ(random_bytes(1'000).size(), 1'000u);
  EXPECT_NE(random_bytes(16), random_bytes(16));
}

TEST_F(BasePosix, RaisesTheFileLimit) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(raise_file_limit(), limit.rlim_max);
}

// Runs `check` in a child, whose environment it may change.
void in_child(void (*check)()) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    check();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(BasePosix, StateDirectoryFollowsTheEnvironment) {
  in_child([] {
    ::setenv("HOME", "/home/me", 1);
    ::unsetenv("XDG_STATE_HOME");
    ::unsetenv("STATE_DIRECTORY");
    EXPECT_EQ(default_state_directory(), "/home/me/.local/state/clawws");
    ::setenv("XDG_STATE_HOME", "relative", 1);
    EXPECT_EQ(default_state_directory(), "/home/me/.local/state/clawws");
    ::setenv("XDG_STATE_HOME", "/xdg", 1);
    EXPECT_EQ(default_state_directory(), "/xdg/clawws");
    ::setenv("STATE_DIRECTORY", "/var/lib/clawws:/var/lib/second", 1);
    EXPECT_EQ(default_state_directory(), "/var/lib/clawws");
    ::unsetenv("HOME");
    EXPECT_TRUE(home_directory().is_absolute());
  });
}

TEST_F(BasePosix, SaysThatTooFewFilesAreLeft) {
  EXPECT_TRUE(check_free_files(12));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const rlimit few{static_cast<rlim_t>(next.get()) + 4, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto enough = check_free_files(12);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(enough);
  EXPECT_EQ(enough.error().code, Errc::io);
  EXPECT_NE(enough.error().message().find("ulimit -n"), std::string::npos);
}

}  // namespace
}  // namespace clawws::base
