#include "clawws/base/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include "clawws/base/posix.hpp"

namespace clawws::base {
namespace {

constexpr std::int64_t k_time = 1'771'684'200'118;

TEST(BaseLog, TextLinesUseLocalTime) {
  ::setenv("TZ", "XXX-01", 1);
  ::tzset();
  const Logger log(2, LogFormat::text, LogLevel::info);
  EXPECT_EQ(log.format(LogLevel::info, k_time, "client connected",
                       {{"peer", "127.0.0.1:5123"}, {"user", "admin"}}),
            "2026-02-21 15:30:00.118 info  client connected  peer=127.0.0.1:5123 user=admin\n");
  EXPECT_EQ(log.format(LogLevel::warning, k_time, "x", {{"n", 3}}),
            "2026-02-21 15:30:00.118 warn  x  n=3\n");
  ::unsetenv("TZ");
  ::tzset();
}

TEST(BaseLog, LogfmtLines) {
  const Logger log(2, LogFormat::logfmt, LogLevel::info);
  EXPECT_EQ(log.format(LogLevel::info, k_time, "client connected",
                       {{"peer", "127.0.0.1:5123"}, {"why", "say \"hi\" \\ a=b"}, {"empty", ""}}),
            "ts=2026-02-21T14:30:00.118Z level=info msg=\"client connected\" peer=127.0.0.1:5123 "
            "why=\"say \\\"hi\\\" \\\\ a=b\" empty=\"\"\n");
}

TEST(BaseLog, JsonLinesParse) {
  const Logger log(2, LogFormat::json, LogLevel::info);
  const std::string line = log.format(LogLevel::error, k_time, "it \"failed\"",
                                      {{"path", "/a\nb\\c\xff"},
                                       {"bytes", 65'536},
                                       {"share", 0.5},
                                       {"none", std::numeric_limits<double>::quiet_NaN()}});
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["ts"], "2026-02-21T14:30:00.118Z");
  EXPECT_EQ(parsed["level"], "error");
  EXPECT_EQ(parsed["msg"], "it \"failed\"");
  EXPECT_EQ(parsed["path"], "/a\\nb\\c\\xff");
  EXPECT_EQ(parsed["bytes"], 65'536);
  EXPECT_EQ(parsed["share"], 0.5);
  EXPECT_TRUE(parsed["none"].is_string());
}

TEST(BaseLog, NoPeerCanForgeALine) {
  for (const LogFormat format : {LogFormat::text, LogFormat::logfmt, LogFormat::json}) {
    const Logger log(2, format, LogLevel::info);
    const std::string line =
        log.format(LogLevel::info, k_time, "m\nx", {{"user", "a\nts=2026 level=error msg=forged"}});
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find("\x1b"), std::string::npos);
  }
}

TEST(BaseLog, WritesLinesOfTheLeastLevelAndUp) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  Logger log(out.get(), LogFormat::logfmt, LogLevel::warning);
  EXPECT_FALSE(log.enabled(LogLevel::info));
  log.debug("one");
  log.info("two");
  log.warning("three", {{"n", 3}});
  log.error("four");
  out.reset();
  const std::string text = *read_fd(in.get(), 10'000);
  EXPECT_EQ(text.find("one"), std::string::npos);
  EXPECT_EQ(text.find("two"), std::string::npos);
  EXPECT_NE(text.find("level=warn msg=\"three\" n=3\n"), std::string::npos);
  EXPECT_NE(text.find("level=error msg=\"four\"\n"), std::string::npos);
}

// Reads what the pipe holds, without waiting.
std::string drained(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(count));
  return text;
}

TEST(BaseLog, APipeThatNobodyReadsStopsNobody) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]), writer(ends[1]);
  ASSERT_EQ(::fcntl(reader.get(), F_SETFL, O_NONBLOCK), 0);
  Logger log(writer.get(), LogFormat::logfmt, LogLevel::info);
  constexpr int k_lines = 5'000;  // some 400 KB: more than a pipe takes
  for (int line = 0; line < k_lines; ++line) log.info("somebody came", {{"line", line}, {"more", std::string(40, 'x')}});
  const std::string first = drained(reader.get());
  const auto taken = std::count(first.begin(), first.end(), '\n');
  ASSERT_LT(taken, k_lines);
  log.info("read again");
  const std::string second = drained(reader.get());
  EXPECT_NE(second.find("lines=" + std::to_string(k_lines - taken)), std::string::npos) << second;
  EXPECT_NE(second.find("read again"), std::string::npos) << second;
  log.info("once");
  EXPECT_EQ(drained(reader.get()).find("lost"), std::string::npos);
}

}  // namespace
}  // namespace clawws::base
