#include "clawws/server/upstream_users.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>

namespace clawws::server {
namespace {

using namespace std::chrono_literals;
using Kind = AuthOutcome::Kind;

// The upstream as a list of questions that the test answers.
class ServerUpstreamUsers : public ::testing::Test {
 protected:
  struct Question {
    std::string user, password, address;
    std::function<void(UpstreamVerdict)> answer;
  };

  ServerUpstreamUsers() : log_(STDERR_FILENO, base::LogFormat::logfmt, base::LogLevel::error) {
    users_ = std::make_shared<UpstreamUsers>(
        [this](std::string user, std::string password, std::string address, auto answer) {
          asked_.push_back({std::move(user), std::move(password), std::move(address), std::move(answer)});
        },
        std::vector<std::string>{"ann"}, log_, [this] { return now_; });
  }
  ~ServerUpstreamUsers() override { users_->stop(); }

  static Presented given(const std::string& user, const std::string& password) {
    return {Presented::Kind::basic, user, password};
  }
  // The outcome once it is there.
  std::shared_ptr<std::optional<AuthOutcome>> log_in(const std::string& user, const std::string& password,
                                                     const std::string& address = "192.0.2.1") {
    auto outcome = std::make_shared<std::optional<AuthOutcome>>();
    users_->verify(given(user, password), address, [outcome](AuthOutcome got) { *outcome = std::move(got); });
    return outcome;
  }
  void answer(UpstreamVerdict verdict) {
    ASSERT_FALSE(asked_.empty());
    Question question = std::move(asked_.front());
    asked_.pop_front();
    question.answer(verdict);
  }
  Identity let_in(const std::string& user) {
    const auto outcome = log_in(user, "pw");
    answer(UpstreamVerdict::accepted);
    EXPECT_EQ((*outcome)->kind, Kind::accepted);
    return (*outcome)->identity;
  }

  base::Logger log_;
  base::SteadyTime now_{};
  std::deque<Question> asked_;
  std::shared_ptr<UpstreamUsers> users_;
};

TEST_F(ServerUpstreamUsers, WhatItSaysCountsForAMinute) {
  const auto first = log_in("ann", "pw");
  EXPECT_FALSE(*first);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].user, "ann");
  EXPECT_EQ(asked_[0].password, "pw");
  EXPECT_EQ(asked_[0].address, "192.0.2.1");
  answer(UpstreamVerdict::accepted);
  ASSERT_TRUE(*first);
  EXPECT_EQ((*first)->identity.user, "ann");
  EXPECT_TRUE((*first)->identity.may_publish);
  now_ += 59s;
  EXPECT_EQ((*log_in("ann", "pw"))->kind, Kind::accepted) << "without a question";
  EXPECT_TRUE(asked_.empty());
  now_ += 2s;
  EXPECT_FALSE(*log_in("ann", "pw"));
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(ServerUpstreamUsers, AnotherPasswordIsAnotherQuestion) {
  let_in("ann");
  EXPECT_FALSE(*log_in("ann", "other"));
  EXPECT_EQ(asked_.size(), 1U);
  answer(UpstreamVerdict::refused);
  EXPECT_FALSE(let_in("bob").may_publish) << "only ann may";
}

TEST_F(ServerUpstreamUsers, ARefusalCountsForFiveSeconds) {
  const auto first = log_in("ann", "wrong");
  answer(UpstreamVerdict::refused);
  EXPECT_EQ((*first)->kind, Kind::refused);
  now_ += 4s;
  EXPECT_EQ((*log_in("ann", "wrong"))->kind, Kind::refused);
  EXPECT_TRUE(asked_.empty());
  now_ += 2s;
  EXPECT_FALSE(*log_in("ann", "wrong"));
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(ServerUpstreamUsers, NoClearWordIsNeitherYesNorNo) {
  const auto first = log_in("ann", "pw");
  answer(UpstreamVerdict::unclear);
  EXPECT_EQ((*first)->kind, Kind::away);
  EXPECT_FALSE(*log_in("ann", "pw")) << "asked again at once";
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(ServerUpstreamUsers, EqualLoginsShareAQuestion) {
  const auto first = log_in("ann", "pw");
  const auto second = log_in("ann", "pw", "192.0.2.2");
  EXPECT_EQ(asked_.size(), 1U);
  answer(UpstreamVerdict::accepted);
  EXPECT_EQ((*first)->kind, Kind::accepted);
  EXPECT_EQ((*second)->kind, Kind::accepted);
}

TEST_F(ServerUpstreamUsers, TooManyFailuresAreNotPassedOn) {
  for (int i = 0; i < 10; ++i) {
    log_in("ann", "guess" + std::to_string(i));
    answer(UpstreamVerdict::refused);
  }
  EXPECT_EQ((*log_in("ann", "guess10"))->kind, Kind::limited);
  EXPECT_TRUE(asked_.empty());
  EXPECT_FALSE(*log_in("ann", "guess10", "192.0.2.2")) << "from elsewhere it may be asked";
}

TEST_F(ServerUpstreamUsers, WhoIsLiveIsAskedAboutEveryMinute) {
  const Identity live = let_in("ann");
  let_in("gone");
  int revoked = 0;
  const auto recheck = [&] { users_->recheck([&] { ++revoked; }); };
  now_ += 59s;
  recheck();
  EXPECT_TRUE(asked_.empty());
  now_ += 2s;
  recheck();
  recheck();
  ASSERT_EQ(asked_.size(), 1U) << "once, and only about who is still there";
  EXPECT_EQ(asked_[0].user, "ann");
  EXPECT_EQ(asked_[0].password, "pw");
  answer(UpstreamVerdict::accepted);
  EXPECT_FALSE(live.grant->revoked);
  now_ += 61s;
  recheck();
  answer(UpstreamVerdict::unclear);
  EXPECT_FALSE(live.grant->revoked) << "an upstream that is away throws nobody out";
  now_ += 4s;
  recheck();
  EXPECT_TRUE(asked_.empty());
  now_ += 2s;
  recheck();
  answer(UpstreamVerdict::refused);
  EXPECT_TRUE(live.grant->revoked);
  EXPECT_EQ(revoked, 1);
  now_ += 61s;
  recheck();
  EXPECT_TRUE(asked_.empty());
}

TEST_F(ServerUpstreamUsers, OthersGuessesLockNobodyOutWhoIsLive) {
  const Identity live = let_in("ann");
  now_ += 61s;
  users_->recheck([] {});
  answer(UpstreamVerdict::accepted);
  for (int i = 0; i < 10; ++i) {
    log_in("ann", "guess" + std::to_string(i));
    answer(UpstreamVerdict::refused);
  }
  EXPECT_EQ((*log_in("ann", "guess10"))->kind, Kind::limited);
  now_ += 59s;
  EXPECT_EQ((*log_in("ann", "pw"))->kind, Kind::accepted) << "the upstream has just said so";
}

TEST_F(ServerUpstreamUsers, OneAddressDoesNotKeepTheOthersOut) {
  std::vector<std::shared_ptr<std::optional<AuthOutcome>>> wrong;
  for (int i = 0; i < 40; ++i) wrong.push_back(log_in("user" + std::to_string(i), "guess"));
  ASSERT_TRUE(*wrong.back());
  EXPECT_EQ((*wrong.back())->kind, Kind::busy);
  const std::size_t asked = asked_.size();
  EXPECT_LT(asked, 40U);
  EXPECT_FALSE(*log_in("bob", "pw", "192.0.2.2")) << "he is asked about";
  EXPECT_EQ(asked_.size(), asked + 1);
}

TEST_F(ServerUpstreamUsers, ARefusedLoginEndsWhoLivesByTheSamePassword) {
  const Identity live = let_in("ann");
  now_ += 61s;
  log_in("ann", "pw");
  answer(UpstreamVerdict::refused);
  EXPECT_TRUE(live.grant->revoked);
}

TEST_F(ServerUpstreamUsers, AStopAnswersAllWhoWait) {
  const auto waits = log_in("ann", "pw");
  users_->stop();
  EXPECT_EQ((*waits)->kind, Kind::busy);
  answer(UpstreamVerdict::accepted);
  EXPECT_EQ((*waits)->kind, Kind::busy);
  EXPECT_EQ((*log_in("ann", "pw"))->kind, Kind::busy);
}

}  // namespace
}  // namespace clawws::server
