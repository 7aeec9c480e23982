#include "clawws/base/text.hpp"

#include <gtest/gtest.h>

#include <random>

namespace clawws::base {
namespace {

using namespace std::string_literals;

TEST(BaseText, Base64VectorsOfRfc4648) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
    const std::string unpadded = encoded.substr(0, encoded.find('='));
    EXPECT_EQ(base64_encode(plain, Base64::url), unpadded);
    EXPECT_EQ(base64_decode(unpadded), plain);
  }
}

TEST(BaseText, Base64RoundTripsInBothAlphabets) {
  std::mt19937 random(20'260'221);
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64_decode(base64_encode(bytes, Base64::url)), bytes);
  }
  EXPECT_EQ(base64_encode("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(base64_encode("\xfb\xff\xfe", Base64::url), "-__-");
}

TEST(BaseText, Base64RefusesWhatIsNotBase64) {
  for (const char* text : {"A", "Zg=", "Zg===", "Zg==Zg==", "Zm9v====", "=", "====", "Zm 9v",
                           "Zm9v\n", "+__+", "Zh==", "Zm9=", "Z\xc3\xa9g=", "!!!!"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(BaseText, Hex) {
  EXPECT_EQ(hex_encode("\x00\xff\x1a"s), "00ff1a");
  EXPECT_EQ(hex_decode("00FF1a"), "\x00\xff\x1a"s);
  EXPECT_EQ(hex_decode("0"), std::nullopt);
  EXPECT_EQ(hex_decode("0g"), std::nullopt);
}

TEST(BaseText, Utf8IsStrict) {
  for (const char* good :
       {"", "ascii only, longer than eight bytes", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa6\x9e",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xc3\xa9"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\xc3\x28", "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82",
        "12345678\xe2", "\xe2\x82\xac\xac"}) {
    EXPECT_FALSE(is_utf8(bad)) << hex_encode(bad);
  }
  EXPECT_TRUE(is_utf8("a\0b"s));
}

TEST(BaseText, Utf8PrefixNeverCutsASequence) {
  const std::string_view euro = "a\xe2\x82\xac";
  EXPECT_EQ(utf8_prefix(euro, 10), euro);
  EXPECT_EQ(utf8_prefix(euro, 4), euro);
  EXPECT_EQ(utf8_prefix(euro, 3), "a");
  EXPECT_EQ(utf8_prefix(euro, 2), "a");
  EXPECT_EQ(utf8_prefix(euro, 1), "a");
  EXPECT_EQ(utf8_prefix(euro, 0), "");
  EXPECT_EQ(utf8_prefix("\x80\x80\x80\x80\x80\x80\x80", 5).size(), 5u);
}

TEST(BaseText, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(escape_terminal("plain t\xc3\xa9xt \xf0\x9f\xa6\x9e"),
            "plain t\xc3\xa9xt \xf0\x9f\xa6\x9e");
  EXPECT_EQ(escape_terminal("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(escape_terminal("\x1b[31m\x07\x7f\0"s), "\\x1b[31m\\x07\\x7f\\x00");
  EXPECT_EQ(escape_terminal("\xc2\x9b"), "\\u009b");      // CSI as a C1 control
  EXPECT_EQ(escape_terminal("\xe2\x80\xae"), "\\u202e");  // right-to-left override
  EXPECT_EQ(escape_terminal("\xd8\x9c\xe2\x80\x8b\xe2\x81\xa9\xef\xbb\xbf"),
            "\\u061c\\u200b\\u2069\\ufeff");
  EXPECT_EQ(escape_terminal("\xe2\x80\xa9"), "\\u2029");
  EXPECT_EQ(escape_terminal("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(escape_terminal("\xe2\x80\x90"), "\xe2\x80\x90");  // a hyphen stays
}

TEST(BaseText, AsciiTools) {
  EXPECT_TRUE(iequals("Sec-WebSocket-Key", "sec-websocket-KEY"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("\xc3\x89", "\xc3\xa9"));
  EXPECT_EQ(to_lower("AbC\xc3\x89"), "abc\xc3\x89");
  EXPECT_EQ(trim(" \t a b \t"), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

TEST(BaseText, NearestName) {
  const std::vector<std::string> names{"listen", "cert", "key", "users", "log-format"};
  EXPECT_EQ(nearest("lisetn", names), "listen");
  EXPECT_EQ(nearest("cret", names), "cert");
  EXPECT_EQ(nearest("log-formt", names), "log-format");
  EXPECT_EQ(nearest("kye", names), "key");
  EXPECT_EQ(nearest("elephant", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
  EXPECT_EQ(nearest(std::string(10'000, 'x'), names), std::nullopt);
}

TEST(Text, shell_word_quotes_only_what_a_shell_would_read) {
  EXPECT_EQ(shell_word("/home/me/.local/state/clawws"), "/home/me/.local/state/clawws");
  EXPECT_EQ(shell_word("/my state"), "'/my state'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace clawws::base
