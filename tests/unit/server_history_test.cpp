#include "clawws/server/history.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace clawws::server {
namespace {

using nlohmann::json;

std::vector<hub::StoredEvent> events(std::uint64_t first, std::uint64_t last,
                                     const std::string& type = "agent.status") {
  std::vector<hub::StoredEvent> list;
  for (std::uint64_t seq = first; seq <= last; ++seq)
    list.push_back({seq, 0, type, R"({"type":")" + type + R"(","payload":{"n":1})"});
  return list;
}

StartPlan plan(std::uint64_t position) {
  return {position, {"e1", 100, 1, true, 0}};
}

json said(const HistoryPage& page, std::uint64_t newest = 100) {
  return json::parse(page.finish({"e1", 1, newest}));
}

std::vector<std::uint64_t> seqs(const json& answer) {
  std::vector<std::uint64_t> list;
  for (const json& event : answer["events"]) list.push_back(event["seq"]);
  return list;
}

TEST(ServerHistory, AnEmptyPageSaysWhereToGoOn) {
  HistoryPage page(wire::Filter(), plan(100), {});
  const json answer = said(page);
  EXPECT_EQ(answer, json::parse(R"({"epoch":"e1","resumed":true,"lost":0,"oldest":1,)"
                                R"("next":"e1:100","more":false,"events":[]})"));
  EXPECT_TRUE(page.untouched());
}

TEST(ServerHistory, EndsAtTheLimit) {
  HistoryPage page(wire::Filter(), plan(10), {3});
  page.add(events(11, 12));
  EXPECT_FALSE(page.full());
  page.add(events(13, 20));
  EXPECT_TRUE(page.full());
  page.add(events(21, 30));
  const json answer = said(page);
  EXPECT_EQ(seqs(answer), (std::vector<std::uint64_t>{11, 12, 13}));
  EXPECT_EQ(answer["next"], "e1:13");
  EXPECT_EQ(answer["more"], true);
  EXPECT_EQ(answer["events"][0]["payload"]["n"], 1);
}

TEST(ServerHistory, MovesOnPastWhatDoesNotMatch) {
  HistoryPage page(wire::Filter::from_list("session.*").value(), plan(0), {});
  page.add(events(1, 40));
  page.add(events(41, 41, "session.created"));
  page.add(events(42, 100));
  const json answer = said(page);
  EXPECT_EQ(seqs(answer), (std::vector<std::uint64_t>{41}));
  EXPECT_EQ(answer["next"], "e1:100");
  EXPECT_EQ(answer["more"], false);
}

TEST(ServerHistory, EndsBeforeTheAnswerGetsTooLarge) {
  const std::size_t size = events(1, 1)[0].body.size() + 9;  // ,"seq":1}
  HistoryPage page(wire::Filter(), plan(0), {100, 3 * size + 1});
  page.add(events(1, 9));
  EXPECT_EQ(seqs(said(page)), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(said(page)["next"], "e1:2");
  // One always goes in, or nobody could get past it.
  HistoryPage small(wire::Filter(), plan(0), {100, 1});
  small.add(events(1, 9));
  EXPECT_EQ(seqs(said(small)), (std::vector<std::uint64_t>{1}));
}

TEST(ServerHistory, LooksAtABoundedPartOfTheLog) {
  HistoryPage page(wire::Filter::from_list("session.*").value(), plan(0), {100, 1 << 20, 300});
  page.add(events(1, 90));
  EXPECT_TRUE(page.full());
  const json answer = said(page);
  EXPECT_TRUE(answer["events"].empty());
  EXPECT_EQ(answer["more"], true);
  EXPECT_GT(page.scanned_to(), 0u);
  EXPECT_LT(page.scanned_to(), 20u);
}

TEST(ServerHistory, SaysWhatIsLost) {
  HistoryPage page(wire::Filter(), {90, {"e1", 100, 91, false, std::nullopt}}, {});
  const json answer = json::parse(page.finish({"e1", 91, 100}));
  EXPECT_EQ(answer["resumed"], false);
  EXPECT_TRUE(answer["lost"].is_null());
  EXPECT_EQ(answer["oldest"], 91);
}

}  // namespace
}  // namespace clawws::server
