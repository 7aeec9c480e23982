#include "clawws/client/netrc.hpp"

#include <gtest/gtest.h>

namespace clawws::client {
namespace {

// "login/password", "none", or "error: …".
std::string find(std::string_view text, std::string_view host = "panel.example",
                 const std::optional<std::string>& user = {}) {
  const auto found = find_in_netrc(text, host, user);
  if (!found) return "error: " + found.error().message();
  if (!*found) return "none";
  return (*found)->login + "/" + std::string((*found)->password.reveal());
}

TEST(ClientNetrc, FindsTheHostInAnyLayout) {
  EXPECT_EQ(find("machine panel.example login admin password s3cret"), "admin/s3cret");
  EXPECT_EQ(find("machine other login x password y\nmachine PANEL.example\n\tlogin "
                 "admin\n\tpassword s3cret\n"),
            "admin/s3cret");
  EXPECT_EQ(find("machine panel.example password only"), "/only");
  EXPECT_EQ(find("machine panel.example login admin account a password s3cret"), "admin/s3cret");
  EXPECT_EQ(find("machine panel.example login admin"), "none");
  EXPECT_EQ(find("machine panel.example.org login a password b"), "none");
  EXPECT_EQ(find(""), "none");
}

TEST(ClientNetrc, TheFirstThatFitsWins) {
  const char* text =
      "machine panel.example login a password 1\n"
      "machine panel.example login b password 2\n"
      "default login c password 3\n";
  EXPECT_EQ(find(text), "a/1");
  EXPECT_EQ(find(text, "panel.example", "b"), "b/2");
  EXPECT_EQ(find(text, "elsewhere"), "c/3");
  EXPECT_EQ(find(text, "panel.example", "nobody"), "none");
}

TEST(ClientNetrc, ReadsQuotesCommentsAndMacros) {
  EXPECT_EQ(find("machine panel.example login \"an admin\" password \"a\\\"b\\\\c #d\""),
            "an admin/a\"b\\c #d");
  EXPECT_EQ(
      find("# machine panel.example password no\nmachine panel.example password yes # old: no"),
      "/yes");
  EXPECT_EQ(
      find("macdef init\nmachine panel.example password no\n\nmachine panel.example password yes"),
      "/yes");
  EXPECT_EQ(find("machine panel.example password p#w"), "/p#w");
}

TEST(ClientNetrc, SaysTheLineButNotTheSecret) {
  EXPECT_EQ(find("machine panel.example\npassword \"s3cret\n"),
            "error: line 2: a quote that does not end on its line");
  EXPECT_EQ(find("machine panel.example password"), "error: line 1: 'password' without a value");
  EXPECT_EQ(find("\nhost panel.example"), "error: line 2: unknown word 'host'");
}

}  // namespace
}  // namespace clawws::client
