#include "clawws/wire/utf8_check.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace clawws::wire {
namespace {

enum class Verdict { valid, incomplete, broken };

Verdict check(const std::vector<std::string_view>& pieces) {
  Utf8Check check;
  for (const std::string_view piece : pieces) {
    if (!check.feed(piece)) return Verdict::broken;
  }
  return check.complete() ? Verdict::valid : Verdict::incomplete;
}

// In one piece, cut at every place, and byte by byte.
Verdict check_all_cuts(std::string_view text) {
  const Verdict whole = check({text});
  std::vector<std::string_view> bytes;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(check({text.substr(0, cut), text.substr(cut)}), whole) << "cut at " << cut;
    if (cut < text.size()) bytes.push_back(text.substr(cut, 1));
  }
  EXPECT_EQ(check(bytes), whole) << "byte by byte";
  return whole;
}

TEST(WireUtf8Check, TakesEveryLengthOfCharacter) {
  for (const char* text :
       {"", "plain ascii that is longer than eight bytes", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
        "12345678\xE2\x82\xAC"
        "12345678\xF0\x9F\xA6\x80"
        "123456789"}) {
    EXPECT_EQ(check_all_cuts(text), Verdict::valid) << text;
  }
}

TEST(WireUtf8Check, RefusesWhatRfc3629Forbids) {
  for (const char* text : {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xC3\x28", "\xE0\x9F\xBF",
                           "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                           "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xE2\x82 ",
                           "12345678\xFF"
                           "12345678",
                           "\xE2\x82\xAC\xAC"}) {
    EXPECT_EQ(check_all_cuts(text), Verdict::broken);
  }
}

TEST(WireUtf8Check, KnowsAnUnfinishedCharacter) {
  for (const char* text : {"\xC3", "\xE2\x82", "\xF0\x9F\xA6", "text \xF0"}) {
    EXPECT_EQ(check_all_cuts(text), Verdict::incomplete);
  }
}

TEST(WireUtf8Check, StaysBroken) {
  Utf8Check check;
  EXPECT_FALSE(check.feed("\xFF"));
  EXPECT_FALSE(check.feed("fine"));
  EXPECT_FALSE(check.complete());
}

}  // namespace
}  // namespace clawws::wire
