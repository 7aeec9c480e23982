#include "clawws/client/credentials.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "clawws/client/password_sources.hpp"
#include "support/temp_dir.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using Kind = SecretPlace::Kind;

class ClientCredentials : public testing::Test {
 protected:
  Environment environment() {
    return [this](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::string() : found->second;
    };
  }
  // "user/secret", "Bearer secret", "none", or "error: …".
  std::string read(CredentialReader& reader, const net::ServerRecord* local = nullptr) {
    const auto got = reader.read("panel.example", local);
    if (!got) {
      code = got.error().code;
      return "error: " + got.error().message();
    }
    source = got->source;
    const std::string secret(got->secret.reveal());
    if (got->kind == Credentials::Kind::none) return "none";
    return got->kind == Credentials::Kind::bearer ? "Bearer " + secret : got->user + "/" + secret;
  }
  std::string read() {
    CredentialReader reader(config, environment());
    return read(reader);
  }
  net::ServerRecord local_record() {
    net::ServerRecord record;
    record.user = "admin";
    record.password_file = dir.write("local", "generated\n");
    return record;
  }
  void add(Kind kind, const std::string& value) { config.places.push_back({kind, value, "--it"}); }

  test::TempDir dir;
  std::map<std::string, std::string> variables;
  CredentialConfig config;
  Errc code = Errc::internal;
  std::string source;
};

TEST_F(ClientCredentials, TheEnvironmentsPlacesInOrder) {
  const auto names = [&] {
    std::string text;
    for (const auto& place : environment_places(environment())) text += place.name + " ";
    return text;
  };
  EXPECT_EQ(names(), "");
  variables = {{"CREDENTIALS_DIRECTORY", dir.path().string()},
               {"CLAWWS_PASSWORD_FILE", "/x"},
               {"CLAWWS_PASSWORD", "p"},
               {"CLAWWS_TOKEN_FILE", "/t"}};
  // systemd's directory without a credential of ours says nothing.
  EXPECT_EQ(names(), "CLAWWS_PASSWORD_FILE CLAWWS_PASSWORD CLAWWS_TOKEN_FILE ");
  dir.write("clawws.password", "p");
  EXPECT_EQ(names(),
            "$CREDENTIALS_DIRECTORY/clawws.password CLAWWS_PASSWORD_FILE CLAWWS_PASSWORD "
            "CLAWWS_TOKEN_FILE ");
}

TEST_F(ClientCredentials, TheFirstPlaceWins) {
  config.user = "admin";
  add(Kind::password_file, dir.write("a", "one\n"));
  add(Kind::password_file, dir.write("b", "two\n"));
  config.later_places.push_back({Kind::password_file, dir.write("c", "three\n"), "config"});
  EXPECT_EQ(read(), "admin/one");
  config.places.clear();
  EXPECT_EQ(read(), "admin/three");
}

TEST_F(ClientCredentials, ReadsEachKind) {
  config.user = "admin";
  variables["CLAWWS_PASSWORD"] = "from env";
  add(Kind::password_variable, "CLAWWS_PASSWORD");
  EXPECT_EQ(read(), "admin/from env");
  config.places.clear();
  add(Kind::password_command, "printf 'from %s' command");
  EXPECT_EQ(read(), "admin/from command");
  config.places.clear();
  add(Kind::token_file, dir.write("token", "t0ken\r\n"));
  EXPECT_EQ(read(), "Bearer t0ken");
}

TEST_F(ClientCredentials, AreReadAnewEachTime) {
  config.user = "admin";
  add(Kind::password_file, dir.write("a", "old\n"));
  CredentialReader reader(config, environment());
  EXPECT_EQ(read(reader), "admin/old");
  dir.write("a", "new\n");
  EXPECT_EQ(read(reader), "admin/new");
}

TEST_F(ClientCredentials, KeepWhatCanBeReadOnlyOnce) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "piped\n", 6), 6);
  ::close(ends[1]);
  const base::UniqueFd reading(ends[0]);
  config.user = "admin";
  add(Kind::password_file, "fd:" + std::to_string(reading.get()));
  CredentialReader reader(config, environment());
  EXPECT_EQ(read(reader), "admin/piped");
  EXPECT_EQ(read(reader), "admin/piped");
}

TEST_F(ClientCredentials, KeepWhatAShellPipesIn) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "piped\n", 6), 6);
  ::close(ends[1]);
  const base::UniqueFd reading(ends[0]);
  config.user = "admin";
  add(Kind::password_file, "/proc/self/fd/" + std::to_string(reading.get()));
  CredentialReader reader(config, environment());
  EXPECT_EQ(read(reader), "admin/piped");
  EXPECT_EQ(read(reader), "admin/piped");
}

TEST_F(ClientCredentials, RefuseBadSecrets) {
  config.user = "admin";
  for (const auto& [content, says] : {std::pair{"", "empty"}, std::pair{"\n", "empty"},
                                      std::pair{"one\ntwo\n", "more than one line"}}) {
    config.places.clear();
    add(Kind::password_file, dir.write("bad", content));
    EXPECT_NE(read().find(says), std::string::npos) << read();
    EXPECT_EQ(code, Errc::config);
    EXPECT_EQ(read().find("two"), std::string::npos);
  }
  config.places.clear();
  add(Kind::token_file, dir.write("bad", "to ken"));
  EXPECT_NE(read().find("visible ASCII"), std::string::npos) << read();
  config.places.clear();
  add(Kind::password_file, (dir.path() / "none").string());
  EXPECT_NE(read().find("No such file"), std::string::npos) << read();
  EXPECT_EQ(code, Errc::config);
}

TEST_F(ClientCredentials, ACommandThatFailsIsNamedByItsEndNotItsText) {
  config.user = "admin";
  add(Kind::password_command, "echo s3cret >/dev/null; exit 3");
  EXPECT_EQ(read(), "error: --it: it failed with exit 3");
  config.places.clear();
  add(Kind::password_command, "no-such-program-here 2>/dev/null");
  EXPECT_EQ(read(), "error: --it: it was not found (exit 127)");
}

TEST_F(ClientCredentials, ACommandHasNoneOfOurDescriptors) {
  const base::UniqueFd leaky(::open("/dev/null", O_RDONLY));  // not close-on-exec
  const auto listed = run_password_command("ls /proc/self/fd | tr '\\n' ' '");
  ASSERT_TRUE(listed);
  // Its own three and the one that ls opens to list them.
  EXPECT_EQ(listed->reveal(), "0 1 2 3 ");
}

TEST_F(ClientCredentials, ACommandThatNeverStopsWritingIsEnded) {
  const auto endless = run_password_command("yes");
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, Errc::io);
}

TEST_F(ClientCredentials, APasswordNeedsAName) {
  add(Kind::password_file, dir.write("a", "one"));
  EXPECT_NE(read().find("--user"), std::string::npos);
  EXPECT_EQ(code, Errc::usage);
}

TEST_F(ClientCredentials, LooksIntoNetrcOnlyWhenTold) {
  config.netrc_file = dir.write("netrc", "machine panel.example login me password netpw\n");
  EXPECT_EQ(read(), "none");
  config.netrc = CredentialConfig::Netrc::on;
  EXPECT_EQ(read(), "me/netpw");
  config.user = "other";
  config.prompt = CredentialConfig::Prompt::no;
  EXPECT_NE(read().find("no password for user 'other'"), std::string::npos) << read();
}

TEST_F(ClientCredentials, TheLocalServersOwnIsForItsUserAlone) {
  const auto record = local_record();
  CredentialReader any(config, environment());
  EXPECT_EQ(read(any, &record), "admin/generated");
  EXPECT_EQ(read(any), "none");
  config.user = "admin";
  CredentialReader same(config, environment());
  EXPECT_EQ(read(same, &record), "admin/generated");
  EXPECT_FALSE(same.would_ask(&record));
  config.user = "somebody";
  config.prompt = CredentialConfig::Prompt::no;
  CredentialReader other(config, environment());
  EXPECT_NE(read(other, &record).find("no password for user"), std::string::npos);
}

TEST_F(ClientCredentials, AsksOnlyForANamedUserWithoutAnythingElse) {
  EXPECT_FALSE(CredentialReader(config, environment()).would_ask(nullptr));
  config.user = "admin";
  EXPECT_TRUE(CredentialReader(config, environment()).would_ask(nullptr));
  add(Kind::password_file, "/x");
  EXPECT_FALSE(CredentialReader(config, environment()).would_ask(nullptr));
}

TEST_F(ClientCredentials, MakesTheHeader) {
  Credentials credentials;
  EXPECT_EQ(authorization_header(credentials), "");
  credentials.kind = Credentials::Kind::basic;
  credentials.user = "admin";
  credentials.secret = Secret("a:b");
  EXPECT_EQ(authorization_header(credentials), "Basic YWRtaW46YTpi");
  credentials.kind = Credentials::Kind::bearer;
  EXPECT_EQ(authorization_header(credentials), "Bearer a:b");
}

}  // namespace
}  // namespace clawws::client
