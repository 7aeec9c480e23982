#include "clawws/client/notes.hpp"

#include <gtest/gtest.h>

namespace clawws::client {
namespace {

TEST(ClientNotes, TellLossAndReturn) {
  Reconnect::Decision decision;
  decision.retry = 1;
  decision.delay = base::Millis(210);
  EXPECT_EQ(lost_text(net::passing(net::Phase::live, "no byte for 30 s"), decision),
            "link lost (no byte for 30 s); retry 1 in 0.21 s");
  EXPECT_EQ(lost_text(net::passing(net::Phase::connect, "refused"), decision),
            "no connection (refused); retry 1 in 0.21 s");
  EXPECT_EQ(caught_up_text({3, false}, {"e1", 8819}, {}, ""),
            "live again at #8819: replayed 3, lost 0");
  EXPECT_EQ(caught_up_text({0, true}, {"e1", 8819}, {}, "wss://h/ws"),
            "live at e1:8819 from wss://h/ws");
}

TEST(ClientNotes, CountWhatIsLost) {
  LossCount lost;
  lost.add({Gap::Cause::retention, 7, {"e1", 3}, {"e1", 10}});
  EXPECT_EQ(caught_up_text({3, false}, {"e1", 20}, lost, ""),
            "live again at #20: replayed 3, lost 7");
  lost.add({Gap::Cause::new_epoch, {}, {"e1", 20}, {"e2", 0}});
  EXPECT_EQ(caught_up_text({3, false}, {"e2", 20}, lost, ""),
            "live again at #20: replayed 3, lost more than 7");
  LossCount unknown;
  unknown.add({Gap::Cause::new_epoch, {}, {"e1", 20}, {"e2", 0}});
  EXPECT_EQ(caught_up_text({0, false}, {"e2", 0}, unknown, ""),
            "live again at #0: replayed 0, lost unknown");
}

TEST(ClientNotes, TellGaps) {
  EXPECT_EQ(gap_text({Gap::Cause::retention, 7, {"e1", 3}, {"e1", 10}}),
            "gap: 7 events lost between #3 and #11: the server keeps them no longer");
  EXPECT_EQ(gap_text({Gap::Cause::new_epoch, {}, {"e1", 20}, {"e2", 0}}),
            "gap: the server's log began anew (e1 is now e2); what came after #20 may be lost");
  EXPECT_EQ(gap_text({Gap::Cause::ahead, {}, {"e1", 400}, {"e1", 0}, 12}),
            "position e1:400 is ahead of the server's log, which ends at #12; all that it keeps "
            "follows");
  EXPECT_EQ(gap_text({Gap::Cause::hole, 1, {"e1", 3}, {"e1", 5}}),
            "gap: 1 event missing between #3 and #5");
}

TEST(ClientNotes, EscapeWhatAPeerNamed) {
  const std::string text =
      gap_text({Gap::Cause::new_epoch, {}, {"e\x1b[31m", 20}, {"\xe2\x80\xae\n", 0}});
  EXPECT_NE(text.find("(e\\x1b[31m is now \\u202e\\n)"), std::string::npos) << text;
}

TEST(ClientNotes, CountWhatWasDropped) {
  EXPECT_EQ(dropped_text(1), "1 note dropped: nothing took them from stderr");
  EXPECT_EQ(dropped_text(12), "12 notes dropped: nothing took them from stderr");
}

TEST(ClientNotes, WarnOfMisspeltTypes) {
  EXPECT_EQ(type_warnings({"session.*", "agent.status", "*", "deploy.*"}),
            std::vector<std::string>());
  const auto unknown = type_warnings({"deploy.done"});
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_NE(unknown.front().find("'deploy.done'"), std::string::npos) << unknown.front();
  EXPECT_NE(unknown.front().find("--allow-type"), std::string::npos) << unknown.front();
  EXPECT_EQ(type_warnings({"session.creatd"}),
            std::vector<std::string>{
                "no built-in type matches 'session.creatd'; did you mean session.created?"});
}

TEST(ClientNotes, TellALongOutageOnceAMinute) {
  OutageNotes notes;
  Reconnect::Decision decision;
  const auto refused = net::passing(net::Phase::connect, "refused");
  const base::SteadyTime start{std::chrono::hours(1)};
  const auto lost = [&](int seconds, OutageNotes::Every every = OutageNotes::Every::minute) {
    decision.retry += 1;
    return notes.lost(refused, decision, start + std::chrono::seconds(seconds), every).value_or("");
  };
  EXPECT_EQ(lost(0), "no connection (refused); retry 1 in 0 s");
  EXPECT_EQ(lost(59), "");
  EXPECT_EQ(lost(60), "still no connection (refused); retry 3 in 0 s");
  EXPECT_EQ(lost(61), "");
  EXPECT_EQ(lost(200, OutageNotes::Every::reason), "");
  EXPECT_EQ(lost(201, OutageNotes::Every::attempt), "no connection (refused); retry 6 in 0 s");
  const auto other = net::passing(net::Phase::connect, "no route");
  EXPECT_TRUE(notes.lost(other, decision, start, OutageNotes::Every::reason));
  notes.over();
  EXPECT_TRUE(notes.lost(other, decision, start, OutageNotes::Every::reason));
}

TEST(ClientNotes, AreColouredOnlyWhenTold) {
  EXPECT_EQ(error_line("clawws tail", "no", Color::off), "clawws tail: no\n");
  EXPECT_EQ(error_line("clawws tail", "no", Color::on), "\x1b[31mclawws tail: no\x1b[0m\n");
}

}  // namespace
}  // namespace clawws::client
