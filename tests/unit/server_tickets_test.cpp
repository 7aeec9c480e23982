// Tickets: once, in time, from the page that asked, not too many.
#include "clawws/server/tickets.hpp"

#include <gtest/gtest.h>

#include <set>

namespace clawws::server {
namespace {

constexpr const char* k_page = "https://panel.example";

struct ServerTickets : testing::Test {
  static Identity identity(const std::string& user) { return {user, true, 7}; }

  Tickets tickets;
  base::SteadyTime now = base::SteadyTime(base::Millis(1'000'000));
};

TEST_F(ServerTickets, OneOpensOneConnection) {
  const std::string ticket = tickets.issue(identity("ann"), k_page, now);
  EXPECT_EQ(ticket.size(), 43U);
  EXPECT_EQ(
      ticket.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
      std::string::npos);
  const auto who = tickets.redeem(ticket, k_page, now);
  ASSERT_TRUE(who.has_value());
  EXPECT_EQ(who->user, "ann");
  EXPECT_EQ(who->version, 7U);
  EXPECT_TRUE(who->may_publish);
  EXPECT_FALSE(tickets.redeem(ticket, k_page, now).has_value()) << "used";
}

TEST_F(ServerTickets, ItEndsAfterHalfAMinute) {
  const std::string in_time = tickets.issue(identity("ann"), k_page, now);
  const std::string late = tickets.issue(identity("ann"), k_page, now);
  EXPECT_TRUE(tickets.redeem(in_time, k_page, now + base::Millis(29'999)).has_value());
  EXPECT_FALSE(tickets.redeem(late, k_page, now + base::Millis(30'000)).has_value());
  EXPECT_EQ(tickets.open(), 0U);
}

TEST_F(ServerTickets, AnotherPageUsesItUpAndGetsNothing) {
  for (const char* other : {"https://evil.example", "", "null"}) {
    const std::string ticket = tickets.issue(identity("ann"), k_page, now);
    EXPECT_FALSE(tickets.redeem(ticket, other, now).has_value()) << other;
    EXPECT_FALSE(tickets.redeem(ticket, k_page, now).has_value());
  }
}

TEST_F(ServerTickets, WhatWasNeverGivenOpensNothing) {
  tickets.issue(identity("ann"), k_page, now);
  for (const char* text : {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(tickets.redeem(text, k_page, now).has_value()) << text;
  }
}

TEST_F(ServerTickets, OfTooManyOfOneUserTheOldestEndsFirst) {
  const std::string other = tickets.issue(identity("ben"), k_page, now);
  std::vector<std::string> given;
  for (std::size_t i = 0; i < Tickets::k_most_of_a_user + 1; ++i)
    given.push_back(tickets.issue(identity("ann"), k_page, now));
  EXPECT_EQ(tickets.open(), given.size());
  EXPECT_FALSE(tickets.redeem(given.front(), k_page, now).has_value());
  for (std::size_t i = 1; i < given.size(); ++i)
    EXPECT_TRUE(tickets.redeem(given[i], k_page, now).has_value()) << i;
  EXPECT_TRUE(tickets.redeem(other, k_page, now).has_value());
  EXPECT_EQ(std::set<std::string>(given.begin(), given.end()).size(), given.size());
}

TEST_F(ServerTickets, OldOnesAreForgottenWithoutBeingAsked) {
  for (int i = 0; i < 10; ++i) tickets.issue(identity("user" + std::to_string(i)), k_page, now);
  tickets.issue(identity("ann"), k_page, now + base::Millis(30'000));
  EXPECT_EQ(tickets.open(), 1U);
  tickets.forget_expired(now + base::Millis(59'999));
  EXPECT_EQ(tickets.open(), 1U);
  tickets.forget_expired(now + base::Millis(60'000));
  EXPECT_EQ(tickets.open(), 0U);
}

}  // namespace
}  // namespace clawws::server
