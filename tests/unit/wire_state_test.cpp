// What events add up to: the fold table, the limits, and that batches make no difference.
#include "clawws/wire/state.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "support/random_events.hpp"

namespace clawws::wire {
namespace {

using nlohmann::json;
using test::event_of;

// One event after the other, as a client folds them.
void take(State& state, std::uint64_t seq, const Event& event) {
  const auto row = fold_event(seq, event.type, event.body);
  if (row) state.apply({&*row, 1});
}
json told(const State& state, std::uint64_t seq = 1) {
  return json::parse(state.to_json("e", seq));
}

TEST(State, IsEmptyAtFirst) {
  EXPECT_EQ(State().to_json("k3f9c2a1", 7),
            R"({"position":"k3f9c2a1:7","sessions":[],"agents":[],"cronJobs":[],"gateway":null,"truncated":false})");
}

TEST(State, EachTypeHasItsEffect) {
  State state;
  take(state, 1, event_of("session.created", R"({"sessionKey":"s1","agentId":"a","kind":"direct","label":"L","more":[1,{"x":"},"}]})"));
  take(state, 2, event_of("session.created", R"({"sessionKey":"s2"})"));
  take(state, 3, event_of("agent.status", R"({"agentId":"a","status":"running","taskCount":3})"));
  take(state, 4, event_of("cron.executed", R"({"jobId":"j","exitCode":1,"command":"c","stdout":"o","stderr":"e","durationMs":9})"));
  take(state, 5, event_of("gateway.status", R"({"status":"running","version":"1","uptime":1.5})"));
  take(state, 6, event_of("session.killed", R"({"sessionKey":"s2","agentId":"a"})"));
  take(state, 7, event_of("agent.status", R"({"agentId":"a","status":"error"})"));
  take(state, 8, event_of("bench.sample", R"({"agentId":"a","status":"idle"})"));
  take(state, 9, event_of("custom.thing", R"({"sessionKey":"s9"})"));
  const std::string at = R"("timestamp":"2026-01-01T00:00:00.000Z")";
  EXPECT_EQ(state.to_json("e", 9),
            R"({"position":"e:9","sessions":[{"sessionKey":"s1","agentId":"a","kind":"direct","label":"L",)" + at +
                R"(,"seq":1}],"agents":[{"agentId":"a","status":"error",)" + at +
                R"(,"seq":7}],"cronJobs":[{"jobId":"j","exitCode":1,"command":"c","durationMs":9,)" + at +
                R"(,"seq":4}],"gateway":{"status":"running","version":"1","uptime":1.5,)" + at +
                R"(,"seq":5},"truncated":false})");
}

TEST(State, ListsAreInTheOrderOfTheNewestEvent) {
  State state;
  for (const auto& [seq, key] : {std::pair{1, "x"}, {2, "y"}, {3, "x"}}) {
    take(state, static_cast<std::uint64_t>(seq), event_of("agent.status", std::string(R"({"agentId":")") + key + R"(","status":"idle"})"));
  }
  const json agents = told(state)["agents"];
  ASSERT_EQ(agents.size(), 2U);
  EXPECT_EQ(agents[0]["agentId"], "y");
  EXPECT_EQ(agents[1]["agentId"], "x");
}

TEST(State, KeysAndTextMayHoldAnyCharacters) {
  State state;
  take(state, 1, event_of("session.created", R"({"sessionKey":"a\"},{\\","label":"\"sessionKey\":\"no\""})"));
  ASSERT_EQ(told(state)["sessions"].size(), 1U);
  EXPECT_EQ(told(state)["sessions"][0]["sessionKey"], "a\"},{\\");
  take(state, 2, event_of("session.killed", R"({"sessionKey":"a\"},{\\"})"));
  EXPECT_EQ(state.count(StateKind::session), 0U);
}

TEST(State, LongKeysHaveNoPartAndLongMembersAreLeftOut) {
  State state;
  take(state, 1, event_of("session.created", R"({"sessionKey":")" + std::string(257, 'k') + R"("})"));
  EXPECT_EQ(state.count(StateKind::session), 0U);
  take(state, 2, event_of("session.created", R"({"sessionKey":")" + std::string(256, 'k') + R"(","label":")" +
                                                 std::string(1'023, 'l') + R"("})"));
  ASSERT_EQ(state.count(StateKind::session), 1U);
  EXPECT_FALSE(told(state)["sessions"][0].contains("label"));
  EXPECT_EQ(told(state)["sessions"][0]["sessionKey"], std::string(256, 'k'));
}

TEST(State, AnythingThatIsNoEventChangesNothing) {
  for (const char* body : {"", "{", "}", "[]", "{\"payload\"", "{\"payload\":", "{\"payload\":{\"sessionKey\":\"x",
                           "{\"payload\":{\"sessionKey\"}", "{\"payload\":[\"sessionKey\"]}", "{\"payload\":{\"sessionKey\":\"x\\"}) {
    EXPECT_FALSE(fold_event(1, "session.created", body)) << body;
  }
}

TEST(State, TheLongestSilentLeaveFirst) {
  State state({3, 1, 1, 1});
  std::uint64_t seq = 0;
  const auto create = [](std::string_view key) {
    return event_of("session.created", R"({"sessionKey":")" + std::string(key) + R"("})");
  };
  const auto publish = [&](const std::vector<Event>& events) {
    state.apply(state.plan(seq + 1, events));
    seq += events.size();
  };
  publish({create("a"), create("b")});
  EXPECT_FALSE(state.truncated());
  publish({create("c"), create("a")});
  EXPECT_TRUE(state.truncated()) << "as many as there may be";
  publish({create("d")});
  json sessions = told(state)["sessions"];
  ASSERT_EQ(sessions.size(), 3U);
  EXPECT_EQ(sessions[0]["sessionKey"], "c") << "b was silent longest";
  EXPECT_EQ(sessions[2]["sessionKey"], "d");
  publish({create("e"), create("f"), create("g"), create("h")});
  sessions = told(state)["sessions"];
  ASSERT_EQ(sessions.size(), 3U);
  EXPECT_EQ(sessions[0]["sessionKey"], "f") << "a batch larger than the limit";
  publish({event_of("session.killed", R"({"sessionKey":"g"})"), create("i")});
  EXPECT_EQ(state.count(StateKind::session), 3U) << "room was made by the batch itself";
}

TEST(State, APlanSaysNothingOfWhatCameAndWentOrNeverWas) {
  State state;
  const std::vector<Event> events{event_of("session.created", R"({"sessionKey":"s"})"),
                                  event_of("session.killed", R"({"sessionKey":"s"})"),
                                  event_of("session.killed", R"({"sessionKey":"t"})"),
                                  event_of("agent.status", R"({"agentId":"a","status":"idle"})"),
                                  event_of("agent.status", R"({"agentId":"a","status":"error"})")};
  const auto rows = state.plan(1, events);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].seq, 5U);
}

TEST(State, BatchesMakeNoDifference) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    State in_batches, one_by_one;
    std::uint64_t seq = 0;
    for (int batch = 0; batch < 40; ++batch) {
      std::vector<Event> events;
      for (std::uint32_t i = random() % 12; i > 0; --i) events.push_back(test::random_event(random));
      in_batches.apply(in_batches.plan(seq + 1, events));
      for (const Event& event : events) take(one_by_one, ++seq, event);
      ASSERT_EQ(in_batches.to_json("e", seq), one_by_one.to_json("e", seq)) << "seed " << seed;
    }
  }
}

TEST(State, WhatAServerTellsIsReadBackAsItWas) {
  std::mt19937 random(7);
  State state;
  std::uint64_t seq = 0;
  for (int i = 0; i < 60; ++i) take(state, ++seq, test::random_event(random));
  take(state, ++seq, event_of("session.created", R"({"sessionKey":"a\"},{\\\u0001ä","label":"x"})"));
  const std::string text = state.to_json("k3f9c2a1", seq);
  auto read = parse_state(text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(to_string(read->position), "k3f9c2a1:61");
  EXPECT_EQ(read->state.to_json("k3f9c2a1", seq), text);
  take(read->state, ++seq, event_of("session.killed", R"({"sessionKey":"a\"},{\\\u0001ä"})"));
  EXPECT_EQ(read->state.count(StateKind::session), state.count(StateKind::session) - 1) << "events meet the records they are about";
}

TEST(State, WhatIsNoStateIsRefused) {
  const std::string whole = State().to_json("k3f9c2a1", 3);
  EXPECT_TRUE(parse_state(whole).has_value());
  for (const char* text : {"", "null", "{}", "[]", "<html>", R"({"position":"x"})", R"({"position":"e:1","sessions":[]})",
                           R"({"position":"e:1","sessions":[{}],"agents":[],"cronJobs":[],"gateway":null})",
                           R"({"position":"e:1","sessions":[{"sessionKey":1,"seq":1}],"agents":[],"cronJobs":[],"gateway":null})",
                           R"({"position":"e:1","sessions":[{"sessionKey":"a","seq":-1}],"agents":[],"cronJobs":[],"gateway":null})",
                           R"({"position":"e:1","sessions":[],"agents":[],"cronJobs":{},"gateway":null})"}) {
    const auto read = parse_state(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, base::Errc::protocol);
  }
}

}  // namespace
}  // namespace clawws::wire
