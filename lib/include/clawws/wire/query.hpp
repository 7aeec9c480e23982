// The query of a request target: application/x-www-form-urlencoded, and what GET /ws says in it.
// Pure functions over bytes. No value of a query ever stands in an error's text: it may be a
// secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"

namespace clawws::wire {

inline constexpr std::size_t k_max_query_parameters = 32;
inline constexpr std::uint64_t k_max_last = 100'000;
inline constexpr std::uint64_t k_max_limit = 1'000;  // events of one page

struct QueryParameter {
  std::string name, value;  // percent-decoded, '+' is a space
};
// Errc::bad_request: a broken escape, not UTF-8, more than k_max_query_parameters.
CLAWWS_API base::Result<std::vector<QueryParameter>> parse_query(std::string_view query);

// What the query of GET /ws says. Names that it does not know are ignored (a cache buster, an old
// client's), unless they nearly are a known one; those it knows must parse: bad_position, bad_filter
// or bad_request, naming the parameter. Each may stand once.
struct SubscribeQuery {
  std::optional<std::string> since;
  std::optional<std::uint64_t> last;  // 1 to k_max_last
  std::optional<std::vector<std::string>> types;
  std::optional<std::string> ticket;
};
CLAWWS_API base::Result<SubscribeQuery> parse_subscribe_query(std::string_view query);

// What the query of GET /clawws/events says: the same, and how much of it at a time.
struct HistoryQuery {
  SubscribeQuery stream;
  std::optional<std::uint64_t> limit;  // 1 to k_max_limit
};
CLAWWS_API base::Result<HistoryQuery> parse_history_query(std::string_view query);

}  // namespace clawws::wire
