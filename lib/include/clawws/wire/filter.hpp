// A subscription's filter: at most 64 globs over type names. `*` alone is "everything"; an empty
// list is "nothing". Immutable values; safe to copy between threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"

namespace clawws::wire {

inline constexpr std::size_t k_max_filter_globs = 64;

class CLAWWS_API Filter {
 public:
  // Everything.
  Filter();
  // Aliases are made canonical, duplicates dropped, order kept. Errc::bad_filter: more than 64, an
  // empty glob, one longer than 64 characters, or a character outside [a-z0-9_.*].
  static base::Result<Filter> from_globs(const std::vector<std::string>& globs);
  // "session.*,agent.status", as the query says it; "" is nothing.
  static base::Result<Filter> from_list(std::string_view comma_separated);

  bool matches(std::string_view type) const noexcept;
  bool is_everything() const noexcept { return everything_; }
  // The globs as given (canonical), for `subscribed`.
  const std::vector<std::string>& globs() const noexcept { return globs_; }
  // Equal for filters with the same set of globs: the name of a view.
  std::string key() const;
  // What is left after removing entries that are equal to one of `globs`.
  Filter without(const Filter& globs) const;

 private:
  std::vector<std::string> globs_;
  bool everything_ = false;
};

}  // namespace clawws::wire
