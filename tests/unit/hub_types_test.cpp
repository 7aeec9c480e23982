#include <gtest/gtest.h>

#include <set>

#include "clawws/hub/type_table.hpp"

namespace clawws::hub {
namespace {

TEST(HubTypeTable, ATypeKeepsItsNumber) {
  TypeTable table;
  const TypeId first = *table.intern("agent.status");
  const TypeId second = *table.intern("session.created");
  EXPECT_NE(first, second);
  EXPECT_EQ(*table.intern("agent.status"), first);
  EXPECT_EQ(table.name(second), "session.created");
}

TEST(HubTypeTable, OneTypeTooManyIsRefusedAndTheKnownOnesStay) {
  TypeTable table;
  std::set<TypeId> ids;
  for (std::size_t i = 0; i < k_max_types; ++i) ids.insert(*table.intern("t." + std::to_string(i)));
  EXPECT_EQ(ids.size(), k_max_types);
  const auto refused = table.intern("one.more");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::Errc::invalid_event);
  EXPECT_NE(refused.error().message().find("one.more"), std::string::npos);
  EXPECT_EQ(*table.intern("t.1023"), *table.intern("t.1023"));
}

TEST(HubTypeSet, GrowsWithTheTable) {
  TypeTable table;
  TypeSet sessions(*wire::Filter::from_globs({"session.*"}), table);
  const TypeId agent = *table.intern("agent.status");
  EXPECT_FALSE(sessions.contains(agent));
  const TypeId created = *table.intern("session.created");
  const TypeId killed = *table.intern("session.killed");
  // Asked for the newer one first: the gap before it must not count as known.
  EXPECT_TRUE(sessions.contains(killed));
  EXPECT_TRUE(sessions.contains(created));
  EXPECT_TRUE(sessions.contains(killed));
  EXPECT_FALSE(sessions.contains(agent));
}

TEST(HubTypeSet, EverythingAndNothing) {
  TypeTable table;
  const TypeId agent = *table.intern("agent.status");
  EXPECT_TRUE(TypeSet(wire::Filter(), table).contains(agent));
  EXPECT_FALSE(TypeSet(*wire::Filter::from_globs({}), table).contains(agent));
}

}  // namespace
}  // namespace clawws::hub
