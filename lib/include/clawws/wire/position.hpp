// Positions `epoch:seq`, the `since` of a subscription, and the position rule that every client
// follows (tail, bench; clawws.js has the same one, held by the same test vectors).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"

namespace clawws::wire {

// An epoch is 1 to 16 characters of [a-z0-9]; seq counts from 1, 0 is "before the first".
struct Position {
  std::string epoch;
  std::uint64_t seq = 0;
  bool operator==(const Position&) const = default;
};

// What a peer names as its epoch goes into request lines and onto terminals: nothing else may.
CLAWWS_API bool is_epoch(std::string_view text) noexcept;

CLAWWS_API std::string to_string(const Position& position);
// Errc::bad_position unless it is exactly EPOCH:SEQ with SEQ a decimal of at most 2^63-1.
CLAWWS_API base::Result<Position> parse_position(std::string_view text);

// What a client may ask for: EPOCH:SEQ, "earliest", or an RFC 3339 time.
struct Since {
  enum class Kind : std::uint8_t { none, earliest, position, time } kind = Kind::none;
  Position position;              // kind position
  std::int64_t unix_millis = 0;   // kind time
};
CLAWWS_API base::Result<Since> parse_since(std::string_view text);

// What `auth.success` or `subscribed` says of the stream.
struct StreamStart {
  std::string epoch;
  std::uint64_t seq = 0;      // newest at that moment
  std::uint64_t oldest = 0;   // oldest still kept
  bool resumed = false;
  std::optional<std::uint64_t> lost;  // nothing: cannot be known (another epoch)
};

// The position rule. Not thread-safe; one per stream.
//   nothing asked:        adopt epoch and seq of the start
//   resumed true:         keep the own position
//   resumed false:        new epoch, seq = oldest - 1
//   asked without an own position (since=earliest, a time, last=N): as resumed false, but the first
//                         event may be any later one without being a hole
//   event:                accepted exactly when seq is greater than the own one; then it moves there.
//                         A hole: `prev` greater than the own position, or, without `prev`, a seq
//                         that is not the next one.
//   pong, position:       moves to their seq when the epoch is the own one and seq is greater
class CLAWWS_API PositionRule {
 public:
  enum class Verdict : std::uint8_t { accepted, duplicate, accepted_after_hole };
  // `since`: the request asked for older events, by `since` of any kind or by `last`.
  enum class Asked : std::uint8_t { nothing, since };

  PositionRule() = default;
  explicit PositionRule(Position start) : position_(std::move(start)), known_(true) {}

  void start(const StreamStart& said, Asked asked);
  Verdict event(std::uint64_t seq, std::optional<std::uint64_t> prev);
  void position_frame(std::string_view epoch, std::uint64_t seq);

  // False until the first start() or a given position.
  bool known() const noexcept { return known_; }
  const Position& position() const noexcept { return position_; }
  // True while the position is only where the stream may begin: older events were asked for without
  // an own position and neither an event nor a pong has come yet. A client that has to connect again
  // now asks for the same as before, not for this position.
  bool is_provisional() const noexcept { return first_may_jump_; }

 private:
  Position position_;
  bool known_ = false;
  bool first_may_jump_ = false;
};

}  // namespace clawws::wire
