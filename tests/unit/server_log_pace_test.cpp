#include "clawws/server/log_pace.hpp"

#include <gtest/gtest.h>

namespace clawws::server {
namespace {

TEST(ServerLogPace, TheFirstIsDueAndThenOneAMinute) {
  LogPace pace;
  base::SteadyTime now{};
  EXPECT_TRUE(pace.due(now));
  EXPECT_FALSE(pace.due(now));
  now += LogPace::k_interval - base::Millis(1);
  EXPECT_FALSE(pace.due(now));
  now += base::Millis(1);
  EXPECT_TRUE(pace.due(now));
  EXPECT_FALSE(pace.due(now));
}

}  // namespace
}  // namespace clawws::server
