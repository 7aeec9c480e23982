#include "clawws/wire/sse.hpp"

#include <gtest/gtest.h>

namespace clawws::wire {
namespace {

TEST(WireSse, WritesAnEvent) {
  std::string out;
  append_sse_event(out, "k3f9c2a1", 8813, "cron.executed", R"({"type":"cron.executed")",
                   R"(,"seq":8813})");
  EXPECT_EQ(out,
            "id: k3f9c2a1:8813\nevent: cron.executed\n"
            "data: {\"type\":\"cron.executed\",\"seq\":8813}\n\n");
}

TEST(WireSse, NothingInAnEventEndsALine) {
  std::string out;
  append_sse_event(out, "e1", 1, "a.b\nid: 9", "{\"x\":\r\n1,\n", "\r\"id: 9\"}");
  EXPECT_EQ(out, "id: e1:1\nevent: a.b id: 9\ndata: {\"x\":  1,  \"id: 9\"}\n\n");
  out.clear();
  append_sse_comment(out, "bye\n\nid: 9");
  EXPECT_EQ(out, ": bye  id: 9\n\n");
}

TEST(WireSse, KeepsAQuietClientsPlace) {
  std::string out;
  append_sse_position(out, "e1", 4000);
  EXPECT_EQ(out, ":\nid: e1:4000\n\n");
  out.clear();
  append_sse_retry(out, 1500);
  EXPECT_EQ(out, "retry: 1500\n\n");
}

TEST(WireSse, SaysWhatIsLost) {
  const auto gap = [](const Position& asked, std::optional<std::uint64_t> lost) {
    std::string out;
    append_sse_gap(out, 1'771'684'200'000, asked, {"e1", 100, 91, false, lost}, {"e1", 90});
    return out;
  };
  EXPECT_EQ(gap({"e1", 50}, 40),
            "id: e1:90\nevent: clawws.gap\ndata: "
            R"({"type":"clawws.gap","timestamp":"2026-02-21T14:30:00.000Z","payload":)"
            R"({"cause":"retention","lost":40,"from":"e1:50","to":"e1:90"}})"
            "\n\n");
  EXPECT_NE(gap({"e0", 50}, std::nullopt).find(R"("cause":"new_epoch","lost":null,)"),
            std::string::npos);
  EXPECT_NE(gap({"e1", 101}, std::nullopt).find(R"("cause":"ahead")"), std::string::npos);
}

}  // namespace
}  // namespace clawws::wire
