#include "clawws/client/cursor.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/temp_dir.hpp"

namespace clawws::client {
namespace {

namespace fs = std::filesystem;
using base::Errc;

class ClientCursor : public testing::Test {
 protected:
  std::string content() const { return base::read_file(path).value(); }
  void expect_refused(const std::string& text, const std::string& says) {
    dir.write("at", text);
    const auto cursor = Cursor::open(path);
    ASSERT_FALSE(cursor) << text;
    EXPECT_EQ(cursor.error().code, Errc::config);
    const std::string error = cursor.error().message();
    EXPECT_NE(error.find(says), std::string::npos) << error;
    EXPECT_NE(error.find(path.string()), std::string::npos) << error;
    EXPECT_NE(error.find("remove it"), std::string::npos) << error;
  }

  test::TempDir dir;
  const fs::path path = dir.path() / "at";
};

TEST_F(ClientCursor, KeepsThePlaceFromOneRunToTheNext) {
  {
    auto cursor = Cursor::open(path).value();
    EXPECT_FALSE(cursor.found());
    EXPECT_FALSE(cursor.has_place());
    cursor.moved({"k3f9c2a1", 8812}, 0);
    EXPECT_TRUE(cursor.has_place());
    ASSERT_TRUE(cursor.save(0));
  }
  EXPECT_EQ(content(), "k3f9c2a1:8812\n");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  const auto cursor = Cursor::open(path).value();
  EXPECT_EQ(cursor.found(), (wire::Position{"k3f9c2a1", 8812}));
}

TEST_F(ClientCursor, IsNeverAheadOfWhatWasTaken) {
  auto cursor = Cursor::open(path).value();
  cursor.moved({"e1", 0}, 0);
  cursor.moved({"e1", 1}, 100);
  cursor.moved({"e1", 2}, 200);
  ASSERT_TRUE(cursor.save(0));
  EXPECT_EQ(content(), "e1:0\n");
  ASSERT_TRUE(cursor.save(199));
  EXPECT_EQ(content(), "e1:1\n");
  EXPECT_TRUE(cursor.pending());
  ASSERT_TRUE(cursor.save(200));
  EXPECT_EQ(content(), "e1:2\n");
  EXPECT_FALSE(cursor.pending());
}

TEST_F(ClientCursor, MovesWithoutOutputAndBackIntoANewEpoch) {
  auto cursor = Cursor::open(path).value();
  cursor.moved({"e1", 7}, 100);
  cursor.moved({"e1", 900}, 100);
  ASSERT_TRUE(cursor.save(100));
  EXPECT_EQ(content(), "e1:900\n");
  cursor.moved({"e2", 0}, 100);
  ASSERT_TRUE(cursor.save(100));
  EXPECT_EQ(content(), "e2:0\n");
}

TEST_F(ClientCursor, RemembersABoundedNumberOfPlaces) {
  auto cursor = Cursor::open(path).value();
  for (std::uint64_t seq = 1; seq <= 100'000; ++seq) cursor.moved({"e1", seq}, seq * 10);
  // Coarser in the middle, exact at the end.
  ASSERT_TRUE(cursor.save(500'000));
  const auto kept = wire::parse_position(content().substr(0, content().size() - 1));
  ASSERT_TRUE(kept);
  EXPECT_LE(kept->seq, 50'000u);
  ASSERT_TRUE(cursor.save(1'000'000));
  EXPECT_EQ(content(), "e1:100000\n");
}

TEST_F(ClientCursor, RefusesAFileThatHoldsNoPosition) {
  expect_refused("", "the file is empty");
  expect_refused("k3f9c2a1:88", "\"k3f9c2a1:88\" without the end of its line");  // cut short: a digit may be missing
  expect_refused("hello\n", "\"hello\"");
  expect_refused("e1:1\ne1:2\n", "more lines than \"e1:1\"");
  expect_refused("\x1b]0;owned\a\n", "\\x1b");
  dir.write("at", std::string(5'000, 'x'));
  const auto large = Cursor::open(path);
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().message().find("larger than"), std::string::npos);
}

TEST_F(ClientCursor, RefusesWhatIsNoFile) {
  const auto directory = Cursor::open(dir.path());
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().message().find("no regular file"), std::string::npos);
  const auto nowhere = Cursor::open(dir.path() / "none" / "at");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, Errc::config);
  EXPECT_NE(nowhere.error().message().find("No such file"), std::string::npos);
}

TEST_F(ClientCursor, BelongsToOneTailAtATime) {
  auto first = Cursor::open(path);
  ASSERT_TRUE(first);
  fs::create_symlink(path, dir.path() / "other-name");
  first->moved({"e1", 1}, 0);
  ASSERT_TRUE(first->save(0));
  for (const char* name : {"at", "other-name"}) {
    const auto second = Cursor::open(dir.path() / name);
    ASSERT_FALSE(second) << name;
    EXPECT_EQ(second.error().code, Errc::locked);
    EXPECT_NE(second.error().message().find("process " + std::to_string(::getpid())),
              std::string::npos)
        << second.error().message();
  }
  first = base::Error(Errc::io);
  EXPECT_TRUE(Cursor::open(path));
}

TEST_F(ClientCursor, WritesThroughALink) {
  const fs::path real = dir.write("real", "e1:1\n");
  fs::create_symlink(real, path);
  auto cursor = Cursor::open(path).value();
  cursor.moved({"e1", 2}, 0);
  ASSERT_TRUE(cursor.save(0));
  EXPECT_TRUE(fs::is_symlink(path));
  EXPECT_EQ(base::read_file(real).value(), "e1:2\n");
}

TEST_F(ClientCursor, TriesAgainWhatFailed) {
  auto cursor = Cursor::open(path).value();
  fs::create_directory(path.string() + ".new");
  cursor.moved({"e1", 5}, 0);
  const auto failed = cursor.save(0);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::io);
  EXPECT_NE(failed.error().message().find(path.string()), std::string::npos);
  EXPECT_TRUE(cursor.pending());
  fs::remove(path.string() + ".new");
  ASSERT_TRUE(cursor.save(0, Cursor::Sync::disk));
  EXPECT_EQ(content(), "e1:5\n");
}

TEST_F(ClientCursor, WritesOverWhatAKillHasLeft) {
  dir.write("at.new", "e1:99999 and more");
  auto cursor = Cursor::open(path).value();
  cursor.moved({"e1", 5}, 0);
  ASSERT_TRUE(cursor.save(0));
  EXPECT_EQ(content(), "e1:5\n");
  EXPECT_FALSE(fs::exists(path.string() + ".new"));
}

}  // namespace
}  // namespace clawws::client
