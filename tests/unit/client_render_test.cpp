#include "clawws/client/render.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "clawws/base/time.hpp"

namespace clawws::client {
namespace {

class ClientRender : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  std::string line(const std::string& type, const std::string& payload, std::uint64_t seq = 8813,
                   const std::string& timestamp = "2026-02-21T14:30:00.118Z") {
    const std::string text = R"({"type":")" + type + R"(","timestamp":")" + timestamp +
                             R"(","payload":)" + payload + R"(,"seq":)" + std::to_string(seq) + "}";
    const auto message = wire::parse_server_message(text);
    EXPECT_TRUE(message);
    if (!renderer) renderer.emplace(config);
    return renderer->line(*message, text, base::parse_rfc3339("2026-02-21T20:00:00Z").value());
  }

  RenderConfig config;
  std::optional<Renderer> renderer;
};

TEST_F(ClientRender, MakesAnAlignedLineOfEachType) {
  EXPECT_EQ(
      line("session.created",
           R"({"sessionKey":"abc-123","agentId":"research-agent","kind":"direct"})"),
      "14:30:00.118  session.created   research-agent  abc-123  direct                    #8813\n");
  EXPECT_EQ(
      line("agent.status", R"({"agentId":"research-agent","status":"running","taskCount":5})", 8814,
           "2026-02-21T14:30:05.402Z"),
      "14:30:05.402  agent.status      research-agent  running  5 tasks                   #8814\n");
  EXPECT_EQ(
      line(
          "cron.executed",
          R"({"jobId":"cron-001","command":"crypto:test-briefing","exitCode":0,"durationMs":1200})",
          8815, "2026-02-21T14:30:10.077Z"),
      "14:30:10.077  cron.executed     cron-001        crypto:test-briefing  ok  1.2 s    #8815\n");
  EXPECT_EQ(
      line("session.killed", R"({"sessionKey":"abc-123"})"),
      "14:30:00.118  session.killed    -               abc-123                            #8813\n");
  EXPECT_EQ(
      line("gateway.status", R"({"status":"running","version":"2026.2.1","uptime":3600})"),
      "14:30:00.118  gateway.status    gateway         running  version 2026.2.1  up 1 h  #8813\n");
}

TEST_F(ClientRender, SaysFirstWhatWentWrong) {
  const std::string failed = line(
      "cron.executed",
      R"({"jobId":"cron-001","command":"backup","exitCode":2,"durationMs":90,"stderr":"\n  disk full\nat line 7"})");
  EXPECT_NE(failed.find("backup  exit 2  90 ms  disk full "), std::string::npos) << failed;
  config.color = Color::on;
  renderer.reset();
  EXPECT_EQ(line("agent.status", R"({"agentId":"a","status":"error"})").find("\x1b[31m14:30"), 0u);
  EXPECT_EQ(line("agent.status", R"({"agentId":"a","status":"running"})").find("\x1b[31m"),
            std::string::npos);
}

TEST_F(ClientRender, ColoursOnlyWhenTold) {
  EXPECT_EQ(line("agent.status", R"({"agentId":"a","status":"error"})").find('\x1b'),
            std::string::npos);
}

TEST_F(ClientRender, ShowsTypesItDoesNotKnow) {
  EXPECT_NE(line("deploy.done", R"({"by":"me", "ok":true})")
                .find(R"(deploy.done       {"by":"me","ok":true})"),
            std::string::npos);
  // A built-in type whose payload is not what it should be is shown as it is.
  EXPECT_NE(line("session.created", R"([1,2])").find("[1,2]"), std::string::npos);
}

TEST_F(ClientRender, NothingInItDrivesATerminal) {
  const std::string evil = line(
      "session.created",
      R"({"sessionKey":"\u001b]0;owned\u0007","agentId":"a\u202eb\u200b","label":"x\ny\u009b2J\u007f"})");
  for (const char c : evil.substr(0, evil.size() - 1))
    EXPECT_GE(static_cast<unsigned char>(c), 0x20) << evil;
  EXPECT_NE(evil.find("\\x1b]0;owned\\x07"), std::string::npos) << evil;
  EXPECT_NE(evil.find("a\\u202eb\\u200b"), std::string::npos) << evil;
  EXPECT_EQ(evil.find("\xc2\x9b"), std::string::npos) << evil;
}

TEST_F(ClientRender, StaysOneLineOnATerminal) {
  config.width = 100;
  const std::string wide = line("deploy.done", R"({"text":")" + std::string(5000, 'x') + R"("})");
  EXPECT_EQ(display_width(wide.substr(0, wide.size() - 1)), 100u) << wide;
  EXPECT_NE(wide.find("…"), std::string::npos);
  EXPECT_TRUE(wide.ends_with("#8813\n"));
  const std::string cjk = line(
      "deploy.done",
      R"({"text":"日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語"})");
  EXPECT_EQ(display_width(cjk.substr(0, cjk.size() - 1)), 100u) << cjk;
}

TEST_F(ClientRender, NeverCutsHowItEnded) {
  const std::string uuid = "3f2b8c1e-77aa-4c1d-9a7c-0123456789ab";
  for (const std::size_t width : {64u, 70u, 80u, 100u, 120u}) {
    config.width = width;
    for (const std::string& job : {std::string("cron-001"), uuid}) {
      renderer.reset();
      const std::string good =
          line("cron.executed", R"({"jobId":")" + job + R"(","command":")" + std::string(90, 'c') +
                                    R"(","exitCode":0,"durationMs":1200})");
      EXPECT_NE(good.find("  ok  1.2 s  "), std::string::npos) << good;
      EXPECT_EQ(display_width(good.substr(0, good.size() - 1)), width) << good;
      const std::string bad = line(
          "cron.executed", R"({"jobId":")" + job + R"(","command":")" + std::string(90, 'c') +
                               R"(","exitCode":137,"durationMs":90,"stderr":"killed by someone"})");
      EXPECT_NE(bad.find("  exit 137  90 ms  "), std::string::npos) << bad;
    }
    renderer.reset();
    const std::string created =
        line("session.created",
             R"({"sessionKey":")" + uuid + R"(","agentId":")" + uuid + R"(","kind":"subagent"})");
    EXPECT_NE(created.find("  subagent  "), std::string::npos) << created;
  }
}

TEST_F(ClientRender, LongIdsStandInAColumnToo) {
  const std::string uuid = "3f2b8c1e-77aa-4c1d-9a7c-0123456789ab";
  const auto status_at = [&](const std::string& agent) {
    return line("agent.status", R"({"agentId":")" + agent + R"(","status":"running"})")
        .find("running");
  };
  for (const std::size_t width : {0u, 120u}) {
    config.width = width;
    renderer.reset();
    const auto first = status_at(uuid);
    EXPECT_EQ(status_at("short"), first);
  }
  // On a narrow screen the column is narrower; whole where there is room for it.
  config.width = 90;
  renderer.reset();
  EXPECT_NE(status_at(uuid), std::string::npos);
  EXPECT_LT(status_at("short"), status_at(uuid));
}

TEST_F(ClientRender, CutsNothingOnAPipe) {
  EXPECT_GT(line("deploy.done", R"({"text":")" + std::string(5000, 'x') + R"("})").size(), 5000u);
}

TEST_F(ClientRender, TellsTheTimeAsAsked) {
  const auto begin = [&](TimeFormat form,
                         const std::string& timestamp = "2026-02-21T14:30:00.118+00:30") {
    config.time = form;
    renderer.reset();
    const std::string text = line("session.killed", R"({"sessionKey":"k"})", 1, timestamp);
    return text.substr(0, text.find("  session.killed"));
  };
  ::setenv("TZ", "XXX-2", 1);
  ::tzset();
  EXPECT_EQ(begin(TimeFormat::local), "16:00:00.118");
  EXPECT_EQ(begin(TimeFormat::utc), "14:00:00.118Z");
  EXPECT_EQ(begin(TimeFormat::iso), "2026-02-21T14:00:00.118Z");
  EXPECT_EQ(begin(TimeFormat::delta), "+0.000");
  config.time = TimeFormat::none;
  renderer.reset();
  EXPECT_EQ(line("session.killed", R"({"sessionKey":"k"})").find("session.killed"), 0u);
  EXPECT_EQ(begin(TimeFormat::utc, "2026-02-19T01:02:03.004Z"), "2026-02-19 01:02:03.004Z");
}

TEST_F(ClientRender, CountsFromEventToEvent) {
  config.time = TimeFormat::delta;
  line("session.killed", R"({"sessionKey":"k"})", 1, "2026-02-21T14:30:00.000Z");
  EXPECT_EQ(line("session.killed", R"({"sessionKey":"k"})", 2, "2026-02-21T14:30:01.250Z")
                .find("+1.250  "),
            0u);
}

TEST_F(ClientRender, PassesJsonThroughUntouched) {
  config.format = OutputFormat::ndjson;
  const std::string text =
      "{\"type\":\"a.b\",\"payload\":{\"x\":1.50,\"y\":\"\\u202e\xe2\x80\xae\"},\"seq\":5}";
  const auto message = wire::parse_server_message(text);
  ASSERT_TRUE(message);
  EXPECT_EQ(Renderer(config).line(*message, text, 0), text + "\n");
}

TEST(ClientJsonLine, IsOneLine) {
  for (const StreamKind stream : {StreamKind::other, StreamKind::terminal})
    EXPECT_EQ(one_json_line("{\n\t\"a\":\r\n1}", stream), "{  \"a\":  1}");
}

TEST(ClientJsonLine, IsHarmlessOnATerminalAndMeansTheSame) {
  EXPECT_EQ(
      one_json_line("{\"a\":\"\xe2\x80\xae\x7f\xc2\x9b\xef\xbb\xbfö日\"}", StreamKind::terminal),
      R"({"a":"\u202e\u007f\u009b\ufeffö日"})");
}

}  // namespace
}  // namespace clawws::client
