// H-17: what publishers send can end no line of an event stream.
#include "support/event_stream.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace clawws::test {
namespace {

TEST(ConformanceEventStream, H_17_line_ends_in_published_fields) {
  TestServer server;
  EventStream stream(server);
  ASSERT_TRUE(stream.block());
  ASSERT_TRUE(stream.block());
  const std::string label = "x\r\nid: 9\r\n\r\ndata: y\rz\nw";
  const nlohmann::json event = {{"type", "session.created"},
                                {"payload", {{"sessionKey", "k"}, {"label", label}}}};
  // Raw line ends between the tokens, too.
  EXPECT_EQ(server.request(TestServer::post(event.dump(2))).status, 201);
  EXPECT_EQ(server
                .request(TestServer::post("{\r\n\"type\":\r\"agent.status\",\n\"payload\":\r\n"
                                          "{\"agentId\":\"a\",\n\n\"status\":\"idle\"}}"))
                .status,
            201);
  for (std::uint64_t seq = 1; seq <= 2; ++seq) {
    const auto block = stream.block();
    ASSERT_TRUE(block);
    EXPECT_EQ(block->stray, "");
    EXPECT_EQ(block->data_lines, 1u);
    EXPECT_TRUE(block->id.ends_with(":" + std::to_string(seq))) << block->id;
    EXPECT_EQ(block->data.find('\r'), std::string::npos);
    const auto data = nlohmann::json::parse(block->data);
    EXPECT_EQ(data["seq"], seq);
    if (seq == 1) {
      EXPECT_EQ(data["payload"]["label"], label);
    }
  }
}

}  // namespace
}  // namespace clawws::test
