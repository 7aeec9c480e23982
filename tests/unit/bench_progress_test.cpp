// Progress as it stands on stderr, and the schedule behind it.
#include "clawws/bench/progress.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "clawws/bench/numbers.hpp"
#include "clawws/bench/schedule.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Snapshot measuring() {
  Snapshot s;
  s.phase = Phase::measure;
  s.elapsed = seconds(12);
  s.phase_length = seconds(20);
  s.asked = s.live = 50;
  s.rate = 2'500;
  s.lost = 3;
  s.outstanding = 7;
  s.p50 = std::chrono::microseconds(420);
  s.p99 = std::chrono::microseconds(1'100);
  s.max = std::chrono::microseconds(2'400);
  return s;
}

// What a progress line writes for these snapshots.
std::string written(ProgressLine::Form form, const std::vector<Snapshot>& snapshots) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  {
    ProgressLine line(ends[1], form);
    for (const Snapshot& snapshot : snapshots) line.show(snapshot);
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  const ssize_t count = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

TEST(BenchProgress, SaysPhaseConnectionsRateLatencyAndLoss) {
  EXPECT_EQ(progress_text(measuring()),
            "measure 12/20 s · 50/50 connected · 2,500 deliveries/s · p50 0.42 p99 1.1 max 2.4 ms "
            "· lost 3 · outstanding 7");
  Snapshot connecting;
  connecting.phase = Phase::connect;
  connecting.elapsed = milliseconds(1'200);
  connecting.asked = 1'000;
  connecting.live = 612;
  connecting.failed = 2;
  EXPECT_EQ(progress_text(connecting), "connect 1 s · 612/1,000 connected, 2 failed");
}

TEST(BenchProgress, ARedrawnLineIsTakenAwayAtTheEnd) {
  const std::string text = written(ProgressLine::Form::redrawn, {measuring(), measuring()});
  EXPECT_TRUE(text.starts_with("\r\x1b[Kmeasure 12/20 s")) << text;
  EXPECT_TRUE(text.ends_with("\r\x1b[K")) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(BenchProgress, WithoutATerminalShortRunsAreQuiet) {
  EXPECT_EQ(written(ProgressLine::Form::lines, {measuring(), measuring()}), "");
  EXPECT_EQ(written(ProgressLine::Form::none, {measuring()}), "");
}

TEST(BenchProgress, OnDemandEachPhaseHasALine) {
  Snapshot draining = measuring();
  draining.phase = Phase::drain;
  const std::string text =
      written(ProgressLine::Form::phases, {measuring(), measuring(), draining, draining});
  EXPECT_EQ(text, progress_text(measuring()) + "\n" + progress_text(draining) + "\n");
}

TEST(BenchSchedule, NeverMoves) {
  const Schedule schedule(seconds(5), 30);
  EXPECT_EQ(schedule.due(0), seconds(5));
  EXPECT_EQ(schedule.due(3'000'000), seconds(100'005));
  EXPECT_EQ(schedule.count_due(seconds(5) - Nanos(1)), 0U);
  EXPECT_EQ(schedule.count_due(seconds(5)), 1U);
  EXPECT_EQ(schedule.count_due(seconds(6) + milliseconds(1)), 31U);
}

TEST(BenchNumbers, HaveTheDigitsThatSaySomething) {
  EXPECT_EQ(millis(std::chrono::microseconds(420)), "0.42");
  EXPECT_EQ(millis(std::chrono::microseconds(9'700)), "9.7");
  EXPECT_EQ(millis(milliseconds(142)), "142");
  EXPECT_EQ(time_text(Nanos(17)), "17 ns");
  EXPECT_EQ(time_text(std::chrono::microseconds(420)), "420 us");
  EXPECT_EQ(time_text(milliseconds(100)), "100 ms");
  EXPECT_EQ(time_text(milliseconds(2'500)), "2.5 s");
  EXPECT_EQ(time_text(Nanos(0)), "0 ns");
}

}  // namespace
}  // namespace clawws::bench
