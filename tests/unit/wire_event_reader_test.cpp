// What publishers send, and what becomes of it: clawws-protocol(7), events.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "clawws/wire/event.hpp"
#include "support/growth.hpp"

namespace clawws::wire {
namespace {

using base::Errc;

constexpr std::int64_t k_now = 1771684200000;  // 2026-02-21T14:30:00.000Z
constexpr const char* k_head =
    R"({"type":"bench.sample","timestamp":"2026-02-21T14:30:00.000Z","payload":)";

ParseResult parse(std::string_view text, const EventRules& rules = {}) {
  return parse_events_json(text, rules, k_now);
}

// The canonical payload of a bench.sample with this payload, or "code path: message".
std::string payload(const std::string& text) {
  const auto parsed = parse(R"({"type":"bench.sample","payload":)" + text + '}');
  if (!parsed) {
    const auto& problem = parsed.error();
    return std::string(base::info(problem.code).word) + ' ' + problem.path + ": " + problem.message;
  }
  const std::string& body = parsed->events.at(0).body;
  EXPECT_EQ(body.rfind(k_head, 0), 0U) << body;
  return body.substr(std::string_view(k_head).size());
}

struct Refusal {
  Errc code;
  std::string path;
  std::string part;  // of the message
};
void expect_refused(std::string_view text, const Refusal& wanted, const EventRules& rules = {}) {
  SCOPED_TRACE(text.substr(0, 200));
  const auto parsed = parse(text, rules);
  ASSERT_FALSE(parsed);
  const EventProblem& problem = parsed.error();
  EXPECT_EQ(base::info(problem.code).word, base::info(wanted.code).word) << problem.message;
  EXPECT_EQ(problem.path, wanted.path) << problem.message;
  EXPECT_NE(problem.message.find(wanted.part), std::string::npos) << problem.message;
  EXPECT_LT(problem.message.size(), 1'000U);
}

TEST(EventReader, WritesTheCanonicalForm) {
  const auto parsed = parse(
      R"( { "payload" : { "sessionKey" : "abc-123", "agentId":"r", "kind":"direct", "x" : [1, 2] },
      "timestamp": "2026-02-21T16:30:00+02:00", "type": "session.created" } )");
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->events.size(), 1U);
  EXPECT_EQ(parsed->events[0].type, "session.created");
  EXPECT_EQ(parsed->events[0].body,
            R"({"type":"session.created","timestamp":"2026-02-21T14:30:00.000Z",)"
            R"("payload":{"sessionKey":"abc-123","agentId":"r","kind":"direct","x":[1,2]})");
  EXPECT_TRUE(parsed->warnings.empty());
}

TEST(EventReader, ATimestampLeftOutIsNow) {
  const auto parsed = parse(R"({"type":"bench.sample","payload":{}})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->events[0].body, std::string(k_head) + "{}");
}

TEST(EventReader, AliasesBecomeCanonical) {
  const auto parsed =
      parse(R"([{"type":"agent.status_changed","payload":{"agentId":"a","status":"idle"}},
    {"type":"cron.job_executed","payload":{"jobId":"j","exitCode":-1,"command":"c"}},
    {"type":"gateway.status_changed","payload":{"status":"running","version":"1","uptime":0.5}}])");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->events[0].type, "agent.status");
  EXPECT_EQ(parsed->events[1].body.rfind(R"({"type":"cron.executed",)", 0), 0U);
  EXPECT_EQ(parsed->events[2].type, "gateway.status");
}

TEST(EventReader, FurtherMembersPassInOrderWithTheirValues) {
  EXPECT_EQ(payload(R"({"z":1,"a":{"y":null,"b":[true,false,[],{}]},"m":"x"})"),
            R"({"z":1,"a":{"y":null,"b":[true,false,[],{}]},"m":"x"})");
  EXPECT_EQ(payload(R"({"\u0061\ud83d\ude00":"\u00fc\/\u0007\u2028"})"),
            "{\"a\xf0\x9f\x98\x80\":\"\xc3\xbc/\\u0007\xe2\x80\xa8\"}");
}

TEST(EventReader, NumbersKeepTheirValueNotTheirSpelling) {
  EXPECT_EQ(payload(R"({"a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993})"),
            R"({"a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993})");
  EXPECT_EQ(payload(R"({"a":1.0,"b":1.50,"c":1E2,"d":0.1,"e":-0.0,"f":1e-7})"),
            R"({"a":1.0,"b":1.5,"c":100.0,"d":0.1,"e":-0.0,"f":1e-07})");
  EXPECT_EQ(payload(R"({"a":1.7976931348623157e308,"b":5e-324,"c":1e22})"),
            R"({"a":1.7976931348623157e+308,"b":5e-324,"c":1e+22})");
}

TEST(EventReader, NumbersBeyond64BitsAreRefused) {
  for (const char* number : {"18446744073709551616", "-9223372036854775809",
                             "123456789012345678901234567890", "1e309", "-1e400"}) {
    expect_refused(std::string(R"({"type":"bench.sample","payload":{"a":[0,)") + number + "]}}",
                   {Errc::invalid_event, "/payload/a/1", "must be"});
  }
  // Where a string would be refused, too.
  expect_refused(
      R"({"type":"cron.executed","payload":{"jobId":"j","exitCode":99999999999999999999999}})",
      {Errc::invalid_event, "/payload/exitCode",
       "an integer must be from -9223372036854775808 to 18446744073709551615"});
}

TEST(EventReader, WhatIsNotJsonIsNamedByPlace) {
  for (const std::string& text :
       {std::string(), std::string("  "), std::string("{"), std::string("nul"), std::string("[{]"),
        std::string("{\"type\":NaN}"), std::string("{'a':1}"),
        std::string("{\"type\":\"bench.sample\",}"), std::string("{\"type\":\"bench.sample\"} {}"),
        std::string("{\"payload\":{\"a\":01}}"), std::string("{\"type\":+1}"), std::string("\xff"),
        std::string("{\"type\":\"\xc3\x28\"}"), std::string("{\"type\":\"\xed\xa0\x80\"}"),
        std::string("{\"type\":\"\\ud800\"}"), std::string("{\"type\":\"a\tb\"}"),
        std::string("// c\n{}"), std::string("{\"type\":\"bench.sample\"}\0{}", 27),
        std::string("\0", 1)}) {
    expect_refused(text, {Errc::invalid_json, "", "not JSON at line 1, column "});
  }
  expect_refused("{\n \"type\": oops}", {Errc::invalid_json, "", "line 2, column 10"});
}

TEST(EventReader, AComplaintAboutJsonShowsNoControlCharactersAndLittleText) {
  const auto parsed = parse("{\"type\":\"\x1b[31m" + std::string(60'000, 'x'));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message.find('\x1b'), std::string::npos);
  EXPECT_LT(parsed.error().message.size(), 700U);
}

TEST(EventReader, AnEventIsAnObject) {
  expect_refused("5", {Errc::invalid_event, "", "not an integer"});
  expect_refused("\"x\"", {Errc::invalid_event, "", "not a string"});
  expect_refused("null", {Errc::invalid_event, "", "not null"});
  expect_refused("[]", {Errc::invalid_event, "", "no event"});
  expect_refused("[[]]", {Errc::invalid_event, "/0", "not an array"});
  expect_refused(R"([{"type":"bench.sample"},7])", {Errc::invalid_event, "/1", "not an integer"});
}

TEST(EventReader, OnlyTypeTimestampAndPayloadStandAtTheTop) {
  expect_refused(R"({"type":"bench.sample","payload":{},"label":"x"})",
                 {Errc::invalid_event, "/label", "into payload"});
  expect_refused(R"({"type":"bench.sample","payload":{},"seq":7})",
                 {Errc::invalid_event, "/seq", "leave it out"});
  expect_refused(R"({"type":"bench.sample","payload":[]})",
                 {Errc::invalid_event, "/payload", "an object, not an array"});
  expect_refused(R"({"type":"bench.sample","payload":null})",
                 {Errc::invalid_event, "/payload", "not null"});
  expect_refused(R"({"type":7,"payload":{}})",
                 {Errc::invalid_event, "/type", "a string, not an integer"});
  expect_refused(R"({"type":{},"payload":{}})",
                 {Errc::invalid_event, "/type", "a string, not an object"});
  expect_refused(R"({"payload":{}})", {Errc::invalid_event, "/type", "type is missing"});
  expect_refused("{}", {Errc::invalid_event, "/type", "type is missing"});
}

TEST(EventReader, ATimestampIsRfc3339) {
  expect_refused(R"({"type":"bench.sample","timestamp":1771684200000})",
                 {Errc::invalid_event, "/timestamp", "RFC 3339"});
  expect_refused(R"([{"type":"bench.sample","timestamp":"yesterday"}])",
                 {Errc::invalid_event, "/0/timestamp", "\"yesterday\""});
  expect_refused(R"({"type":"bench.sample","timestamp":"2026-02-30T00:00:00Z"})",
                 {Errc::invalid_event, "/timestamp", "RFC 3339"});
  const auto parsed = parse(R"({"type":"bench.sample","timestamp":"2026-02-21t14:30:00.123456z"})");
  ASSERT_TRUE(parsed);
  EXPECT_NE(parsed->events[0].body.find(R"("timestamp":"2026-02-21T14:30:00.123Z")"),
            std::string::npos);
}

TEST(EventReader, APayloadMayBeLeftOutWhereNothingInItIsRequired) {
  EXPECT_EQ(parse(R"({"type":"bench.sample"})")->events[0].body, std::string(k_head) + "{}");
  expect_refused(R"({"type":"session.killed"})", {Errc::invalid_event, "/payload", "payload is missing"});
}

TEST(EventReader, RequiredMembersMustBeThere) {
  const struct {
    const char* type;
    const char* payload;
    const char* missing;
  } rows[] = {
      {"session.created", R"({"agentId":"a"})", "sessionKey"},
      {"session.killed", R"({"agentId":"a"})", "sessionKey"},
      {"agent.status", R"({"status":"idle"})", "agentId"},
      {"agent.status", R"({"agentId":"a"})", "status"},
      {"cron.executed", R"({"exitCode":0})", "jobId"},
      {"cron.executed", R"({"jobId":"j"})", "exitCode"},
      {"gateway.status", R"({"version":"1"})", "status"},
  };
  for (const auto& row : rows) {
    expect_refused(std::string(R"([{"type":"bench.sample"},{"type":")") + row.type +
                       R"(","payload":)" + row.payload + "}]",
                   {Errc::invalid_event, std::string("/1/payload/") + row.missing,
                    std::string("payload.") + row.missing + " is missing"});
  }
}

TEST(EventReader, MembersOfTheTableMustBeOfTheirKind) {
  const struct {
    const char* type;
    const char* payload;
    const char* path;
    const char* part;
  } rows[] = {
      {"session.created", R"({"sessionKey":5})", "sessionKey", "a string, not an integer"},
      {"session.created", R"({"sessionKey":null})", "sessionKey", "a string, not null"},
      {"session.created", R"({"sessionKey":"a","kind":"other"})", "kind",
       R"("direct", "cron" or "subagent", not "other")"},
      {"session.created", R"({"sessionKey":"a","kind":"Direct"})", "kind", "not \"Direct\""},
      {"session.created", R"({"sessionKey":"a","kind":""})", "kind", "not \"\""},
      {"session.created", R"({"sessionKey":"a","kind":["cron"]})", "kind", "not an array"},
      {"session.created", R"({"sessionKey":"a","label":{}})", "label", "a string, not an object"},
      {"session.killed", R"({"sessionKey":"a","agentId":true})", "agentId",
       "a string, not a boolean"},
      {"agent.status", R"({"agentId":"a","status":"stopped"})", "status",
       R"("running", "idle" or "error")"},
      {"agent.status", R"({"agentId":"a","status":"idle","activeSessionCount":-1})",
       "activeSessionCount", "0 or more"},
      {"agent.status", R"({"agentId":"a","status":"idle","taskCount":1.0})", "taskCount",
       "with a fraction"},
      {"agent.status", R"({"agentId":"a","status":"idle","lastActivity":"now"})", "lastActivity",
       "RFC 3339"},
      {"agent.status", R"({"agentId":"a","status":"idle","lastActivity":7})", "lastActivity",
       "RFC 3339"},
      {"cron.executed", R"({"jobId":"j","exitCode":"0"})", "exitCode", "an integer, not a string"},
      {"cron.executed", R"({"jobId":"j","exitCode":0.5})", "exitCode", "an integer"},
      {"cron.executed", R"({"jobId":"j","exitCode":0,"command":["a"]})", "command", "a string"},
      {"cron.executed", R"({"jobId":"j","exitCode":0,"stdout":1})", "stdout", "a string"},
      {"cron.executed", R"({"jobId":"j","exitCode":0,"stderr":null})", "stderr", "a string"},
      {"cron.executed", R"({"jobId":"j","exitCode":0,"durationMs":-5})", "durationMs", "negative"},
      {"gateway.status", R"({"status":"idle"})", "status", R"("running", "stopped" or "error")"},
      {"gateway.status", R"({"status":"running","version":2})", "version", "a string"},
      {"gateway.status", R"({"status":"running","version":"2","uptime":-0.5})", "uptime",
       "negative"},
      {"gateway.status", R"({"status":"running","version":"2","uptime":"5"})", "uptime",
       "a number"},
  };
  for (const auto& row : rows) {
    expect_refused(std::string(R"({"type":")") + row.type + R"(","payload":)" + row.payload + '}',
                   {Errc::invalid_event, std::string("/payload/") + row.path, row.part});
  }
}

TEST(EventReader, RulesCountInThePayloadItselfOnly) {
  const auto parsed = parse(
      R"({"type":"session.created","payload":{"x":{"status":5,"sessionKey":6},"sessionKey":"s"}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  expect_refused(R"({"type":"session.created","payload":{"x":{"sessionKey":"s"}}})",
                 {Errc::invalid_event, "/payload/sessionKey", "missing"});
  // A member that another type has a rule for is just a further member.
  EXPECT_TRUE(parse(
      R"({"type":"session.created","payload":{"sessionKey":"s","status":5,"exitCode":"x"}})"));
}

TEST(EventReader, OptionalMembersPassWhenTheyAreRight) {
  const auto parsed = parse(
      R"([{"type":"session.created","payload":{"sessionKey":"s","agentId":"a","kind":"subagent","label":"l"}},
      {"type":"agent.status","payload":{"agentId":"a","status":"error","activeSessionCount":0,"taskCount":18446744073709551615,
       "lastActivity":"2026-02-21T14:30:00+01:00"}},
      {"type":"cron.executed","payload":{"jobId":"j","exitCode":-9,"command":"c","stdout":"","stderr":"","durationMs":0}},
      {"type":"gateway.status","payload":{"status":"stopped","version":"","uptime":0}},
      {"type":"gateway.status","payload":{"status":"error","version":"","uptime":1.5e3}}])");
  ASSERT_TRUE(parsed) << parsed.error().path << parsed.error().message;
  EXPECT_EQ(parsed->events.size(), 5U);
  EXPECT_TRUE(parsed->warnings.empty());
  EXPECT_NE(parsed->events[1].body.find("2026-02-21T14:30:00+01:00"), std::string::npos);
}

TEST(EventReader, WarnsOfEventsThatClawPanelsReducersDrop) {
  const auto parsed = parse(R"([{"type":"session.killed","payload":{"sessionKey":"s"}},
    {"type":"cron.executed","payload":{"jobId":"j","exitCode":0}},
    {"type":"gateway.status","payload":{"status":"running"}},
    {"type":"session.created","payload":{"sessionKey":"s"}}])");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->warnings.size(), 3U);
  EXPECT_EQ(parsed->warnings[0].rfind("/0/payload/agentId: ", 0), 0U);
  EXPECT_EQ(parsed->warnings[1].rfind("/1/payload/command: ", 0), 0U);
  EXPECT_EQ(parsed->warnings[2].rfind("/2/payload/version: ", 0), 0U);
}

TEST(EventReader, DuplicateMembersAreRefusedAtAnyDepth) {
  expect_refused(R"({"type":"bench.sample","type":"bench.sample"})",
                 {Errc::invalid_event, "/type", "second"});
  expect_refused(R"({"type":"bench.sample","payload":{},"payload":{}})",
                 {Errc::invalid_event, "/payload", "second"});
  expect_refused(R"([{"type":"bench.sample","payload":{"a":1,"\u0061":2}}])",
                 {Errc::invalid_event, "/0/payload/a", "second"});
  expect_refused(R"({"type":"bench.sample","payload":{"l":[0,{"o":{"x":1,"y":{},"x":1}}]}})",
                 {Errc::invalid_event, "/payload/l/1/o/x", "second"});
  EXPECT_EQ(payload(R"({"a":{"a":1},"b":{"a":1}})"), R"({"a":{"a":1},"b":{"a":1}})");
  std::string many = "{";
  for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i) + "\":0,";
  expect_refused(R"({"type":"bench.sample","payload":)" + many + "\"k17\":0}}",
                 {Errc::invalid_event, "/payload/k17", "second"});
}

TEST(EventReader, APointerEscapesNamesAndCutsLongOnes) {
  expect_refused(R"({"type":"bench.sample","payload":{"a/b~c":1e999}})",
                 {Errc::invalid_event, "/payload/a~1b~0c", "64"});
  const auto parsed =
      parse(R"({"type":"bench.sample","payload":{")" + std::string(5'000, 'n') + R"(":1e999}})");
  ASSERT_FALSE(parsed);
  EXPECT_LT(parsed.error().path.size(), 100U);
}

TEST(EventReader, NestingEndsAt32) {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"bench.sample","payload":{"a":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}}";
  };
  EXPECT_TRUE(parse(nested(30)));
  EXPECT_TRUE(parse('[' + nested(30) + ']'));
  const auto refused = parse(nested(31));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_event);
  EXPECT_NE(refused.error().message.find("32"), std::string::npos);
  EXPECT_FALSE(parse(nested(500'000)));
  EXPECT_FALSE(parse(std::string(1'000'000, '[')));
}

TEST(EventReader, TypesOutsideTheTableNeedLeave) {
  expect_refused(R"({"type":"deploy.done"})", {Errc::invalid_event, "/type", "--allow-type"});
  expect_refused(R"({"type":"sesion.created"})",
                 {Errc::invalid_event, "/type", "did you mean \"session.created\"?"});
  expect_refused(R"({"type":"Session.Created"})",
                 {Errc::invalid_event, "/type", "not a type name"});
  expect_refused(R"({"type":""})", {Errc::invalid_event, "/type", "not a type name"});
  EventRules rules;
  rules.allowed_globs = {"deploy.*", "*.x"};
  const auto parsed =
      parse(R"([{"type":"deploy.done","payload":{"status":7}},{"type":"a.x"}])", rules);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->events[0].type, "deploy.done");
  expect_refused(R"({"type":"other.y"})", {Errc::invalid_event, "/type", "unknown"}, rules);
}

TEST(EventReader, ReservedTypesStayRefused) {
  EventRules rules;
  rules.allowed_globs = {"*"};
  for (const char* type :
       {"auth.success", "auth.x", "clawws.gap", "ping", "pong", "error", "position", "subscribed"}) {
    expect_refused(std::string(R"({"type":")") + type + "\"}",
                   {Errc::invalid_event, "/type", "protocol itself"}, rules);
  }
  expect_refused(R"({"type":"Not A Name"})", {Errc::invalid_event, "/type", "not a type name"},
                 rules);
}

TEST(EventReader, AnEventHasALargestSize) {
  EventRules rules;
  rules.max_event_bytes = 200;
  const std::size_t frame =
      std::string_view(k_head).size() + std::string_view(R"({"a":""}})").size();
  const auto event = [](std::size_t size) {
    return R"({"type":"bench.sample","payload":{"a":")" + std::string(size, 'x') + R"("}})";
  };
  EXPECT_TRUE(parse(event(200 - frame), rules));
  expect_refused(event(201 - frame), {Errc::too_large, "", "larger than"}, rules);
  expect_refused('[' + event(1) + ',' + event(500) + ']', {Errc::too_large, "/1", "larger than"},
                 rules);
  // Found as soon as it is so, not when the event ends.
  const std::string large = event(500);
  expect_refused(large.substr(0, large.size() - 2), {Errc::too_large, "", "larger than"}, rules);
  // Not the spelling counts, but the canonical text.
  EXPECT_TRUE(parse(
      R"({"type":"bench.sample","payload":{"a":"\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041"}})",
      rules));
  EXPECT_TRUE(parse(event(64 * 1024 - frame)));
  expect_refused(event(64 * 1024 - frame + 1), {Errc::too_large, "", "64"});
}

TEST(EventReader, ABatchHasALargestCount) {
  EventRules rules;
  rules.max_batch = 3;
  const std::string event = R"({"type":"bench.sample"})";
  EXPECT_EQ(parse('[' + event + ',' + event + ',' + event + ']', rules)->events.size(), 3U);
  expect_refused('[' + event + ',' + event + ',' + event + ',' + event + ']',
                 {Errc::too_large, "", "more than 3"}, rules);
  EXPECT_FALSE(
      parse_events_ndjson(event + '\n' + event + '\n' + event + '\n' + event, rules, k_now));
}

TEST(EventReader, OneBadEventRefusesTheWholeBatch) {
  expect_refused(
      R"([{"type":"bench.sample"},{"type":"bench.sample"},{"type":"agent.status","payload":{"agentId":"a","status":"x"}}])",
      {Errc::invalid_event, "/2/payload/status", "\"x\""});
}

TEST(EventReader, NdjsonIsOneEventALine) {
  const auto parsed = parse_events_ndjson(
      "\n{\"type\":\"bench.sample\"}\r\n   "
      "\n{\"type\":\"session.killed\",\"payload\":{\"sessionKey\":\"s\"}}\n\r\n",
      {}, k_now);
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->events.size(), 2U);
  EXPECT_EQ(parsed->events[1].type, "session.killed");
  ASSERT_EQ(parsed->warnings.size(), 1U);
  EXPECT_EQ(parsed->warnings[0].rfind("/1/payload/agentId: ", 0), 0U);
}

TEST(EventReader, NdjsonNamesTheLine) {
  const auto refused = [](std::string_view text) {
    const auto parsed = parse_events_ndjson(text, {}, k_now);
    EXPECT_FALSE(parsed);
    return parsed ? EventProblem{Errc::internal, "", ""} : parsed.error();
  };
  auto problem = refused("{\"type\":\"bench.sample\"}\n\n{\"type\" 5}\n");
  EXPECT_EQ(problem.code, Errc::invalid_json);
  EXPECT_EQ(problem.path, "/1");
  EXPECT_NE(problem.message.find("line 3, column 9"), std::string::npos) << problem.message;
  problem = refused(
      "{\"type\":\"bench.sample\"}\n{\"type\":\"agent.status\",\"payload\":{\"agentId\":\"a\","
      "\"status\":\"x\"}}");
  EXPECT_EQ(problem.code, Errc::invalid_event);
  EXPECT_EQ(problem.path, "/1/payload/status");
  EXPECT_EQ(refused("[{\"type\":\"bench.sample\"}]").path, "/0");
  EXPECT_EQ(refused("[{\"type\":\"bench.sample\"}]").code, Errc::invalid_event);
  EXPECT_EQ(refused("\n \n").code, Errc::invalid_event);
  EXPECT_EQ(refused("").code, Errc::invalid_event);
}

TEST(EventReader, TheCanonicalFormReadsBackToItself) {
  const auto first =
      parse(R"({"type":"agent.status_changed","timestamp":"2026-02-21T16:30:00+02:00","payload":
    {"agentId":"\u00e4\u0001","status":"idle","n":[1.0,1e22,-0.0,18446744073709551615,null,{"":{}}]}})");
  ASSERT_TRUE(first);
  const auto second = parse(first->events[0].body + '}');
  ASSERT_TRUE(second);
  EXPECT_EQ(second->events[0].body, first->events[0].body);
  EXPECT_TRUE(nlohmann::json::accept(first->events[0].body + '}'));
}

TEST(EventReader, HostileNamesCostNoMoreThanLinearTime) {
  const auto event_with_names = [](std::size_t size_bytes) {
    std::string text = R"({"type":"bench.sample","payload":{)";
    for (int i = 0; text.size() < size_bytes; ++i)
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    return text + "}}";
  };
  const std::string small = event_with_names(8'000);
  const std::string large = event_with_names(64'000);
  EXPECT_LT(test::growth([&] { EXPECT_TRUE(parse(small)); }, [&] { EXPECT_TRUE(parse(large)); }),
            test::k_between_linear_and_quadratic);
}

}  // namespace
}  // namespace clawws::wire
