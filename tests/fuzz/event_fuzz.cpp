// What publishers send: never a crash, and a canonical form that is its own canonical form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "clawws/wire/event.hpp"

namespace {

constexpr std::int64_t k_now_millis = 1'771'684'200'000;

void check(const clawws::wire::ParseResult& first, const clawws::wire::EventRules& rules) {
  if (first.has_error()) return;
  for (const clawws::wire::Event& event : first.value().events) {
    if (event.body.size() + 1 > rules.max_event_bytes) std::abort();
    const auto again = clawws::wire::parse_events_json(event.body + "}", rules, k_now_millis + 1);
    if (again.has_error() || again.value().events.size() != 1) std::abort();
    if (again.value().events[0].body != event.body) std::abort();
    if (again.value().events[0].type != event.type) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size_bytes);
  const clawws::wire::EventRules rules{
      .max_event_bytes = 2048, .max_depth = 32, .max_batch = 8, .allowed_globs = {"x.*"}};
  check(clawws::wire::parse_events_json(bytes, rules, k_now_millis), rules);
  check(clawws::wire::parse_events_ndjson(bytes, rules, k_now_millis), rules);
  return 0;
}
