// What one subscription has seen, across connections: asks for the right place at each connect,
// applies the position rule to each message, and says what a person must know: gaps, and when the
// stream has caught up after a reconnect. Pure: messages in, steps out. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clawws/wire/message.hpp"
#include "clawws/wire/position.hpp"

namespace clawws::client {

// What is asked of the server at the first connect.
struct StreamRequest {
  std::vector<std::string> types;     // globs; empty: everything
  wire::Since since;                  // kind none: live events only
  std::optional<std::uint64_t> last;  // the N newest; not together with `since`
};

// Events that will never come.
struct Gap {
  enum class Cause : std::uint8_t {
    retention,  // the server keeps them no longer
    ahead,      // none: the position asked for is one that the log has not reached
    new_epoch,  // the server's log began anew
    hole        // the server skipped them
  };
  Cause cause;
  std::optional<std::uint64_t> lost;  // nothing: cannot be known
  wire::Position from, to;            // the own position before, and where it goes on
  std::uint64_t newest = 0;           // the log's end at that moment; 0 for a hole

  // The place whose next event is the first after the gap: `to`, but for a hole, which is found by
  // that event.
  wire::Position goes_on_after() const {
    return cause == Cause::hole ? wire::Position{to.epoch, to.seq - 1} : to;
  }
};

struct CaughtUp {
  std::uint64_t replayed = 0;  // events that came late, after a reconnect
  bool first = false;          // the first connect, not a return
};

struct Step {
  enum class Kind : std::uint8_t {
    nothing,
    welcome,    // the first frame of a connection: the subscription stands
    event,      // accepted
    duplicate,  // seen already, drop it
    violation   // the peer broke the protocol; `problem` says how
  };
  Kind kind = Kind::nothing;
  std::string problem;
  std::optional<Gap> gap;             // to be told before the event itself
  std::optional<CaughtUp> caught_up;  // to be told after it
  bool is_replay = false;             // the event is from before this connection
};

class CLAWWS_API StreamTracker {
 public:
  explicit StreamTracker(StreamRequest request);

  // The query of the next upgrade request, "" for none. Begins the connection's turn: the next
  // message must be the welcome.
  std::string begin();
  Step message(const wire::ServerMessage& message);

  // True while older events are still due, or the place in the stream is not settled: a ping's
  // answer tells.
  bool wants_ping() const noexcept { return welcomed_ && (catching_up_ || !settled_); }
  bool welcomed() const noexcept { return welcomed_; }
  // Not all that was there when the connection was made has come yet, up to `target`.
  bool catching_up() const noexcept { return catching_up_; }
  std::uint64_t target() const noexcept { return target_; }
  const wire::Position& position() const noexcept { return rule_.position(); }
  bool has_position() const noexcept { return settled_; }

 private:
  void welcome(const wire::ServerMessage& message, Step& step);
  void event(const wire::ServerMessage& message, Step& step);
  void look_whether_caught_up(Step& step);

  StreamRequest request_;
  wire::PositionRule rule_;
  bool asked_position_ = false;  // this connection's `since` was a position
  bool settled_ = false;         // the position is good to resume from
  bool ever_caught_up_ = false;
  bool welcomed_ = false;
  bool catching_up_ = false;
  std::uint64_t target_ = 0;  // newest position at the welcome
  std::uint64_t replayed_ = 0;
};

}  // namespace clawws::client
