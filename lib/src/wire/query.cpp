#include "clawws/wire/query.hpp"

#include <algorithm>
#include <charconv>

#include "clawws/base/text.hpp"
#include "clawws/wire/filter.hpp"
#include "clawws/wire/position.hpp"

namespace clawws::wire {

namespace {

using base::Errc;
using base::Error;

int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

base::Result<std::uint64_t> parse_number(const char* name, std::string_view text,
                                         std::uint64_t most) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < 1 || value > most) {
    return Error(Errc::bad_request,
                 "'" + std::string(name) + "' must be a number from 1 to " + std::to_string(most));
  }
  return value;
}

base::Result<std::vector<std::string>> parse_types(std::string_view text) {
  auto filter = Filter::from_list(text);
  if (!filter) return Error(filter.error().code, "'types': " + filter.error().message());
  return filter->globs();
}

Error twice(const std::string& name) {
  return Error(Errc::bad_request, "'" + name + "' stands twice in the query");
}

// A name that nearly is a known one was meant to be it: passed over, `type=` would give all events to
// who asked for a few.
base::Result<void> pass_over(const std::string& name) {
  static const std::vector<std::string> k_known = {"since", "last", "types", "ticket", "limit"};
  const auto near = base::nearest(base::to_lower(name), k_known);
  if (!near || *near == name) return {};
  return Error(Errc::bad_request,
               "a parameter of the query is not known; did you mean '" + *near + "'?");
}

// Takes what a subscription knows; other names are passed over.
base::Result<void> take(SubscribeQuery& said, QueryParameter& parameter) {
  if (parameter.name == "since") {
    if (said.since) return twice(parameter.name);
    if (auto since = parse_since(parameter.value); !since) {
      return Error(since.error().code, "'since': " + since.error().message());
    }
    said.since = std::move(parameter.value);
  } else if (parameter.name == "last") {
    if (said.last) return twice(parameter.name);
    auto last = parse_number("last", parameter.value, k_max_last);
    if (!last) return last.error();
    said.last = *last;
  } else if (parameter.name == "types") {
    if (said.types) return twice(parameter.name);
    auto types = parse_types(parameter.value);
    if (!types) return types.error();
    said.types = std::move(*types);
  } else if (parameter.name == "ticket") {
    if (said.ticket) return twice(parameter.name);
    said.ticket = std::move(parameter.value);
  } else {
    return pass_over(parameter.name);
  }
  if (said.since && said.last) {
    return Error(Errc::bad_request, "the query has both 'since' and 'last': give one of them");
  }
  return {};
}

}  // namespace

base::Result<std::vector<QueryParameter>> parse_query(std::string_view query) {
  std::vector<QueryParameter> parameters;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    if (parameters.size() == k_max_query_parameters) {
      return Error(Errc::bad_request, "the query has more than 32 parameters");
    }
    const auto where = [&] {
      return "parameter " + std::to_string(parameters.size() + 1) + " of the query ";
    };
    const std::size_t equals = part.find('=');
    auto name = decode(part.substr(0, equals));
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : decode(part.substr(equals + 1));
    if (!name || !value) {
      return Error(Errc::bad_request, where() + "has a '%' that two hex digits do not follow");
    }
    if (!base::is_utf8(*name) || !base::is_utf8(*value)) {
      return Error(Errc::bad_request, where() + "is not UTF-8");
    }
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  return parameters;
}

base::Result<SubscribeQuery> parse_subscribe_query(std::string_view query) {
  auto parameters = parse_query(query);
  if (!parameters) return parameters.error();
  SubscribeQuery said;
  for (QueryParameter& parameter : *parameters) {
    if (auto taken = take(said, parameter); !taken) return taken.error();
  }
  return said;
}

base::Result<HistoryQuery> parse_history_query(std::string_view query) {
  auto parameters = parse_query(query);
  if (!parameters) return parameters.error();
  HistoryQuery said;
  for (QueryParameter& parameter : *parameters) {
    if (parameter.name == "limit") {
      if (said.limit) return twice(parameter.name);
      auto limit = parse_number("limit", parameter.value, k_max_limit);
      if (!limit) return limit.error();
      said.limit = *limit;
    } else if (auto taken = take(said.stream, parameter); !taken) {
      return taken.error();
    }
  }
  return said;
}

}  // namespace clawws::wire
