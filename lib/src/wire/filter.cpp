#include "clawws/wire/filter.hpp"

#include <algorithm>

#include "clawws/base/text.hpp"
#include "clawws/wire/event.hpp"
#include "quote.hpp"

namespace clawws::wire {
namespace {

using base::Errc;
using base::Error;

constexpr std::string_view k_glob_characters = "abcdefghijklmnopqrstuvwxyz0123456789_.*";

Error bad_glob(std::string_view glob, std::string_view reason) {
  return Error(Errc::bad_filter, in_quotes(glob) + ": " + std::string(reason));
}

}  // namespace

Filter::Filter() : globs_{"*"}, everything_(true) {}

base::Result<Filter> Filter::from_globs(const std::vector<std::string>& globs) {
  if (globs.size() > k_max_filter_globs) {
    return Error(Errc::bad_filter, "a filter has at most " + std::to_string(k_max_filter_globs) +
                                       " entries, not " + std::to_string(globs.size()));
  }
  Filter filter;
  filter.globs_.clear();
  filter.everything_ = false;
  for (const std::string& given : globs) {
    if (given.empty()) return Error(Errc::bad_filter, "an entry of the filter is empty");
    if (given.size() > k_max_type_bytes) return bad_glob(given, "longer than 64 characters");
    if (given.find_first_not_of(k_glob_characters) != std::string::npos) {
      return bad_glob(given, "a filter's entry is made of a-z, 0-9, '_', '.' and '*'");
    }
    const auto glob = canonical_type(given);
    if (std::find(filter.globs_.begin(), filter.globs_.end(), glob) != filter.globs_.end()) {
      continue;
    }
    filter.globs_.emplace_back(glob);
    if (glob.find_first_not_of('*') == std::string_view::npos) filter.everything_ = true;
  }
  return filter;
}

base::Result<Filter> Filter::from_list(std::string_view comma_separated) {
  std::vector<std::string> globs;
  if (!base::trim(comma_separated).empty()) {
    for (const auto part : base::split(comma_separated, ',')) {
      globs.emplace_back(base::trim(part));
      // Enough to be refused; a query of commas must not become as many strings.
      if (globs.size() > k_max_filter_globs) break;
    }
  }
  return from_globs(globs);
}

bool Filter::matches(std::string_view type) const noexcept {
  return everything_ || std::any_of(globs_.begin(), globs_.end(), [&](const std::string& glob) {
           return glob_match(glob, type);
         });
}

// Two filters that both let everything pass share a view, whatever else they list.
std::string Filter::key() const {
  if (everything_) return "*";
  auto sorted = globs_;
  std::sort(sorted.begin(), sorted.end());
  std::string key;
  for (const std::string& glob : sorted) {
    if (!key.empty()) key += ',';
    key += glob;
  }
  return key;
}

Filter Filter::without(const Filter& globs) const {
  Filter left;
  left.globs_.clear();
  left.everything_ = false;
  for (const std::string& glob : globs_) {
    if (std::find(globs.globs_.begin(), globs.globs_.end(), glob) != globs.globs_.end()) continue;
    left.everything_ = left.everything_ || glob.find_first_not_of('*') == std::string::npos;
    left.globs_.push_back(glob);
  }
  return left;
}

}  // namespace clawws::wire
