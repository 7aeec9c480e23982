// Event types as small numbers, so that a frame's type fits into its log entry and a filter is a
// set of them. Grows only; at most k_max_types. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/hub/segment.hpp"
#include "clawws/wire/filter.hpp"

namespace clawws::hub {

inline constexpr std::size_t k_max_types = 1024;

class TypeTable {
 public:
  // The number of a type; Errc::invalid_event when it would be one more than k_max_types.
  base::Result<TypeId> intern(std::string_view type);
  std::string name(TypeId id) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;  // by id; sought linearly: there are about ten
};

// Which types a filter lets through, remembered by id. Not thread-safe; one per user of a filter.
class TypeSet {
 public:
  TypeSet(wire::Filter filter, const TypeTable& types) : filter_(std::move(filter)), types_(types) {}
  bool contains(TypeId id);
  std::string name(TypeId id) const { return types_.name(id); }
  const wire::Filter& filter() const noexcept { return filter_; }

 private:
  enum class Known : std::uint8_t { unknown, in, out };
  wire::Filter filter_;
  const TypeTable& types_;
  std::vector<Known> known_;
};

}  // namespace clawws::hub
