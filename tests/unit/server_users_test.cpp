#include "clawws/server/users.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/server/dotenv.hpp"
#include "support/password_hash.hpp"
#include "support/temp_dir.hpp"

namespace clawws::server {
namespace {

using test::bcrypt_hash;
using test::make_hash;
using test::TempDir;

std::string error_of_htpasswd(std::string_view content) {
  UserTable table;
  const auto done = read_htpasswd(content, "users", table);
  if (!done.has_error()) return "no error";
  EXPECT_EQ(done.error().code, base::Errc::config);
  return done.error().message();
}

TEST(ServerUsers, TakesTheHashesThatAreSafe) {
  const std::pair<std::string, HashKind> hashes[] = {
      {make_hash("secret", "$2y$", 4), HashKind::bcrypt},
      {make_hash("secret", "$2b$", 4), HashKind::bcrypt},
      {make_hash("secret", "$5$", 1'000), HashKind::sha256_crypt},
      {make_hash("secret", "$5$", 0), HashKind::sha256_crypt},
      {make_hash("secret", "$6$", 1'000), HashKind::sha512_crypt},
      {make_hash("secret", "$y$", 1), HashKind::yescrypt},
      {make_hash("secret", "$y$", 0), HashKind::yescrypt}};
  for (const auto& [hash, kind] : hashes) {
    const auto found = classify_hash(hash);
    ASSERT_TRUE(found.has_value()) << hash << " " << found.error().message();
    EXPECT_EQ(*found, kind) << hash;
    const UserRecord record{"u", kind, hash, 0};
    EXPECT_TRUE(password_matches(record, "secret")) << hash;
    EXPECT_FALSE(password_matches(record, "Secret")) << hash;
    EXPECT_FALSE(password_matches(record, "")) << hash;
    EXPECT_FALSE(password_matches(record, std::string("secret\0", 7))) << hash;
    EXPECT_FALSE(password_matches(record, std::string("secret\0x", 8))) << hash;
  }
}

TEST(ServerUsers, BcryptTakesNoMoreThan72Bytes) {
  const std::string longest(72, 'p');
  const UserRecord record{"u", HashKind::bcrypt, bcrypt_hash(longest), 0};
  EXPECT_TRUE(password_matches(record, longest));
  // bcrypt itself would not see the difference.
  EXPECT_FALSE(password_matches(record, longest + "x"));
}

TEST(ServerUsers, PlainPasswords) {
  const UserRecord record{"u", HashKind::plain, "secret", 0};
  EXPECT_TRUE(password_matches(record, "secret"));
  EXPECT_FALSE(password_matches(record, "secret1"));
  EXPECT_FALSE(password_matches(record, ""));
}

TEST(ServerUsers, RefusesOtherHashesWithTheReason) {
  const std::string bcrypt = bcrypt_hash("secret");
  std::string dear = bcrypt;
  dear.replace(4, 2, "15");
  std::string cheap = bcrypt;
  cheap.replace(4, 2, "03");
  const std::string yescrypt_end = "$" + std::string(22, 'a') + "$" + std::string(43, 'a');
  const std::pair<std::string, const char*> bad[] = {
      {dear, "bcrypt cost 15, more than 14"},
      {cheap, "broken bcrypt"},
      {bcrypt.substr(0, 59), "broken bcrypt"},
      {bcrypt + "x", "broken bcrypt"},
      {"$2x$" + bcrypt.substr(4), "no password hash"},
      {"$6$rounds=1000001$salt$" + std::string(86, 'a'), "1000001 rounds"},
      {"$6$rounds=99999999999999999999$salt$" + std::string(86, 'a'), "broken SHA"},
      {"$6$salt$" + std::string(85, 'a'), "broken SHA"},
      {"$5$salt$" + std::string(43, '!'), "broken SHA"},
      {"$5$salt", "broken SHA"},
      {"$y$jDT" + yescrypt_end, "128 MiB"},
      {"$y$zzz" + yescrypt_end, "yescrypt parameters"},
      {"$y$j9T$salt", "broken yescrypt"},
      {"$apr1$abcdefgh$" + std::string(22, 'a'), "MD5"},
      {"$1$abcdefgh$" + std::string(22, 'a'), "MD5"},
      {"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "SHA-1"},
      {"abJnggxhB/yWI", "DES"},
      {"secret", "no password hash"},
      {"", "no password hash"},
      {"*", "no password hash"}};
  for (const auto& [hash, reason] : bad) {
    const std::string text = error_of_htpasswd("# x\nok:" + bcrypt + "\nbob:" + hash + "\n");
    EXPECT_EQ(text.find("users:3: the password of \"bob\" "), 0u) << text;
    EXPECT_NE(text.find(reason), std::string::npos) << hash << ": " << text;
    EXPECT_NE(text.find("htpasswd -B users bob"), std::string::npos) << text;
    if (hash.size() > 20) {
      EXPECT_EQ(text.find(hash.substr(6)), std::string::npos) << text;
    }
  }
}

TEST(ServerUsers, ReadsHtpasswd) {
  UserTable table;
  const std::string hash = bcrypt_hash("secret");
  const auto done = read_htpasswd(
      "# comment\r\n\r\nzoe:" + hash + "\r\nadam:" + hash + ":a comment\n\n  \nmia b:" + hash,
      "users", table);
  ASSERT_TRUE(done.has_value()) << done.error().message();
  EXPECT_EQ(table.records().size(), 3u);
  ASSERT_NE(table.find("zoe"), nullptr);
  EXPECT_TRUE(password_matches(*table.find("zoe"), "secret"));
  EXPECT_TRUE(password_matches(*table.find("adam"), "secret"));
  EXPECT_NE(table.find("mia b"), nullptr);
  EXPECT_EQ(table.find("mia"), nullptr);
  EXPECT_EQ(table.find("Zoe"), nullptr);
  EXPECT_NE(table.decoy(), nullptr);
}

TEST(ServerUsers, HtpasswdErrorsNameTheLine) {
  const std::string hash = bcrypt_hash("secret");
  EXPECT_EQ(error_of_htpasswd("bob\n"), "users:1: must be `name:hash`");
  EXPECT_EQ(error_of_htpasswd("\n:" + hash), "users:2: has an empty user name");
  EXPECT_EQ(error_of_htpasswd("b\x1b[m:" + hash),
            "users:1: has control characters in the user name");
  EXPECT_EQ(error_of_htpasswd(std::string(256, 'u') + ":" + hash),
            "users:1: has a user name of more than 255 bytes");
  EXPECT_EQ(error_of_htpasswd("bob:" + hash + "\nbob:" + hash),
            "users:2: the user \"bob\" is there twice");
}

TEST(ServerUsers, DotenvLikeTheNodePackage) {
  const auto values = parse_dotenv(
      "# comment\r\n"
      "PLAIN=value\r\n"
      "SPACES =  around it  \n"
      "export EXPORTED=yes\n"
      "EMPTY=\n"
      "COMMENT=before # behind\n"
      "HASH=be#hind\n"
      "SINGLE='a # \\n b'\n"
      "DOUBLE=\"a # \\n b\" # comment\n"
      "BACK=`it's \"quoted\"`\n"
      "MULTI=\"one\ntwo\"\n"
      "OPEN=\"no end\n"
      "INNER=a\"b\n"
      "APOSTROPHE='it\\'s'\n"
      "TAIL=\"a\"b\n"
      "no assignment\n"
      "bad key=1\n"
      "TWICE=1\n"
      "TWICE=2\n"
      "LAST=end");
  const std::map<std::string, std::string, std::less<>> expected{{"PLAIN", "value"},
                                                                 {"SPACES", "around it"},
                                                                 {"EXPORTED", "yes"},
                                                                 {"EMPTY", ""},
                                                                 {"COMMENT", "before"},
                                                                 {"HASH", "be"},
                                                                 {"SINGLE", "a # \\n b"},
                                                                 {"DOUBLE", "a # \n b"},
                                                                 {"BACK", "it's \"quoted\""},
                                                                 {"MULTI", "one\ntwo"},
                                                                 {"OPEN", "\"no end"},
                                                                 {"INNER", "a\"b"},
                                                                 {"APOSTROPHE", "it\\'s"},
                                                                 {"TAIL", "\"a\"b"},
                                                                 {"TWICE", "2"},
                                                                 {"LAST", "end"}};
  EXPECT_EQ(values, expected);
  EXPECT_TRUE(parse_dotenv("").empty());
  EXPECT_TRUE(parse_dotenv("=x\n\n#").empty());
}

class ServerLoadUsers : public testing::Test {
 protected:
  std::string error(Generate generate = Generate::allowed) {
    const auto table = load_users(config_, generate);
    return table.has_error() ? table.error().message() : "no error";
  }
  std::string password_of(std::string_view user) {
    const auto table = load_users(config_, Generate::allowed);
    if (table.has_error()) return table.error().message();
    const UserRecord* const record = table->find(user);
    return record == nullptr ? "no such user" : record->secret;
  }

  TempDir dir_;
  UserSourceConfig config_;
};

TEST_F(ServerLoadUsers, EnvFile) {
  config_.env_file = dir_.write(".env", "DASHBOARD_USERNAME=admin\nDASHBOARD_PASSWORD='pa#ss'\n");
  EXPECT_EQ(password_of("admin"), "pa#ss");
  config_.env_file = dir_.write(".env", "DASHBOARD_USERNAME=admin\n");
  EXPECT_EQ(error(), config_.env_file.string() + ": DASHBOARD_PASSWORD is not set");
  config_.env_file = dir_.write(".env", "DASHBOARD_PASSWORD=secret\n");
  EXPECT_EQ(error(), config_.env_file.string() + ": DASHBOARD_USERNAME is not set");
  config_.env_file = dir_.write(".env", "DASHBOARD_USERNAME=a:b\nDASHBOARD_PASSWORD=secret\n");
  EXPECT_NE(error().find("':'"), std::string::npos);
  EXPECT_EQ(error().find("secret"), std::string::npos);
  config_.env_file = dir_.path() / "missing";
  EXPECT_NE(error().find("missing: No such file"), std::string::npos);
}

TEST_F(ServerLoadUsers, FilesAddUpAndHideTheEnvironment) {
  config_.users_file = dir_.write("users", "bob:" + bcrypt_hash("b") + "\n");
  config_.env_file = dir_.write(".env", "DASHBOARD_USERNAME=admin\nDASHBOARD_PASSWORD=pass\n");
  config_.environment_user = "env";
  config_.environment_password = "env";
  config_.generated_in = dir_.path();
  EXPECT_EQ(password_of("admin"), "pass");
  EXPECT_EQ(password_of("env"), "no such user");
  EXPECT_EQ(load_users(config_, Generate::allowed)->records().size(), 2u);
  EXPECT_FALSE(std::filesystem::exists(generated_password_file(dir_.path())));
  config_.users_file = dir_.write("users", "admin:" + bcrypt_hash("b") + "\n");
  EXPECT_NE(error().find("\"admin\" is there twice"), std::string::npos);
}

TEST_F(ServerLoadUsers, EnvironmentHidesTheGeneratedPassword) {
  config_.generated_in = dir_.path();
  config_.environment_user = "env";
  EXPECT_EQ(error(), "environment: DASHBOARD_PASSWORD is not set");
  config_.environment_password = "secret";
  EXPECT_EQ(password_of("env"), "secret");
  EXPECT_FALSE(std::filesystem::exists(generated_password_file(dir_.path())));
}

TEST_F(ServerLoadUsers, NoUsersAtAll) {
  EXPECT_NE(error().find("--users FILE"), std::string::npos);
  EXPECT_NE(error().find("DASHBOARD_PASSWORD"), std::string::npos);
}

TEST_F(ServerLoadUsers, GeneratesAPasswordThatBrowsersCanSend) {
  for (int i = 0; i < 5; ++i) {
    const TempDir fresh;
    config_.generated_in = fresh.path();
    const std::string password = password_of("admin");
    EXPECT_EQ(password.size(), 24u);
    EXPECT_EQ(base::base64_encode("admin:" + password).find_first_of("=/+"), std::string::npos);
  }
}

TEST_F(ServerLoadUsers, KeepsTheGeneratedPassword) {
  config_.generated_in = dir_.path();
  const auto empty = load_users(config_, Generate::never);
  ASSERT_TRUE(empty.has_value());
  EXPECT_TRUE(empty->records().empty());
  EXPECT_FALSE(std::filesystem::exists(generated_password_file(dir_.path())));

  const std::string password = password_of("admin");
  struct stat info {};
  ASSERT_EQ(::stat(generated_password_file(dir_.path()).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(*base::read_file(generated_password_file(dir_.path())), password + "\n");
  EXPECT_EQ(password_of("admin"), password);
  const TempDir other;
  config_.generated_in = other.path();
  EXPECT_NE(password_of("admin"), password);

  dir_.write("password", "mine\n", 0600);
  config_.generated_in = dir_.path();
  EXPECT_EQ(password_of("admin"), "mine");
  dir_.write("password", "mine\n", 0644);
  EXPECT_NE(error().find("others may read it"), std::string::npos);
  EXPECT_EQ(error().find("mine"), std::string::npos);
  dir_.write("password", "\n", 0600);
  EXPECT_NE(error().find("is empty"), std::string::npos);
}

}  // namespace
}  // namespace clawws::server
