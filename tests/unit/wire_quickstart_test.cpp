// The events that the quickstart feeds: taken from what a real OpenClaw gateway did.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "clawws/base/posix.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::wire {
namespace {

class Quickstart : public testing::Test {
 protected:
  void SetUp() override {
    const auto text = base::read_file(CLAWWS_SOURCE_DIR "/apps/quickstart.ndjson");
    ASSERT_TRUE(text) << text.error().message();
    text_ = *text;
    const auto parsed = parse_events_ndjson(text_, {}, 0);
    ASSERT_TRUE(parsed) << parsed.error().path << ": " << parsed.error().message;
    parsed_ = *parsed;
    for (const Event& event : parsed_.events) {
      events_.push_back(nlohmann::json::parse(event.body + '}'));
    }
  }

  std::string text_;
  ParsedEvents parsed_;
  std::vector<nlohmann::json> events_;
};

TEST_F(Quickstart, IsValidCanonicalAndWithoutWarnings) {
  EXPECT_GE(events_.size(), 40U);
  EXPECT_TRUE(parsed_.warnings.empty()) << parsed_.warnings.front();
  std::string canonical;
  for (const Event& event : parsed_.events) canonical += event.body + "}\n";
  EXPECT_EQ(canonical, text_);
}

TEST_F(Quickstart, ShowsEveryTypeAndEveryStatus) {
  std::map<std::string, std::set<std::string>> seen;
  std::set<std::string> exits;
  for (const auto& event : events_) {
    const auto& payload = event.at("payload");
    seen[event.at("type")].insert(payload.value("status", ""));
    if (event.at("type") == "cron.executed")
      exits.insert(payload.at("exitCode") == 0 ? "0" : "not 0");
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen["agent.status"], (std::set<std::string>{"running", "idle", "error"}));
  EXPECT_EQ(seen["gateway.status"], (std::set<std::string>{"running", "stopped", "error"}));
  EXPECT_EQ(exits, (std::set<std::string>{"0", "not 0"}));
  EXPECT_TRUE(seen.count("session.created") == 1 && seen.count("session.killed") == 1);
}

TEST_F(Quickstart, IsInTimeOrder) {
  for (std::size_t i = 1; i < events_.size(); ++i) {
    EXPECT_LE(events_[i - 1].at("timestamp").get<std::string>(),
              events_[i].at("timestamp").get<std::string>())
        << i;
  }
}

}  // namespace
}  // namespace clawws::wire
