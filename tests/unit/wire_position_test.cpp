#include "clawws/wire/position.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace clawws::wire {
namespace {

using base::Errc;
using nlohmann::json;

TEST(Position, ReadsAndWritesEpochAndSeq) {
  const auto position = parse_position("k3f9c2a1:8812");
  ASSERT_TRUE(position);
  EXPECT_EQ(position->epoch, "k3f9c2a1");
  EXPECT_EQ(position->seq, 8812U);
  EXPECT_EQ(to_string(*position), "k3f9c2a1:8812");
  EXPECT_EQ(parse_position("a:0")->seq, 0U);
  EXPECT_EQ(parse_position("0123456789abcdef:9223372036854775807")->seq, 9223372036854775807U);
}

TEST(Position, RefusesWhatIsNotExactlyThat) {
  for (const char* text : {"",
                           ":",
                           "a",
                           "a:",
                           ":1",
                           "a:-1",
                           "a:+1",
                           "a: 1",
                           " a:1",
                           "a:1 ",
                           "a:1x",
                           "a:01",
                           "a:1.0",
                           "A:1",
                           "a-b:1",
                           "a:b:1",
                           "0123456789abcdefg:1",
                           "9:18446744073709551616",
                           "9:9223372036854775808",
                           "9:99999999999999999999999999",
                           "a:0x10",
                           "\xc3\xa4:1"}) {
    const auto position = parse_position(text);
    ASSERT_FALSE(position) << text;
    EXPECT_EQ(position.error().code, Errc::bad_position) << text;
  }
  EXPECT_FALSE(parse_position(std::string_view("a:1\0", 4)));
}

TEST(Position, AComplaintShowsLittleOfWhatWasSentAndNoEscapes) {
  const auto position = parse_position("\x1b[31m" + std::string(100'000, 'x'));
  ASSERT_FALSE(position);
  EXPECT_LT(position.error().context.size(), 200U);
  EXPECT_EQ(position.error().context.find('\x1b'), std::string::npos);
}

TEST(Since, IsAPositionEarliestOrATime) {
  EXPECT_EQ(parse_since("earliest")->kind, Since::Kind::earliest);
  const auto position = parse_since("k3f9c2a1:5");
  ASSERT_TRUE(position);
  EXPECT_EQ(position->kind, Since::Kind::position);
  EXPECT_EQ(position->position, (Position{"k3f9c2a1", 5}));
  const auto time = parse_since("2026-02-21T14:30:00.250Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(time->kind, Since::Kind::time);
  EXPECT_EQ(time->unix_millis, 1771684200250);
  for (const char* text :
       {"", "Earliest", "latest", "10m", "2026-02-21", "9:18446744073709551616"}) {
    const auto since = parse_since(text);
    ASSERT_FALSE(since) << text;
    EXPECT_EQ(since.error().code, Errc::bad_position);
  }
}

std::string_view name(PositionRule::Verdict verdict) {
  switch (verdict) {
    case PositionRule::Verdict::accepted:
      return "accepted";
    case PositionRule::Verdict::duplicate:
      return "duplicate";
    case PositionRule::Verdict::accepted_after_hole:
      return "accepted_after_hole";
  }
  return "";
}

void run_step(PositionRule& rule, const json& step) {
  const auto& what = step.at("do").get_ref<const std::string&>();
  if (what == "start") {
    StreamStart start;
    start.epoch = step.at("epoch");
    start.seq = step.at("seq");
    start.oldest = step.at("oldest");
    start.resumed = step.at("resumed");
    const bool is_since = step.at("asked") == "since";
    rule.start(start, is_since ? PositionRule::Asked::since : PositionRule::Asked::nothing);
  } else if (what == "event") {
    std::optional<std::uint64_t> prev;
    if (step.contains("prev")) prev = step.at("prev").get<std::uint64_t>();
    EXPECT_EQ(name(rule.event(step.at("seq"), prev)), step.at("verdict")) << step;
  } else if (what == "frame") {
    rule.position_frame(step.at("epoch").get_ref<const std::string&>(), step.at("seq"));
  } else {
    FAIL() << "unknown step " << step;
  }
  EXPECT_EQ(rule.known(), !step.at("position").is_null()) << step;
  if (rule.known()) {
    EXPECT_EQ(to_string(rule.position()), step.at("position")) << step;
  }
  EXPECT_EQ(rule.is_provisional(), step.value("provisional", false)) << step;
}

TEST(PositionRule, HoldsInEveryCaseOfTheSharedVectors) {
  std::ifstream file(CLAWWS_SOURCE_DIR "/tests/support/position_rule.json");
  const auto vectors = json::parse(file);
  ASSERT_GE(vectors.at("cases").size(), 25U);
  for (const auto& each : vectors.at("cases")) {
    SCOPED_TRACE(each.at("name"));
    PositionRule rule;
    if (each.contains("position")) {
      rule = PositionRule(*parse_position(each.at("position").get_ref<const std::string&>()));
    }
    for (const auto& step : each.at("steps")) run_step(rule, step);
  }
}

TEST(PositionRule, AnEventBeforeAnyStartIsAccepted) {
  PositionRule rule;
  EXPECT_EQ(rule.event(12, std::nullopt), PositionRule::Verdict::accepted);
  EXPECT_EQ(rule.event(12, std::nullopt), PositionRule::Verdict::duplicate);
}

}  // namespace
}  // namespace clawws::wire
