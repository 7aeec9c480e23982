// What a result looks like in each of its reports.
#include "clawws/bench/report.hpp"

#include <gtest/gtest.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <sstream>

#include "clawws/base/posix.hpp"
#include "support/bench_result.hpp"
#include "support/json_schema.hpp"

namespace clawws::bench {
namespace {

using nlohmann::json;

BenchResult judged(BenchResult result) {
  judge(result);
  return result;
}

std::string text_of(const BenchResult& result) {
  return text_report(result, client::Color::off);
}

bool holds_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

test::JsonSchema published_schema() {
  const auto text = base::read_file(CLAWWS_SOURCE_DIR "/apps/bench/report.schema.json");
  return test::JsonSchema(json::parse(text.value()));
}

// A result in which everything that can be absent or long is.
BenchResult poor_result() {
  BenchResult r = test::bench_result();
  r.plan.scenario = Scenario::slow_consumer;
  r.plan.profile = "ci";
  r.plan.stalled = 2;
  r.live = 48;
  r.fleet.ledger = {48'000, 47'000, 1'000, 3, 4};
  r.fleet.corrupt = 5;
  r.fleet.cut = 1;
  r.fleet.connect_failures = {{"the server answered 503: \"no\" <room>", 2}};
  r.fleet.cut_reasons = {{"connection lost: \x1b[31m\xff", 1}};
  r.delivery.beyond = 1'000;
  r.fairness_max.reset();
  r.publish.failed = 7;
  r.publish.first_problem = "publisher: gone";
  r.server.reset();
  r.signal = 15;
  r.plan.thresholds.push_back(*parse_threshold("server.rss<1GiB"));
  return judged(r);
}

// Nothing happened at all.
BenchResult empty_result() {
  BenchResult r;
  r.run = "00000000";
  r.server_source = "--spawn";
  return r;
}

TEST(BenchReport, TextHasALineForEachPart) {
  const std::string text = text_of(judged(test::bench_result()));
  EXPECT_TRUE(
      holds_line(text,
                 "plan      50 conns · 1,000 events · 50,000 deliveries · 256 B · TLSv1.3 · "
                 "one process, monotonic clock"))
      << text;
  EXPECT_TRUE(holds_line(text, "target    wss://localhost:8443/ws (own server)")) << text;
  EXPECT_TRUE(holds_line(text, "connect   50/50 in 0.1 s   p50 0.90 ms  p99 0.90 ms   failed 0"))
      << text;
  EXPECT_TRUE(holds_line(text,
                         "deliver   p50 1.0 ms  p90 1.0  p99 2.0  p99.9 2.0  max 2.0      "
                         "(n=50,000, from intended start)"))
      << text;
  EXPECT_TRUE(holds_line(text,
                         "to-all    p50 2.0 ms  p99 2.0 ms   first receiver p50 0.70 p99 0.70   "
                         "fairness p99 per conn: 1.0 / 1.0 / 2.0"))
      << text;
  EXPECT_TRUE(holds_line(text,
                         "ledger    expected 50,000 = delivered 50,000 + lost 0   dup 0  "
                         "reordered 0  corrupt 0"))
      << text;
  EXPECT_TRUE(holds_line(text,
                         "server    cpu 0.06 cores  rss 14.0 MiB (18.6 KiB/conn)  21.82 "
                         "us/delivery  727 us/connect"))
      << text;
  EXPECT_TRUE(holds_line(text,
                         "client    cpu 0.05 of 2 cores (worker 0 0.02)  rss 10.0 MiB (18.6 "
                         "KiB/conn)"))
      << text;
  EXPECT_TRUE(holds_line(text,
                         "trust     schedule lag p99 0.08 ms · canary p99 1.9 ms · loop lag p99 "
                         "0.30 ms → VALID"))
      << text;
  EXPECT_TRUE(holds_line(text, "PASS      delivery.p99 2 ms < 100 ms (margin 98 %)")) << text;
  EXPECT_TRUE(holds_line(text, "PASS      lost 0 == 0")) << text;
}

TEST(BenchReport, TextSaysWhatWentWrong) {
  const std::string text = text_of(poor_result());
  EXPECT_NE(text.find("slow-consumer"), std::string::npos);
  EXPECT_TRUE(holds_line(text, "          2 times: the server answered 503: \"no\" <room>"))
      << text;
  EXPECT_NE(text.find("p99 over 5000 (lost)"), std::string::npos) << text;
  EXPECT_NE(text.find("not accepted by the server: 0 refused, 7 without an answer"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("INVALID"), std::string::npos);
  EXPECT_TRUE(holds_line(text, "          48 of 50 connections were opened")) << text;
  EXPECT_TRUE(holds_line(text, "FAIL      server.rss < 1.0 GiB: no data")) << text;
  EXPECT_NE(text.find("the run was interrupted"), std::string::npos);
  EXPECT_EQ(text.find("\nserver"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "a server's words colour the terminal";
}

TEST(BenchReport, WhoComesBackHasItsLines) {
  BenchResult r = test::comeback_result(Scenario::restart_kill9);
  std::string text = text_of(judged(r));
  for (const char* line :
       {"restart   SIGKILL; listening again after 300 ms   requests repeated 3",
        "reconnect 50 connections lost; all live again in 400 ms   p50 200 ms  p99 400  max 400   "
        "attempts failed 7",
        "          7 times: refused",
        "catch-up  p50 3.0 ms  p99 3.0  max 3.0   replayed 1,000 (2500/s)   seen already 2  "
        "gaps 1"})
    EXPECT_TRUE(holds_line(text, line)) << text;
  r.fleet.comeback->not_back = 2;
  r.all_back.reset();
  r.plan.scenario = Scenario::resume;
  text = text_of(judged(r));
  EXPECT_NE(text.find("lost; 2 never live again   p50 200 ms  p99 over 5000 (lost)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n others"), std::string::npos) << text;
  EXPECT_EQ(text.find("\nrestart"), std::string::npos) << text;
}

TEST(BenchReport, ChurnAndSoakHaveTheirLines) {
  BenchResult r = test::bench_result();
  r.plan.scenario = Scenario::churn;
  r.plan.churn_rate = 5;
  r.fleet.returns.record(std::chrono::milliseconds(3), 100);
  r.fleet.returns_failed = 1;
  EXPECT_TRUE(holds_line(text_of(judged(r)),
                         "churn     100 came back (5/s)   p50 3.0 ms  p99 3.0  max 3.0   failed 1"))
      << text_of(judged(r));
  EXPECT_EQ(metric_value(r, "return.p50").value, 3e6);
  EXPECT_EQ(metric_value(r, "returns").value, 100);
  EXPECT_EQ(metric_value(r, "return.failed").value, 1);
  r.plan.scenario = Scenario::soak;
  EXPECT_NE(text_of(judged(r)).find("\nsoak      no server process"), std::string::npos);
  for (int i = 0; i < 10; ++i) {
    SeriesRow row;
    row.phase = Phase::measure;
    row.at = std::chrono::seconds(i);
    row.server_rss = 1'000'000u - 1'024u * static_cast<unsigned>(i);
    row.server_files = 60;
    r.series.push_back(row);
  }
  EXPECT_TRUE(holds_line(
      text_of(judged(r)),
      "soak      an hour: rss -3.5 MiB  open files +0.0   (line through the last 5 rows)"))
      << text_of(judged(r));
}

TEST(BenchReport, ColourIsOnlyInColouredText) {
  const BenchResult result = judged(test::bench_result());
  EXPECT_EQ(text_of(result).find('\x1b'), std::string::npos);
  EXPECT_NE(text_report(result, client::Color::on).find("\x1b[32mPASS\x1b[0m"), std::string::npos);
}

TEST(BenchReport, JsonIsWhatTheSchemaSays) {
  const test::JsonSchema schema = published_schema();
  for (const BenchResult& result :
       {judged(test::bench_result()), poor_result(), judged(empty_result()),
        judged(test::comeback_result(Scenario::resume)),
        judged(test::comeback_result(Scenario::restart_kill9))}) {
    const json report = json::parse(json_report(result));
    for (const std::string& problem : schema.problems(report)) ADD_FAILURE() << problem;
  }
}

TEST(BenchReport, TheSchemaRefusesWhatItDoesNotName) {
  const test::JsonSchema schema = published_schema();
  json report = json::parse(json_report(judged(test::bench_result())));
  ASSERT_TRUE(schema.problems(report).empty());
  report["plan"]["extra"] = 1;
  report["ledger"].erase("lost");
  report["took"] = "long";
  report["schema"] = 2;
  EXPECT_EQ(schema.problems(report).size(), 4U);
}

TEST(BenchReport, JsonHasTheNumbers) {
  const json good = json::parse(json_report(judged(test::bench_result())));
  EXPECT_EQ(good["ledger"]["delivered"], 50'000);
  EXPECT_NEAR(good["delivery"]["all"]["p50"].get<double>(), 1.0, 0.001);
  EXPECT_EQ(good["thresholds"][0]["limit"], 100.0);
  EXPECT_EQ(good["thresholds"][0]["unit"], "ms");
  EXPECT_NEAR(good["thresholds"][0]["value"].get<double>(), 2.0, 0.002);
  EXPECT_EQ(good["exitCode"], 0);
  const json poor = json::parse(json_report(poor_result()));
  EXPECT_EQ(poor["delivery"]["all"]["p99"], nullptr);
  EXPECT_EQ(poor["server"], nullptr);
  EXPECT_EQ(poor["trust"]["valid"], false);
  EXPECT_EQ(poor["exitCode"], 128 + 15);
}

TEST(BenchReport, JUnitCountsAndNamesFailures) {
  namespace pt = boost::property_tree;
  const auto parse = [](const BenchResult& result) {
    std::istringstream in(junit_report(result));
    pt::ptree tree;
    pt::read_xml(in, tree);
    return tree.get_child("testsuites.testsuite");
  };
  const pt::ptree good = parse(judged(test::bench_result()));
  EXPECT_EQ(good.get<int>("<xmlattr>.tests"), 3);
  EXPECT_EQ(good.get<int>("<xmlattr>.failures"), 0);
  const pt::ptree poor = parse(poor_result());
  EXPECT_EQ(poor.get<int>("<xmlattr>.tests"), 4);
  EXPECT_EQ(poor.get<int>("<xmlattr>.failures"), 4);
  std::string messages;
  for (const auto& [name, node] : poor)
    if (name == "testcase")
      messages += node.get<std::string>("<xmlattr>.name") + ": " +
                  node.get<std::string>("failure.<xmlattr>.message", "") + "\n";
  EXPECT_NE(messages.find("delivery.p99 < 100 ms: lost deliveries reach this percentile"),
            std::string::npos)
      << messages;
  EXPECT_NE(messages.find("lost == 0: it was 1,000"), std::string::npos) << messages;
}

TEST(BenchReport, SummaryIsATableAndTheText) {
  const std::string good = summary_report(judged(test::bench_result()));
  EXPECT_TRUE(good.starts_with("### clawws bench: PASS\n")) << good;
  EXPECT_NE(good.find("| ✅ | `delivery.p99 < 100 ms` | 2 ms |\n"), std::string::npos) << good;
  const std::string poor = summary_report(poor_result());
  EXPECT_TRUE(poor.starts_with("### clawws bench: INVALID\n")) << poor;
  EXPECT_NE(poor.find("| ❌ | `lost == 0` | 1,000 |\n"), std::string::npos) << poor;
}

}  // namespace
}  // namespace clawws::bench
