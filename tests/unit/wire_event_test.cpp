#include "clawws/wire/event.hpp"

#include <gtest/gtest.h>

namespace clawws::wire {
namespace {

TEST(EventTypes, AliasesHaveACanonicalName) {
  EXPECT_EQ(canonical_type("agent.status_changed"), "agent.status");
  EXPECT_EQ(canonical_type("cron.job_executed"), "cron.executed");
  EXPECT_EQ(canonical_type("gateway.status_changed"), "gateway.status");
  EXPECT_EQ(canonical_type("session.created"), "session.created");
  EXPECT_EQ(canonical_type("anything else"), "anything else");
}

TEST(EventTypes, TheListIsTheProtocolsTable) {
  EXPECT_EQ(builtin_types(),
            (std::vector<std::string>{"session.created", "session.killed", "agent.status",
                                      "cron.executed", "gateway.status", "bench.sample"}));
}

TEST(EventTypes, NamesAreLowerCaseWordsJoinedByDots) {
  for (const char* name : {"a.b", "a1_.0", "a.b.c", "session.created", "a_b.c_d"}) {
    EXPECT_TRUE(is_type_name(name)) << name;
  }
  EXPECT_TRUE(is_type_name("a." + std::string(62, 'b')));
  EXPECT_FALSE(is_type_name("a." + std::string(63, 'b')));
  for (const char* name :
       {"", "a", ".", "a.", ".a", "a..b", "A.b", "1.a", "_.a", "a-b.c", "a.b ", "a.\xc3\xa4"}) {
    EXPECT_FALSE(is_type_name(name)) << name;
  }
  EXPECT_FALSE(is_type_name(std::string_view("a.b\0", 4)));
}

TEST(EventTypes, TheProtocolsOwnNamesAreReserved) {
  for (const char* name :
       {"auth.success", "auth.x", "clawws.gap", "ping", "pong", "error", "position", "subscribed"}) {
    EXPECT_TRUE(is_reserved_type(name)) << name;
  }
  for (const char* name : {"auth", "author.x", "clawws", "clawwsx.y", "ping.x", "session.created"}) {
    EXPECT_FALSE(is_reserved_type(name)) << name;
  }
}

TEST(GlobMatch, StarStandsForAnyRunOfCharacters) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*", "a.b"));
  EXPECT_TRUE(glob_match("a*", "a"));
  EXPECT_TRUE(glob_match("a.*", "a.b.c"));
  EXPECT_TRUE(glob_match("*.c", "a.b.c"));
  EXPECT_TRUE(glob_match("a*b*c", "aXbYbc"));
  EXPECT_TRUE(glob_match("**a", "xa"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("a", ""));
  EXPECT_FALSE(glob_match("a.*", "a"));
  EXPECT_FALSE(glob_match("*b", "ba"));
  EXPECT_FALSE(glob_match("a*b*c", "aXcYb"));
  EXPECT_FALSE(glob_match("?", "a"));
}

TEST(GlobMatch, ManyStarsAreNotExponential) {
  std::string glob;
  for (int i = 0; i < 32; ++i) glob += "*a";
  EXPECT_FALSE(glob_match(glob + "b", std::string(64, 'a')));
}

TEST(JsonString, EscapesWhatJsonDemandsAndNothingElse) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("a\"b\\c/"), R"("a\"b\\c/")");
  EXPECT_EQ(json_string("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(json_string(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(json_string("gr\xc3\xbc\xc3\x9f\xe2\x80\xa8"), "\"gr\xc3\xbc\xc3\x9f\xe2\x80\xa8\"");
}

}  // namespace
}  // namespace clawws::wire
