// The time series: rows as a controller sees them, filled with what was due in each, and as CSV.
#include <gtest/gtest.h>

#include "clawws/bench/collect.hpp"
#include "clawws/bench/report.hpp"
#include "clawws/bench/sampler.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Rows {
  std::uint64_t connected = 0;
  Sampler sampler{seconds(1), [this](SeriesRow& row) { row.connected = connected; }};
};

TEST(BenchSeries, APhaseBeginsARowAndASecondEndsOne) {
  Rows rows;
  rows.sampler.turn(Phase::preflight, seconds(90));
  rows.sampler.turn(Phase::connect, seconds(100));
  rows.connected = 5;
  rows.sampler.turn(Phase::connect, milliseconds(100'900));
  rows.sampler.turn(Phase::connect, milliseconds(101'002));
  rows.connected = 7;
  rows.sampler.turn(Phase::measure, milliseconds(101'500));
  rows.sampler.turn(Phase::measure, milliseconds(102'400));
  rows.sampler.turn(Phase::close, milliseconds(102'400));
  rows.sampler.turn(Phase::close, seconds(200));
  const auto found = rows.sampler.take();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].phase, Phase::connect);
  EXPECT_EQ(found[0].at, Nanos(0));
  EXPECT_EQ(found[0].lasts, seconds(1));
  EXPECT_EQ(found[0].connected, 5U);
  EXPECT_EQ(found[1].phase, Phase::connect);
  EXPECT_EQ(found[1].at, seconds(1));
  EXPECT_EQ(found[1].lasts, milliseconds(500));
  EXPECT_EQ(found[1].connected, 7U);
  EXPECT_EQ(found[2].phase, Phase::measure);
  EXPECT_EQ(found[2].at, milliseconds(1'500));
  EXPECT_EQ(found[2].lasts, milliseconds(900));
}

TEST(BenchSeries, ASleptThroughTimeHasItsRows) {
  Rows rows;
  rows.sampler.turn(Phase::connect, Nanos(0));
  rows.sampler.turn(Phase::measure, milliseconds(3'500));
  rows.sampler.turn(Phase::close, seconds(4));
  const auto found = rows.sampler.take();
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[2].at, seconds(2));
  EXPECT_EQ(found[3].at, seconds(3));
  EXPECT_EQ(found[3].lasts, milliseconds(500));
  EXPECT_EQ(found[4].phase, Phase::measure);
}

TEST(BenchSeries, LongRunsHaveLongRows) {
  BenchPlan plan;
  plan.rate = 10;
  plan.events = 10 * 3'600;
  EXPECT_EQ(series_step(plan), seconds(1));
  plan.events = 10 * 36'000;
  EXPECT_EQ(series_step(plan), seconds(10));
}

// Two connections at 2 events a second, of which 2 are warm-up and 5 count. Event 3, in the first
// row, reached one of them; 6, in the third, nobody.
struct Case {
  BenchResult result;
  Measure measure;
  std::vector<std::uint64_t> sent{7};

  Case() {
    result.plan.rate = 2;
    measure.warm_up = 2;
    measure.total = measure.split = 7;
    measure.events_a_row = 2;
    Tally& fleet = result.fleet;
    fleet.measured = 2;
    fleet.events = {{milliseconds(1), milliseconds(3), 2},
                    {milliseconds(2), milliseconds(2), 1},
                    {milliseconds(5), milliseconds(9), 2},
                    {milliseconds(5), milliseconds(8), 2},
                    {}};
    fleet.ledger = {10, 7, 3, 0, 0};
    fleet.rows.resize(3);
    fleet.rows[0].emplace();
    fleet.rows[1].emplace();
    for (const int delay : {1, 3, 2}) fleet.rows[0]->record(milliseconds(delay));
    for (const int delay : {5, 9, 5, 8}) fleet.rows[1]->record(milliseconds(delay));
    const auto add = [&](Phase phase, int at, int lasts) {
      SeriesRow row;
      row.phase = phase;
      row.at = milliseconds(at);
      row.lasts = milliseconds(lasts);
      row.connected = 2;
      result.series.push_back(row);
    };
    add(Phase::connect, 0, 500);
    add(Phase::warm_up, 500, 1'000);
    add(Phase::measure, 1'500, 1'000);
    add(Phase::measure, 2'500, 1'000);
    add(Phase::drain, 3'500, 5);
  }
  void run() { collect(result, {}, measure, sent); }
};

TEST(BenchSeries, RowsHaveWhatWasDueInThem) {
  Case c;
  c.run();
  ASSERT_EQ(c.result.series.size(), 6U) << "the third measured row was not seen, but is there";
  const SeriesRow &first = c.result.series[2], &second = c.result.series[3],
                  &third = c.result.series[4];
  EXPECT_EQ(c.result.series[1].published, 2U);
  EXPECT_EQ(first.published, 2U);
  EXPECT_EQ(first.delivered, 3U);
  EXPECT_EQ(first.lost, 1U);
  EXPECT_EQ(first.max, milliseconds(3));
  EXPECT_NEAR(static_cast<double>(first.p50.value().count()), 2e6, 2e6 * 0.016);
  EXPECT_EQ(first.p99, std::nullopt) << "the lost one is beyond";
  EXPECT_EQ(second.delivered, 4U);
  EXPECT_LE(second.p99.value(), second.max.value());
  EXPECT_EQ(third.phase, Phase::measure);
  EXPECT_EQ(third.published, 1U);
  EXPECT_EQ(third.lost, 2U);
  EXPECT_EQ(third.max, std::nullopt);
  std::uint64_t delivered = 0, lost = 0;
  for (const SeriesRow& row : c.result.series) delivered += row.delivered, lost += row.lost;
  EXPECT_EQ(delivered, c.result.fleet.ledger.delivered);
  EXPECT_EQ(lost, c.result.fleet.ledger.lost);
}

TEST(BenchSeries, GrowthIsThatOfTheSecondHalf) {
  BenchResult r;
  const auto add = [&](Phase phase, int second, std::uint64_t rss, std::uint64_t files) {
    SeriesRow row;
    row.phase = phase;
    row.at = seconds(second);
    row.lasts = seconds(1);
    row.server_rss = rss;
    row.server_files = files;
    r.series.push_back(row);
  };
  add(Phase::warm_up, 0, 1, 1);
  // A cache fills in the first half; in the second 10 bytes come a second, and descriptors go.
  for (int i = 1; i <= 10; ++i) add(Phase::measure, i, 1'000'000u * static_cast<unsigned>(i), 50);
  for (int i = 11; i <= 20; ++i)
    add(Phase::measure, i, 20'000'000u + 10u * static_cast<unsigned>(i),
        60u - static_cast<unsigned>(i));
  EXPECT_NEAR(rss_growth(r).value().an_hour, 36'000, 0.01);
  EXPECT_EQ(rss_growth(r).value().rows, 10U);
  EXPECT_NEAR(files_growth(r).value().an_hour, -3'600, 0.01);
  const MetricValue metric = metric_value(r, "server.files-growth");
  EXPECT_NEAR(metric.value.value(), -3'600, 0.01);
  EXPECT_EQ(format_value(metric.unit, *metric.value), "-3,600");
  EXPECT_EQ(metric_value(r, "server.rss-growth").unit, Unit::bytes);
  r.series.resize(9);
  EXPECT_EQ(rss_growth(r), std::nullopt) << "too short";
}

TEST(BenchSeries, CsvHasARowEach) {
  Case c;
  c.run();
  c.result.series[2].server_rss = 4'096;
  const std::string csv = csv_report(std::span(&c.result, 1));
  EXPECT_TRUE(
      csv.starts_with("t,phase,connected,published,delivered,lost,p50,p99,max,server_rss,"
                      "server_files,run\r\n"
                      "0.000,connect,2,0,0,0,,,,,,1\r\n"
                      "0.500,warm-up,2,2,0,0,,,,,,1\r\n"))
      << csv;
  EXPECT_NE(csv.find("1.500,measure,2,2,3,1,"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",3.000,4096,,1\r\n"), std::string::npos) << csv;
  EXPECT_TRUE(csv.ends_with("3.500,drain,2,0,0,0,,,,,,1\r\n")) << csv;
}

}  // namespace
}  // namespace clawws::bench
