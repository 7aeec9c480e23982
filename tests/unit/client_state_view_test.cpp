// The state as a table: what a person sees of it.
#include "clawws/client/state_view.hpp"

#include <gtest/gtest.h>

#include "support/random_events.hpp"

namespace clawws::client {
namespace {

constexpr std::int64_t k_now = 1'767'225'600'000 + 90'000;  // 90 s after the events' timestamp

wire::State state_of(const std::vector<std::pair<const char*, const char*>>& events) {
  wire::State state;
  std::uint64_t seq = 0;
  for (const auto& [type, payload] : events) {
    const wire::Event event = test::event_of(type, payload);
    const auto row = wire::fold_event(++seq, event.type, event.body);
    state.apply({&*row, 1});
  }
  return state;
}

const wire::State& busy() {
  static const wire::State state = state_of({
      {"gateway.status", R"({"status":"running","version":"2026.2.1","uptime":7200})"},
      {"agent.status", R"({"agentId":"research","status":"running","activeSessionCount":2,"taskCount":5})"},
      {"agent.status", R"({"agentId":"writer","status":"error"})"},
      {"session.created", R"({"sessionKey":"abc-123","agentId":"research","kind":"direct","label":"a chat"})"},
      {"cron.executed", R"({"jobId":"nightly","exitCode":1,"command":"make report","durationMs":1200})"},
  });
  return state;
}

TEST(StateView, EachKindHasItsTableNewestFirst) {
  EXPECT_EQ(state_table(busy(), "wss://localhost:8443/ws  e:5", k_now, {}),
            "wss://localhost:8443/ws  e:5\n"
            "\n"
            "gateway (1)\n"
            "  STATUS   VERSION   UP   SINCE\n"
            "  running  2026.2.1  2 h  90 s\n"
            "\n"
            "agents (2)\n"
            "  AGENT     STATUS   SESSIONS  TASKS  SINCE\n"
            "  writer    error    -         -      90 s\n"
            "  research  running  2         5      90 s\n"
            "\n"
            "sessions (1)\n"
            "  SESSION  AGENT     KIND    AGE   LABEL\n"
            "  abc-123  research  direct  90 s  a chat\n"
            "\n"
            "cron jobs (1)\n"
            "  JOB      EXIT  TOOK   AGO   COMMAND\n"
            "  nightly  1     1.2 s  90 s  make report\n");
}

TEST(StateView, WhatIsWrongIsRed) {
  const std::string text = state_table(busy(), "x", k_now, {Color::on, 0, 0});
  EXPECT_NE(text.find("\x1b[31merror"), std::string::npos);
  EXPECT_NE(text.find("\x1b[32mrunning"), std::string::npos);
  EXPECT_NE(text.find("\x1b[31m1 "), std::string::npos) << "the exit code";
}

TEST(StateView, AnEmptyStateSaysSo) {
  EXPECT_EQ(state_table(wire::State(), "x", k_now, {}),
            "x\n\ngateway: nothing known yet\n\nagents (0)\n\nsessions (0)\n\ncron jobs (0)\n");
}

TEST(StateView, NothingDrivesTheTerminal) {
  const auto state = state_of({{"agent.status", R"({"agentId":"a\u001b[2J\u202eb","status":"idle"})"}});
  const std::string text = state_table(state, "x", k_now, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
}

TEST(StateView, ItFitsIntoTheScreen) {
  const std::string narrow = state_table(busy(), "a long headline that does not fit", k_now, {Color::off, 20, 8});
  std::size_t lines = 0;
  for (std::size_t at = 0, end = 0; (end = narrow.find('\n', at)) != std::string::npos; at = end + 1) {
    EXPECT_LE(display_width(std::string_view(narrow).substr(at, end - at)), 20U) << narrow;
    ++lines;
  }
  EXPECT_EQ(lines, 8U);
  EXPECT_NE(narrow.find("... and 11 more lin"), std::string::npos) << narrow;
}

TEST(StateView, AgesAreCoarse) {
  EXPECT_EQ(age_text(-5), "now");
  EXPECT_EQ(age_text(999), "now");
  EXPECT_EQ(age_text(99'000), "99 s");
  EXPECT_EQ(age_text(100'000), "1 min");
  EXPECT_EQ(age_text(5'999'000), "99 min");
  EXPECT_EQ(age_text(6'000'000), "1 h");
  EXPECT_EQ(age_text(172'800'000), "2 d");
}

}  // namespace
}  // namespace clawws::client
