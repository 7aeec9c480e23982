#include "clawws/server/origin_log.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "clawws/base/posix.hpp"

namespace clawws::server {
namespace {

class ServerOriginLog : public ::testing::Test {
 protected:
  ServerOriginLog() : file_(::memfd_create("log", MFD_CLOEXEC)), log_(file_.get(), base::LogFormat::logfmt, base::LogLevel::info) {}

  void refuse(std::string_view origin) { origins_.refused(origin, "192.0.2.7", now_, log_); }
  // What was logged since the last call.
  std::string said() {
    std::string text(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_END)), '\0');
    const ssize_t count = ::pread(file_.get(), text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text.substr(std::exchange(read_, text.size()));
  }
  std::size_t lines() {
    const std::string text = said();
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  base::UniqueFd file_;
  base::Logger log_;
  std::size_t read_ = 0;
  base::SteadyTime now_{};
  OriginLog origins_;
};

TEST_F(ServerOriginLog, NamesTheOriginAndTheOptionThatWouldAllowIt) {
  refuse("https://Panel.example:443");
  const std::string line = said();
  EXPECT_NE(line.find("level=warn"), std::string::npos) << line;
  EXPECT_NE(line.find("origin=https://Panel.example:443"), std::string::npos) << line;
  EXPECT_NE(line.find("peer=192.0.2.7"), std::string::npos) << line;
  EXPECT_NE(line.find("--origin https://panel.example\""), std::string::npos) << line;
  refuse("null");
  EXPECT_EQ(said().find("--origin null"), std::string::npos);
}

TEST_F(ServerOriginLog, EachOnceAMinute) {
  refuse("https://a.example");
  refuse("https://a.example");
  refuse("https://b.example");
  EXPECT_EQ(lines(), 2U);
  now_ += OriginLog::k_interval - base::Millis(1);
  refuse("https://a.example");
  EXPECT_EQ(lines(), 0U);
  now_ += base::Millis(1);
  refuse("https://a.example");
  EXPECT_EQ(lines(), 1U);
}

TEST_F(ServerOriginLog, NoPageCanFillTheLogOrForgeALine) {
  for (int i = 0; i < 1'000; ++i) refuse("https://" + std::to_string(i) + ".example");
  EXPECT_EQ(lines(), OriginLog::k_most_origins);
  now_ += OriginLog::k_interval;
  refuse("https://x\x1b[2J" + std::string(8'000, 'y'));
  const std::string line = said();
  EXPECT_LT(line.size(), 500U);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace clawws::server
