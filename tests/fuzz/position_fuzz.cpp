// First line: a position or a `since`. The rest drives the position rule beside a plain model of
// it, step by step: one byte says what comes, numbers follow.
#include "clawws/wire/position.hpp"

#include "fuzz.hpp"

namespace {

using namespace clawws;
using Verdict = wire::PositionRule::Verdict;

void check_text(std::string_view text) {
  const auto position = wire::parse_position(text);
  if (position) {
    FUZZ_CHECK(wire::to_string(*position) == text);
    FUZZ_CHECK(!position->epoch.empty() && position->epoch.size() <= 16);
    FUZZ_CHECK(position->seq <= (std::uint64_t{1} << 63) - 1);
  } else {
    FUZZ_CHECK(position.error().code == base::Errc::bad_position);
    FUZZ_CHECK(fuzz::is_decent_text(position.error().context));
  }
  const auto since = wire::parse_since(text);
  if (since) {
    FUZZ_CHECK((since->kind == wire::Since::Kind::position) == position.has_value());
  } else {
    FUZZ_CHECK(!position);
    FUZZ_CHECK(fuzz::is_decent_text(since.error().context));
  }
}

wire::StreamStart read_start(fuzz::Input& input) {
  wire::StreamStart start;
  start.epoch = std::string(1, static_cast<char>('a' + input.byte() % 3));
  start.seq = input.number(2);
  start.oldest = input.number(2);
  start.resumed = input.byte() % 2 == 0;
  return start;
}

void step(fuzz::Input& input, wire::PositionRule& rule) {
  const auto before = rule.position();
  const bool was_known = rule.known();
  switch (input.byte() % 4) {
    case 0: {
      const auto start = read_start(input);
      const bool asked = input.byte() % 2 == 0;
      const bool keeps = asked && start.resumed && was_known && !rule.is_provisional();
      rule.start(start,
                 asked ? wire::PositionRule::Asked::since : wire::PositionRule::Asked::nothing);
      FUZZ_CHECK(rule.known());
      FUZZ_CHECK(keeps ? rule.position() == before : rule.position().epoch == start.epoch);
      FUZZ_CHECK(rule.position().seq < (std::uint64_t{1} << 62));
      break;
    }
    case 1: {
      const auto seq = input.number(2);
      std::optional<std::uint64_t> prev;
      if (input.byte() % 2 == 0) prev = input.number(2);
      const bool free = !was_known || rule.is_provisional();
      const auto verdict = rule.event(seq, prev);
      FUZZ_CHECK((verdict == Verdict::duplicate) == (was_known && seq <= before.seq));
      FUZZ_CHECK(rule.position().seq == (verdict == Verdict::duplicate ? before.seq : seq));
      if (verdict != Verdict::duplicate) {
        const bool is_hole = prev ? *prev > before.seq : seq != before.seq + 1;
        FUZZ_CHECK((verdict == Verdict::accepted_after_hole) == (!free && is_hole));
      }
      FUZZ_CHECK(rule.position().epoch == before.epoch);
      break;
    }
    default: {
      const std::string epoch(1, static_cast<char>('a' + input.byte() % 3));
      const auto seq = input.number(2);
      rule.position_frame(epoch, seq);
      const bool moves = was_known && epoch == before.epoch && seq > before.seq;
      FUZZ_CHECK(rule.position().seq == (moves ? seq : before.seq));
      FUZZ_CHECK(rule.known() == was_known);
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  fuzz::Input input(data, size_bytes);
  const auto text = input.line();
  check_text(text);
  wire::PositionRule rule;
  if (auto position = wire::parse_position(text); position && position->seq < 65'536) {
    rule = wire::PositionRule(*position);
  }
  while (!input.rest().empty()) step(input, rule);
  return 0;
}
