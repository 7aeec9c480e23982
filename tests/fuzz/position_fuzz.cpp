// Positions, `since` values and filters: what is accepted is written back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "clawws/wire/filter.hpp"
#include "clawws/wire/position.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view text(reinterpret_cast<const char*>(data), size_bytes);
  if (const auto position = clawws::wire::parse_position(text); position.has_value()) {
    const auto again = clawws::wire::parse_position(clawws::wire::to_string(position.value()));
    if (again.has_error() || again.value() != position.value()) std::abort();
  }
  (void)clawws::wire::parse_since(text);
  if (const auto filter = clawws::wire::Filter::from_list(text); filter.has_value()) {
    if (filter.value().globs().size() > clawws::wire::k_max_filter_globs) std::abort();
    const auto again = clawws::wire::Filter::from_globs(filter.value().globs());
    if (again.has_error() || again.value().key() != filter.value().key()) std::abort();
    for (const char* type : {"session.created", "agent.status", "bench.sample"}) {
      if (again.value().matches(type) != filter.value().matches(type)) std::abort();
    }
  }
  return 0;
}
