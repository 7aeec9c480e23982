#include "clawws/client/terminal.hpp"

#include <gtest/gtest.h>

#include <map>

namespace clawws::client {
namespace {

Color decide(ColorChoice choice, StreamKind stream, std::map<std::string, std::string> variables) {
  return decide_color(choice, stream, [&](const char* name) { return variables[name]; });
}

TEST(ClientTerminal, DecidesAboutColour) {
  const auto automatic = ColorChoice::automatic;
  const auto terminal = StreamKind::terminal;
  const auto pipe = StreamKind::other;
  EXPECT_EQ(decide(automatic, terminal, {}), Color::on);
  EXPECT_EQ(decide(automatic, pipe, {}), Color::off);
  EXPECT_EQ(decide(automatic, terminal, {{"TERM", "dumb"}}), Color::off);
  EXPECT_EQ(decide(automatic, terminal, {{"NO_COLOR", "1"}}), Color::off);
  EXPECT_EQ(decide(automatic, terminal, {{"NO_COLOR", ""}}), Color::on);
  EXPECT_EQ(decide(automatic, pipe, {{"CLICOLOR_FORCE", "1"}}), Color::on);
  EXPECT_EQ(decide(automatic, pipe, {{"CLICOLOR_FORCE", "0"}}), Color::off);
  EXPECT_EQ(decide(automatic, pipe, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}), Color::off);
  EXPECT_EQ(decide(ColorChoice::always, pipe, {{"NO_COLOR", "1"}}), Color::on);
  EXPECT_EQ(decide(ColorChoice::never, terminal, {{"CLICOLOR_FORCE", "1"}}), Color::off);
}

TEST(ClientTerminal, MeasuresAndFitsText) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("äöü"), 3u);
  EXPECT_EQ(display_width("日本"), 4u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u);
  EXPECT_EQ(display_width("🎉"), 2u);
  EXPECT_EQ(fit("abcdef", 6), "abcdef");
  EXPECT_EQ(fit("abcdef", 4), "abc…");
  EXPECT_EQ(fit("日本語", 4), "日…");
  EXPECT_EQ(pad("日", 4), "日  ");
  EXPECT_EQ(pad("long", 2), "long");
}

}  // namespace
}  // namespace clawws::client
