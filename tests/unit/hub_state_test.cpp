// The state that the hub keeps beside the log: always what the events add up to, over restarts, and
// after retention took the events themselves.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <future>
#include <map>
#include <nlohmann/json.hpp>

#include "clawws/hub/hub.hpp"
#include "clawws/hub/memory_store.hpp"
#include "support/random_events.hpp"
#include "support/sqlite_events.hpp"

namespace clawws::hub {
namespace {

using nlohmann::json;

// The table of clawws-protocol(7) once more, in another way: by key, parsed.
struct Expected {
  std::map<std::string, json> sessions, agents, jobs;
  json gateway = nullptr;

  void take(std::uint64_t seq, const wire::Event& event) {
    const json whole = json::parse(event.body + "}");
    json record = whole["payload"];
    record["timestamp"] = whole["timestamp"];
    record["seq"] = seq;
    if (event.type == "session.created") sessions[record["sessionKey"]] = record;
    if (event.type == "session.killed") sessions.erase(std::string(record["sessionKey"]));
    if (event.type == "agent.status") agents[record["agentId"]] = record;
    if (event.type == "cron.executed") jobs[record["jobId"]] = record;
    if (event.type == "gateway.status") gateway = record;
  }
  static json list(const std::map<std::string, json>& records) {
    std::map<std::uint64_t, json> by_seq;
    for (const auto& [key, record] : records) by_seq[record["seq"]] = record;
    json all = json::array();
    for (const auto& [seq, record] : by_seq) all.push_back(record);
    return all;
  }
  json told(const std::string& position) const {
    return {{"position", position}, {"sessions", list(sessions)}, {"agents", list(agents)},
            {"cronJobs", list(jobs)}, {"gateway", gateway},       {"truncated", false}};
  }
};

json state_of(Hub& hub) {
  std::promise<std::string> told;
  hub.state([&](std::shared_ptr<const std::string> text) { told.set_value(*text); });
  return json::parse(told.get_future().get());
}

bool publish(Hub& hub, std::vector<wire::Event> events) {
  std::promise<bool> done;
  hub.publish(std::move(events), std::nullopt, [&](const base::Result<Receipt>& receipt) { done.set_value(receipt.has_value()); });
  return done.get_future().get();
}

TEST(HubState, IsTheFoldOfAllEventsAfterEachRestartAndAfterRetention) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    test::SqliteEvents store;
    store.config.retention.events = 25;
    Expected expected;
    std::uint64_t seq = 0;
    for (int start = 0; start < 6; ++start) {
      auto made = std::make_unique<SqliteStore>(store.config);
      SqliteStore& sqlite = *made;
      Hub hub({}, std::move(made));
      ASSERT_TRUE(hub.start());
      const auto position = [&] { return sqlite.facts().epoch + ":" + std::to_string(seq); };
      ASSERT_EQ(state_of(hub), expected.told(position())) << "seed " << seed << ", start " << start;
      for (int batch = 0; batch < 10; ++batch) {
        std::vector<wire::Event> events;
        for (std::uint32_t i = 1 + random() % 9; i > 0; --i) {
          events.push_back(test::random_event(random));
          expected.take(++seq, events.back());
        }
        ASSERT_TRUE(publish(hub, std::move(events)));
        ASSERT_EQ(state_of(hub), expected.told(position())) << "seed " << seed << ", start " << start;
      }
      sqlite.keeper().round();
      ASSERT_LE(seq + 1 - sqlite.facts().oldest, 25U);
      hub.stop();
    }
    ASSERT_GT(seq, 200U);
  }
}

TEST(HubState, AMemoryStoreHasItToo) {
  Hub hub({}, std::make_unique<MemoryStore>(Retention{}));
  ASSERT_TRUE(hub.start());
  ASSERT_TRUE(publish(hub, {test::event_of("agent.status", R"({"agentId":"a","status":"idle"})")}));
  EXPECT_EQ(state_of(hub)["agents"][0]["agentId"], "a");
  EXPECT_EQ(state_of(hub)["position"], hub.facts().epoch + ":1");
}

TEST(HubState, WhatWasNotStoredIsNotInIt) {
  test::SqliteEvents store;
  std::atomic<std::uint64_t> free_bytes{std::uint64_t{1} << 40};
  store.config.free_bytes = [&] { return base::Result<std::uint64_t>(free_bytes.load()); };
  Hub hub({}, std::make_unique<SqliteStore>(store.config));
  ASSERT_TRUE(hub.start());
  free_bytes = 0;
  EXPECT_FALSE(publish(hub, {test::event_of("agent.status", R"({"agentId":"a","status":"idle"})")}));
  EXPECT_TRUE(state_of(hub)["agents"].empty());
  free_bytes = std::uint64_t{1} << 40;
  EXPECT_TRUE(publish(hub, {test::event_of("agent.status", R"({"agentId":"b","status":"idle"})")}));
  EXPECT_EQ(state_of(hub)["agents"].size(), 1U);
}

TEST(HubState, AChangedRecordIsNoticedAtTheStart) {
  test::SqliteEvents store;
  {
    Hub hub({}, std::make_unique<SqliteStore>(store.config));
    ASSERT_TRUE(hub.start());
    ASSERT_TRUE(publish(hub, {test::event_of("agent.status", R"({"agentId":"a","status":"idle"})")}));
  }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(store.file().c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "UPDATE state SET record = replace(record, 'idle', 'jdle')", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  EXPECT_NE(store.try_open().find("the state record agent a of event 1 is not what was written"), std::string::npos);
  EXPECT_EQ(store.code, base::Errc::store_damaged);
}

}  // namespace
}  // namespace clawws::hub
