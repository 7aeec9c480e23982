// The report's page: what is on it, that it needs nothing else, that nobody's words become markup.
#include <gtest/gtest.h>

#include "clawws/bench/chart.hpp"
#include "clawws/bench/markup.hpp"
#include "clawws/bench/report.hpp"
#include "support/bench_result.hpp"

namespace clawws::bench {
namespace {

std::string page_of(std::vector<BenchResult> runs) {
  for (BenchResult& run : runs) judge(run);
  return html_report(runs);
}

BenchResult with_series(std::size_t rows) {
  BenchResult r = test::bench_result();
  for (std::size_t i = 0; i < rows; ++i) {
    SeriesRow row;
    row.phase = Phase::measure;
    row.at = std::chrono::seconds(i);
    row.lasts = std::chrono::seconds(1);
    row.p50 = std::chrono::microseconds(900 + i);
    row.p99 = row.max = std::chrono::microseconds(1'900);
    r.series.push_back(row);
  }
  for (int i = 1; i <= 50; ++i) r.fleet.live_at.record(std::chrono::milliseconds(i));
  return r;
}

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(BenchHtml, EverythingIsOnThePage) {
  const std::string page = page_of({with_series(20)});
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</main></body></html>\n"));
  for (const char* part :
       {"clawws bench <span class=\"word good\">PASS", "Latency by percentile", "Latency over time",
        "Connect curve", "Ledger", "Thresholds", "delivery.p99 &lt; 100 ms", "Trust",
        "prefers-color-scheme:dark", "50,000", "As text", "steady · 50 clients"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(times(page, "<svg "), 3U);
  EXPECT_EQ(times(page, "<section"), times(page, "</section>"));
  EXPECT_EQ(times(page, "<td"), times(page, "</td>"));
}

TEST(BenchHtml, ItNeedsNothingElse) {
  const std::string page = page_of({with_series(20)});
  for (const char* part : {"<script", "src=", "href=", "url(", "@import", "http:", "https:"})
    EXPECT_EQ(page.find(part), std::string::npos) << part;
}

TEST(BenchHtml, WordsAreNotMarkup) {
  BenchResult r = with_series(3);
  const std::string evil = "</pre><script>alert(1)</script>\"'& \x1b[31m\xe2\x80\xae\xff";
  r.url = r.tls = r.run = r.server_source = r.publish.first_problem = evil;
  r.publish.failed = 1;
  r.fleet.connect_failures = {{evil, 1}};
  r.fleet.cut_reasons = {{evil, 1}};
  const std::string page = page_of({r});
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(times(page, "</pre>"), 1U);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_EQ(page.find("\xe2\x80\xae"), std::string::npos) << "the direction of text is turned";
  EXPECT_NE(page.find("&lt;/pre&gt;&lt;script&gt;"), std::string::npos);
}

TEST(BenchHtml, LossAndDistrustAreSeen) {
  BenchResult r = with_series(5);
  r.delivery.beyond = 1'000;
  r.fleet.ledger.lost = 1'000;
  r.live = 49;
  r.series[2].p50 = r.series[2].p99 = r.series[2].max = std::nullopt;
  const std::string page = page_of({r});
  EXPECT_NE(page.find("word bad\">INVALID"), std::string::npos);
  EXPECT_NE(page.find("class=\"mark\""), std::string::npos);
  EXPECT_NE(page.find(">lost</text>"), std::string::npos);
  EXPECT_NE(page.find("49 of 50 connections were opened"), std::string::npos);
}

TEST(BenchHtml, AnEmptyRunHasAPageToo) {
  BenchResult r;
  r.run = "00000000";
  const std::string page = page_of({r});
  EXPECT_NE(page.find("INVALID"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
}

TEST(BenchHtml, ManyLongRunsStaySmall) {
  BenchResult r = with_series(3'600);
  for (int i = 1; i < 200'000; ++i) r.delivery.values.record(Nanos(i * 7'001LL));
  const std::string one = page_of({r});
  EXPECT_LT(one.size(), 100'000U);
  const std::string many = page_of(std::vector<BenchResult>(50, r));
  EXPECT_LT(many.size(), 500'000U);
  EXPECT_EQ(times(many, "<h2>"), 10U);
}

TEST(BenchHtml, MarkupIsEscaped) {
  EXPECT_EQ(escape_markup("<a b=\"c\" d='e'>&\x01\n"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;?\n");
}

TEST(BenchHtml, TicksAreRound) {
  const auto labels = [](double highest, int wanted) {
    std::string text;
    for (const ChartTick& tick : round_ticks(highest, wanted)) text += tick.label + " ";
    return text;
  };
  EXPECT_EQ(labels(3.7, 4), "0 1 2 3 4 ");
  EXPECT_EQ(labels(0.37, 4), "0.0 0.1 0.2 0.3 0.4 ");
  EXPECT_EQ(labels(100, 4), "0 50 100 ");
  EXPECT_EQ(labels(0, 4), "0.0 0.5 1.0 ");
}

}  // namespace
}  // namespace clawws::bench
