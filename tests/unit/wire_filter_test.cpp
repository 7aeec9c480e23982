#include "clawws/wire/filter.hpp"

#include <gtest/gtest.h>

namespace clawws::wire {
namespace {

using base::Errc;
using Globs = std::vector<std::string>;

TEST(Filter, IsEverythingByDefault) {
  const Filter filter;
  EXPECT_TRUE(filter.is_everything());
  EXPECT_TRUE(filter.matches("bench.sample"));
  EXPECT_EQ(filter.globs(), Globs{"*"});
}

TEST(Filter, MatchesByGlobAcrossDots) {
  const auto filter = *Filter::from_list("session.*,agent.status");
  EXPECT_FALSE(filter.is_everything());
  EXPECT_TRUE(filter.matches("session.created"));
  EXPECT_TRUE(filter.matches("session.a.b"));
  EXPECT_TRUE(filter.matches("agent.status"));
  EXPECT_FALSE(filter.matches("agent.status2"));
  EXPECT_FALSE(filter.matches("gateway.status"));
  EXPECT_TRUE(Filter::from_list("*.status")->matches("gateway.status"));
}

TEST(Filter, AnEmptyListIsNothing) {
  for (const auto& filter :
       {*Filter::from_list(""), *Filter::from_list("  "), *Filter::from_globs({})}) {
    EXPECT_FALSE(filter.is_everything());
    EXPECT_FALSE(filter.matches("session.created"));
    EXPECT_TRUE(filter.globs().empty());
    EXPECT_EQ(filter.key(), "");
  }
}

TEST(Filter, AliasesBecomeCanonicalAndDuplicatesGo) {
  const auto filter =
      *Filter::from_list("agent.status_changed, session.*,agent.status,cron.job_executed");
  EXPECT_EQ(filter.globs(), (Globs{"agent.status", "session.*", "cron.executed"}));
  EXPECT_TRUE(filter.matches("agent.status"));
}

TEST(Filter, TheKeyIsTheSetOfGlobs) {
  EXPECT_EQ(Filter::from_list("b.x,a.y")->key(), Filter::from_list("a.y,b.x,b.x")->key());
  EXPECT_NE(Filter::from_list("b.x,a.y")->key(), Filter::from_list("a.y")->key());
  EXPECT_EQ(Filter().key(), Filter::from_list("session.*,*")->key());
  EXPECT_EQ(Filter().key(), Filter::from_list("**")->key());
  EXPECT_TRUE(Filter::from_list("session.*,*")->is_everything());
}

TEST(Filter, WithoutRemovesEqualEntriesOnly) {
  const auto filter = *Filter::from_list("session.*,agent.status,cron.*");
  const auto left =
      filter.without(*Filter::from_list("agent.status_changed,cron.executed,session.*"));
  EXPECT_EQ(left.globs(), Globs{"cron.*"});
  EXPECT_FALSE(left.matches("session.created"));
  EXPECT_TRUE(Filter().without(*Filter::from_list("session.*")).is_everything());
  EXPECT_FALSE(Filter().without(Filter()).matches("session.created"));
  EXPECT_FALSE(Filter::from_list("*,session.*")->without(Filter()).is_everything());
}

TEST(Filter, RefusesWhatIsNoFilter) {
  for (const Globs& globs : {Globs{""}, Globs{"Session.created"}, Globs{"a b"}, Globs{"session.?"},
                             Globs{"a,b"}, Globs{std::string(65, 'a')}, Globs{"\xc3\xa4"},
                             Globs(65, "a"), Globs{std::string("a\0", 2)}}) {
    const auto filter = Filter::from_globs(globs);
    ASSERT_FALSE(filter) << globs.front();
    EXPECT_EQ(filter.error().code, Errc::bad_filter);
    EXPECT_LT(filter.error().context.size(), 300U);
  }
  EXPECT_FALSE(Filter::from_list("a,,b"));
  EXPECT_FALSE(Filter::from_list(","));
  EXPECT_FALSE(Filter::from_list(std::string(1'000'000, ',')));
  EXPECT_TRUE(Filter::from_globs(Globs(64, "a")));
  EXPECT_TRUE(Filter::from_globs({std::string(64, 'a')}));
}

}  // namespace
}  // namespace clawws::wire
