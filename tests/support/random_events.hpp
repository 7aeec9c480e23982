// Random events of all types about few sessions, agents and jobs, so that they meet often. Pure.
#pragma once

#include <random>
#include <string>

#include "clawws/wire/event.hpp"

namespace clawws::test {

inline wire::Event event_of(std::string_view type, std::string_view payload) {
  return {std::string(type), R"({"type":")" + std::string(type) + R"(","timestamp":"2026-01-01T00:00:00.000Z","payload":)" +
                                 std::string(payload)};
}

inline wire::Event random_event(std::mt19937& random) {
  const auto name = [&](const char* prefix) { return "\"" + (prefix + std::to_string(random() % 7)) + "\""; };
  const auto one_of = [&](std::initializer_list<const char*> words) { return std::string(words.begin()[random() % words.size()]); };
  switch (random() % 6) {
    case 0:
      return event_of("session.created", R"({"sessionKey":)" + name("s") + R"(,"agentId":)" + name("a") + "}");
    case 1:
      return event_of("session.killed", R"({"sessionKey":)" + name("s") + "}");
    case 2:
      return event_of("agent.status", R"({"agentId":)" + name("a") + R"(,"status":")" + one_of({"running", "idle", "error"}) + "\"}");
    case 3:
      return event_of("cron.executed", R"({"jobId":)" + name("j") + R"(,"exitCode":)" + std::to_string(random() % 3) + "}");
    case 4:
      return event_of("gateway.status", R"({"status":")" + one_of({"running", "stopped", "error"}) + "\"}");
    default:
      return event_of("bench.sample", R"({"n":)" + std::to_string(random()) + "}");
  }
}

}  // namespace clawws::test
