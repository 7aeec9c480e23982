#include "clawws/wire/position.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "clawws/base/time.hpp"
#include "quote.hpp"

namespace clawws::wire {
namespace {

using base::Errc;
using base::Error;

constexpr std::size_t k_max_epoch = 16;
constexpr std::uint64_t k_max_seq = std::numeric_limits<std::int64_t>::max();

}  // namespace

bool is_epoch(std::string_view text) noexcept {
  return !text.empty() && text.size() <= k_max_epoch &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

std::string to_string(const Position& position) {
  return position.epoch + ':' + std::to_string(position.seq);
}

// Strict to the letter, leading zeros included, so that a position has one spelling: positions are
// compared and stored as text by others.
base::Result<Position> parse_position(std::string_view text) {
  const auto bad = [&] {
    return Error(Errc::bad_position,
                 in_quotes(text) + " is not a position EPOCH:SEQ such as k3f9c2a1:8812");
  };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_epoch(text.substr(0, colon))) return bad();
  const auto digits = text.substr(colon + 1);
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return bad();
  Position position{std::string(text.substr(0, colon)), 0};
  const auto end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, position.seq);
  if (read.ec != std::errc() || read.ptr != end || position.seq > k_max_seq) return bad();
  return position;
}

base::Result<Since> parse_since(std::string_view text) {
  Since since;
  if (text == "earliest") {
    since.kind = Since::Kind::earliest;
    return since;
  }
  // No text is both: an epoch has no '-', an RFC 3339 time has one at its fifth place.
  if (auto position = parse_position(text)) {
    since.kind = Since::Kind::position;
    since.position = std::move(*position);
    return since;
  }
  if (const auto millis = base::parse_rfc3339(text)) {
    since.kind = Since::Kind::time;
    since.unix_millis = *millis;
    return since;
  }
  return Error(Errc::bad_position,
               in_quotes(text) + " is neither EPOCH:SEQ, nor \"earliest\", nor an RFC 3339 time");
}

void PositionRule::start(const StreamStart& said, Asked asked) {
  const bool has_own = known_ && !first_may_jump_;
  first_may_jump_ = false;
  if (asked == Asked::nothing) {
    position_ = {said.epoch, said.seq};
  } else if (!has_own || !said.resumed) {
    // oldest is 0 in an empty log; then the first event, 1, is the next one.
    first_may_jump_ = !has_own;
    position_ = {said.epoch, said.oldest == 0 ? 0 : said.oldest - 1};
  }
  known_ = true;
}

PositionRule::Verdict PositionRule::event(std::uint64_t seq, std::optional<std::uint64_t> prev) {
  if (known_ && seq <= position_.seq) return Verdict::duplicate;
  // With `prev` the filter decides what belongs to the stream, so a jump of seq says nothing.
  const bool is_hole =
      known_ && !first_may_jump_ && (prev ? *prev > position_.seq : seq != position_.seq + 1);
  position_.seq = seq;
  known_ = true;
  first_may_jump_ = false;
  return is_hole ? Verdict::accepted_after_hole : Verdict::accepted;
}

void PositionRule::position_frame(std::string_view epoch, std::uint64_t seq) {
  if (!known_ || epoch != position_.epoch || seq <= position_.seq) return;
  position_.seq = seq;
  first_may_jump_ = false;
}

}  // namespace clawws::wire
