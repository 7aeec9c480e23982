#include "clawws/net/server_record.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "clawws/base/posix.hpp"
#include "support/temp_dir.hpp"

namespace clawws::net {
namespace {

class NetServerRecord : public testing::Test {
 protected:
  void write(const std::string& text) {
    ASSERT_TRUE(base::write_file_atomic(server_record_path(dir.path()), text, 0600));
  }
  std::string why() const {
    const auto read = read_server_record(dir.path());
    return read ? "" : read.error().message();
  }

  ServerRecord record{
      "wss://localhost:8443/ws", "127.0.0.1", 8443, "sha256//x", {}, {}, 123, "0.1.0"};
  test::TempDir dir;
};

TEST_F(NetServerRecord, ReadsWhatWasWritten) {
  record.user = "admin";
  record.password_file = "/var/lib/clawws/password";
  ASSERT_TRUE(write_server_record(dir.path(), record));
  const auto read = read_server_record(dir.path());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->url, record.url);
  EXPECT_EQ(read->host, record.host);
  EXPECT_EQ(read->port, record.port);
  EXPECT_EQ(read->pin, record.pin);
  EXPECT_EQ(read->user, record.user);
  EXPECT_EQ(read->password_file, record.password_file);
  EXPECT_EQ(read->pid, record.pid);
  struct stat status {};
  ASSERT_EQ(::stat(server_record_path(dir.path()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(NetServerRecord, HasNoPasswordFileUnlessOneWasMade) {
  ASSERT_TRUE(write_server_record(dir.path(), record));
  const auto read = read_server_record(dir.path());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->user);
  EXPECT_FALSE(read->password_file);
}

TEST_F(NetServerRecord, SaysWhyThereIsNone) {
  EXPECT_EQ(why(), "No such file or directory");
  write("[]");
  EXPECT_NE(why().find("no JSON object"), std::string::npos) << why();
  write(R"({"url":"u","host":"h","pin":"p","version":"v","port":70000,"pid":1})");
  EXPECT_NE(why().find("\"port\""), std::string::npos) << why();
  write(R"({"url":7,"host":"h","pin":"p","version":"v","port":1,"pid":1})");
  EXPECT_NE(why().find("\"url\""), std::string::npos) << why();
  write(
      R"({"url":"u","host":"h","pin":"p","version":"v","port":1,"pid":1,"user":"a","password_file":"p"})");
  EXPECT_NE(why().find("not absolute"), std::string::npos) << why();
}

TEST_F(NetServerRecord, TrustsNoneThatOthersMayWrite) {
  ASSERT_TRUE(write_server_record(dir.path(), record));
  ASSERT_EQ(::chmod(server_record_path(dir.path()).c_str(), 0620), 0);
  EXPECT_NE(why().find("others"), std::string::npos) << why();
}

TEST_F(NetServerRecord, RemovesOnlyItsOwn) {
  ASSERT_TRUE(write_server_record(dir.path(), record));
  remove_server_record(dir.path(), record.pid + 1);
  EXPECT_EQ(why(), "");
  remove_server_record(dir.path(), record.pid);
  EXPECT_EQ(why(), "No such file or directory");
}

}  // namespace
}  // namespace clawws::net
