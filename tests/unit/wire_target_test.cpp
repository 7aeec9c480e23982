#include <gtest/gtest.h>

#include <string>

#include "clawws/wire/http_gate.hpp"

namespace clawws::wire {
namespace {

TEST(WireTarget, SplitsAtTheFirstQuestionMark) {
  EXPECT_EQ(split_target("/ws?a=b?c").path, "/ws");
  EXPECT_EQ(split_target("/ws?a=b?c").query, "a=b?c");
  EXPECT_EQ(split_target("/ws").query, "");
  EXPECT_EQ(split_target("?x").path, "");
}

TEST(WireTarget, OwnPathsAreComparedAsTheyStand) {
  for (const char* target : {"/ws", "/ws?", "/ws?since=earliest", "/ws?x=/../.."}) {
    EXPECT_EQ(path_owner(target), PathOwner::websocket) << target;
  }
  for (const char* target : {"/clawws/", "/clawws/events?last=3", "/clawws/../ws",
                             "/clawws/%2e%2e/x", "/clawws//health", "/clawws/%00x"}) {
    EXPECT_EQ(path_owner(target), PathOwner::clawws) << target;
  }
  for (const char* target : {"/",
                             "/WS",
                             "/ws/",
                             "/wss",
                             "/ws;x",
                             "/ws%20",
                             "/clawws",
                             "/clawwsx/",
                             "/api/x",
                             "/a/../b",
                             "/a//b",
                             "/a%2fb",
                             "/../../etc/passwd",
                             "/%2e%2e/%2e%2e/etc/passwd",
                             "/%",
                             "/%zz",
                             "/100%25",
                             "/a?/../ws",
                             "/ws/..",
                             "/ws/.",
                             "/x/../clawws",
                             "*"}) {
    EXPECT_EQ(path_owner(target), PathOwner::other) << target;
  }
}

TEST(WireTarget, WhatOnlyBecomesOursByNormalisingIsInvalid) {
  for (const char* target : {"//ws",
                             "/./ws",
                             "/x/../ws",
                             "/../ws",
                             "/..//ws",
                             "/%77s",
                             "/%57%53/../ws",
                             "/%2577s",
                             "/%252577s",
                             "/%7%37s",
                             "/%2e/ws",
                             "/x/%2e%2E/ws",
                             "/x%2f..%2fws",
                             "/x/..%5cws",
                             "\\ws",
                             "/\\ws",
                             "/x\\..\\ws",
                             "/%2fws",
                             "/clawws%2f",
                             "/clawws%2Fevents",
                             "/clawws\\events",
                             "//clawws/",
                             "/x/../clawws/",
                             "/./clawws/events",
                             "/%63lawws/events",
                             "/x//../clawws/y",
                             "/a/..//../ws",
                             "/w%73?x"}) {
    EXPECT_EQ(path_owner(target), PathOwner::invalid) << target;
  }
}

TEST(WireTarget, ControlCharactersAndOtherFormsAreInvalid) {
  for (const char* target : {"", "ws", "http://h/ws", "/a\tb", "/a\x7F", "/a%00", "/a%2500b"}) {
    EXPECT_EQ(path_owner(target), PathOwner::invalid) << target;
  }
  EXPECT_EQ(path_owner(std::string_view("/a\0b", 4)), PathOwner::invalid);
}

// Nested escapes and slashes of the size that a head may have: it ends, and soon.
TEST(WireTarget, IsLinearInTheLength) {
  std::string nested = "/%";
  while (nested.size() < 1'000'000) nested += "25";
  EXPECT_EQ(path_owner(nested), PathOwner::other);
  std::string dots;
  while (dots.size() < 1'000'000) dots += "/a/..";
  EXPECT_EQ(path_owner(dots + "/ws"), PathOwner::invalid);
}

}  // namespace
}  // namespace clawws::wire
