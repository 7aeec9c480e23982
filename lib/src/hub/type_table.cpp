#include "clawws/hub/type_table.hpp"

namespace clawws::hub {

base::Result<TypeId> TypeTable::intern(std::string_view type) {
  const std::lock_guard lock(mutex_);
  for (std::size_t id = 0; id < names_.size(); ++id) {
    if (names_[id] == type) return static_cast<TypeId>(id);
  }
  if (names_.size() == k_max_types) {
    return base::Error(base::Errc::invalid_event,
                       "there are " + std::to_string(k_max_types) + " event types already; '" +
                           std::string(type) + "' would be one more");
  }
  names_.emplace_back(type);
  return static_cast<TypeId>(names_.size() - 1);
}

std::string TypeTable::name(TypeId id) const {
  const std::lock_guard lock(mutex_);
  return names_[id];
}

bool TypeSet::contains(TypeId id) {
  if (filter_.is_everything()) return true;
  if (id >= known_.size()) known_.resize(id + 1u, Known::unknown);
  if (known_[id] == Known::unknown) known_[id] = filter_.matches(types_.name(id)) ? Known::in : Known::out;
  return known_[id] == Known::in;
}

}  // namespace clawws::hub
