#include "clawws/wire/query.hpp"

#include <gtest/gtest.h>

namespace clawws::wire {
namespace {

using base::Errc;

std::vector<std::pair<std::string, std::string>> parse(std::string_view query) {
  auto parsed = parse_query(query);
  std::vector<std::pair<std::string, std::string>> out;
  if (!parsed) return {{"error", parsed.error().message()}};
  for (const QueryParameter& parameter : *parsed) out.emplace_back(parameter.name, parameter.value);
  return out;
}
using Pairs = std::vector<std::pair<std::string, std::string>>;

Errc error_of(std::string_view query) {
  const auto parsed = parse_subscribe_query(query);
  return parsed ? Errc::internal : parsed.error().code;
}

TEST(WireQuery, DecodesNamesAndValues) {
  EXPECT_EQ(parse(""), Pairs{});
  EXPECT_EQ(parse("a=1&b=2"), (Pairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(parse("a+b=c%20d%2B&%61=%c3%a4"), (Pairs{{"a b", "c d+"}, {"a", "\xC3\xA4"}}));
  EXPECT_EQ(parse("flag&x=&=y&&z=a=b"), (Pairs{{"flag", ""}, {"x", ""}, {"", "y"}, {"z", "a=b"}}));
  EXPECT_EQ(parse("&"), Pairs{});
}

TEST(WireQuery, RefusesBrokenEscapesBadTextAndTooMany) {
  for (const char* query : {"a=%", "a=%4", "a=%4g", "%zz=1", "a=1&b=%2", "a=%ff", "%c3=1"}) {
    const auto parsed = parse_query(query);
    ASSERT_FALSE(parsed) << query;
    EXPECT_EQ(parsed.error().code, Errc::bad_request) << query;
  }
  std::string many;
  for (int i = 0; i < 32; ++i) many += "a=1&";
  EXPECT_TRUE(parse_query(many));
  EXPECT_FALSE(parse_query(many + "a=1"));
}

TEST(WireQuery, ErrorsNameThePlaceAndNoValue) {
  const auto parsed = parse_query("ticket=s3cret&password=s3cret%");
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message().find("parameter 2"), std::string::npos);
  EXPECT_EQ(parsed.error().message().find("s3cret"), std::string::npos);
}

TEST(WireQuery, ReadsWhatASubscriberSays) {
  const auto said =
      parse_subscribe_query("since=k3f9c2a1%3A8813&types=session.*,agent.status&ticket=T");
  ASSERT_TRUE(said);
  EXPECT_EQ(said->since, "k3f9c2a1:8813");
  EXPECT_EQ(said->types, (std::vector<std::string>{"session.*", "agent.status"}));
  EXPECT_EQ(said->ticket, "T");
  EXPECT_EQ(said->last, std::nullopt);
  EXPECT_EQ(parse_subscribe_query("last=100000")->last, 100000U);
  EXPECT_EQ(parse_subscribe_query("last=1")->last, 1U);
  EXPECT_EQ(parse_subscribe_query("since=earliest")->since, "earliest");
  EXPECT_TRUE(parse_subscribe_query("since=2026-02-21T14:30:00Z"));
  EXPECT_EQ(parse_subscribe_query("types=")->types, std::vector<std::string>{});
}

TEST(WireQuery, PassesOverNamesItDoesNotKnow) {
  const auto said = parse_subscribe_query("_=17&token=x&token=y");
  ASSERT_TRUE(said);
  EXPECT_FALSE(said->since || said->last || said->types || said->ticket);
}

TEST(WireQuery, RefusesAMisspeltNameAndSaysWhichWasMeant) {
  const std::pair<const char*, const char*> misspelt[] = {
      {"type=agent.*", "types"}, {"Types=a.b", "types"}, {"sinse=a:1", "since"},
      {"lats=5", "last"},        {"tickets=s3cret", "ticket"}};
  for (const auto& [query, meant] : misspelt) {
    const auto parsed = parse_subscribe_query(query);
    ASSERT_FALSE(parsed) << query;
    EXPECT_EQ(parsed.error().code, Errc::bad_request) << query;
    const std::string message = parsed.error().message();
    EXPECT_NE(message.find("did you mean '" + std::string(meant) + "'?"), std::string::npos)
        << message;
    EXPECT_EQ(message.find("s3cret"), std::string::npos);
  }
  EXPECT_FALSE(parse_history_query("limits=5"));
  for (const char* query : {"t=1", "ts=1", "v=2", "cb=3", "auth=x", "password=x", "user=x", "limit=1"})
    EXPECT_TRUE(parse_subscribe_query(query)) << query;
}

TEST(WireQuery, RefusesWhatItKnowsAndCannotRead) {
  for (const char* query : {"since=", "since=x", "since=a:-1", "since=a:99999999999999999999",
                            "since=A:1", "since=2026-02-30T00:00:00Z"}) {
    EXPECT_EQ(error_of(query), Errc::bad_position) << query;
  }
  for (const char* query : {"types=Session", "types=a,,b", "types=a/b"}) {
    EXPECT_EQ(error_of(query), Errc::bad_filter) << query;
  }
  for (const char* query :
       {"last=", "last=0", "last=-1", "last=+1", "last=100001", "last=1x",
        "last=99999999999999999999", "last=1&last=1", "since=a:1&since=a:1", "types=a.b&types=a.b",
        "ticket=a&ticket=a", "last=1&since=a:1", "x=%"}) {
    EXPECT_EQ(error_of(query), Errc::bad_request) << query;
  }
  EXPECT_NE(parse_subscribe_query("since=x").error().message().find("'since'"), std::string::npos);
  EXPECT_NE(parse_subscribe_query("types=A").error().message().find("'types'"), std::string::npos);
}

TEST(WireQuery, ReadsWhatAPageOfHistoryIsAskedFor) {
  const auto said = parse_history_query("limit=1000&since=earliest&types=session.*&x=1");
  ASSERT_TRUE(said);
  EXPECT_EQ(said->limit, 1000U);
  EXPECT_EQ(said->stream.since, "earliest");
  EXPECT_EQ(parse_history_query("")->limit, std::nullopt);
  for (const char* query : {"limit=0", "limit=1001", "limit=", "limit=-1", "limit=1&limit=2",
                            "last=3&since=earliest", "since=x", "types=A"}) {
    const auto refused = parse_history_query(query);
    ASSERT_FALSE(refused) << query;
    EXPECT_NE(refused.error().message().find('\''), std::string::npos) << query;
  }
  // A subscription knows no limit, so it may be anything there.
  EXPECT_TRUE(parse_subscribe_query("limit=x"));
}

}  // namespace
}  // namespace clawws::wire
