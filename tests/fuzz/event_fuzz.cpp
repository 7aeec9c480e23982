// Events as publishers send them. First byte: bit 0 NDJSON, bit 1 small limits, bit 2 --allow-type.
// An accepted event is what a plain DOM of the same text holds, and reads back to itself.
#include "clawws/wire/event.hpp"

#include <nlohmann/json.hpp>

#include "clawws/base/text.hpp"
#include "clawws/wire/filter.hpp"
#include "fuzz.hpp"

namespace {

using namespace clawws;
using Dom = nlohmann::ordered_json;

constexpr std::int64_t k_now = 1771684200000;

void check_event(const wire::Event& event, const wire::EventRules& rules) {
  FUZZ_CHECK(wire::is_type_name(event.type));
  FUZZ_CHECK(!wire::is_reserved_type(event.type));
  FUZZ_CHECK(wire::canonical_type(event.type) == event.type);
  FUZZ_CHECK(wire::Filter::from_list(event.type)->matches(event.type));
  FUZZ_CHECK(event.body.size() < rules.max_event_bytes);
  FUZZ_CHECK(event.body.find('\n') == std::string::npos);
  FUZZ_CHECK(base::is_utf8(event.body));

  const std::string text = event.body + '}';
  const auto again = wire::parse_events_json(text, rules, 0);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->events.size() == 1);
  FUZZ_CHECK(again->events[0].body == event.body);
  FUZZ_CHECK(again->events[0].type == event.type);
}

// The independent reading: nlohmann's DOM. Only for texts that are small, since its ordered form is
// quadratic.
void check_against_dom(std::string_view text, const std::vector<wire::Event>& events) {
  if (text.size() > 4'096) return;
  const auto dom = Dom::parse(text);
  FUZZ_CHECK((dom.is_array() ? dom.size() : 1) == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Dom& given = dom.is_array() ? dom[i] : dom;
    const auto canonical = Dom::parse(events[i].body + '}');
    FUZZ_CHECK(canonical.at("payload") == given.value("payload", Dom::object()));
    FUZZ_CHECK(wire::canonical_type(given.at("type").get_ref<const std::string&>()) ==
               canonical.at("type").get_ref<const std::string&>());
  }
}

void check_problem(const wire::EventProblem& problem) {
  FUZZ_CHECK(problem.code == base::Errc::invalid_json ||
             problem.code == base::Errc::invalid_event || problem.code == base::Errc::too_large);
  FUZZ_CHECK(fuzz::is_decent_text(problem.message));
  FUZZ_CHECK(problem.path.empty() || problem.path.front() == '/');
  FUZZ_CHECK(problem.path.size() < 34 * 140);
  FUZZ_CHECK(base::is_utf8(problem.path));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  fuzz::Input input(data, size_bytes);
  const auto choice = input.byte();
  wire::EventRules rules;
  if ((choice & 2) != 0) {
    rules.max_event_bytes = 256;
    rules.max_batch = 3;
    rules.max_depth = 5;
  }
  if ((choice & 4) != 0) rules.allowed_globs = {"deploy.*", "*.x"};
  const bool is_ndjson = (choice & 1) != 0;
  const auto parsed = is_ndjson ? wire::parse_events_ndjson(input.rest(), rules, k_now)
                                : wire::parse_events_json(input.rest(), rules, k_now);
  if (!parsed) {
    check_problem(parsed.error());
    return 0;
  }
  FUZZ_CHECK(!parsed->events.empty() && parsed->events.size() <= rules.max_batch);
  FUZZ_CHECK(parsed->warnings.size() <= parsed->events.size());
  std::string lines;
  for (const wire::Event& event : parsed->events) {
    check_event(event, rules);
    lines += event.body + "}\n";
  }
  const auto again = wire::parse_events_ndjson(lines, rules, 0);
  FUZZ_CHECK(again.has_value() && again->events.size() == parsed->events.size());
  FUZZ_CHECK(again->warnings.size() == parsed->warnings.size());
  if (!is_ndjson) check_against_dom(input.rest(), parsed->events);
  return 0;
}
