#include "clawws/client/status_line.hpp"

#include <gtest/gtest.h>

namespace clawws::client {
namespace {

using base::Millis;

class ClientStatusLine : public testing::Test {
 protected:
  static base::SteadyTime at(int millis) {
    return base::SteadyTime(std::chrono::hours(1) + Millis(millis));
  }

  StatusLine status;
  StatusLine::View view;
};

TEST_F(ClientStatusLine, SaysHowItGoes) {
  view.state = SessionState::live;
  view.seq = 8827;
  view.position = "k3f9c2a1:8827";
  view.up = Millis(372'000);
  view.retries = 1;
  for (int i = 0; i < 71; ++i) status.event(at(i * 5'000 / 71), Millis(3));
  EXPECT_EQ(status.line(view, at(5'000)),
            "[live] 14.2 ev/s  lag 3 ms  #8827  up 00:06:12  retries 1");
  EXPECT_EQ(status.summary(view, at(5'000)),
            "[live] 14.2 ev/s  lag 3 ms  #8827  up 00:06:12  retries 1  position k3f9c2a1:8827  "
            "events 71");
}

TEST_F(ClientStatusLine, ForgetsOldRates) {
  view.state = SessionState::live;
  status.event(at(0), {});
  EXPECT_NE(status.line(view, at(1'000)).find(" 1.0 ev/s"), std::string::npos);
  EXPECT_NE(status.line(view, at(60'000)).find(" 0.0 ev/s"), std::string::npos);
}

TEST_F(ClientStatusLine, ShowsNoNonsenseAsLag) {
  status.event(at(0), Millis(-5));
  EXPECT_NE(status.line(view, at(0)).find("lag 0 ms  "), std::string::npos)
      << status.line(view, at(0));
  status.event(at(0), Millis(3'600'001));
  EXPECT_EQ(status.line(view, at(0)).find("lag"), std::string::npos);
}

TEST_F(ClientStatusLine, SaysWhatItWaitsFor) {
  EXPECT_EQ(status.line(view, at(0)), "[connecting] 0.0 ev/s  retries 0");
  view.state = SessionState::waiting;
  view.retry_in = Millis(210);
  EXPECT_EQ(status.line(view, at(0)).find("[waiting 0.21 s]"), 0u) << status.line(view, at(0));
  view.state = SessionState::live;
  view.held = true;
  EXPECT_EQ(status.line(view, at(0)).find("[output is behind]"), 0u);
}

}  // namespace
}  // namespace clawws::client
