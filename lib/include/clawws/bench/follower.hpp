// What a client of the load must remember to come back to where it was: its place in the stream and
// its back-off, both by tail's own rules (clawws/client). Messages and endings in, decisions out:
// no socket, no timer. One per connection, on its fleet's loop; about 4 KiB.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/bench/histogram.hpp"
#include "clawws/client/reconnect.hpp"
#include "clawws/client/stream_tracker.hpp"

namespace clawws::bench {

class CLAWWS_API Follower {
 public:
  // live: an event that is newer than the connection; replayed: one that was missed; duplicate: it
  // has come before, by its position, and is to be dropped; other: no event.
  enum class Heard : std::uint8_t { live, replayed, duplicate, other, violation };

  Follower(std::uint64_t seed, Nanos now);

  // The query of the next upgrade request, "" for none; the next message must be the first frame.
  std::string begin() { return tracker_.begin(); }
  Heard message(std::string_view text, Nanos received_at);
  // The connection has ended, or the attempt has failed.
  client::Reconnect::Decision lost(const net::Ending& ending, Nanos now);

  // All that was there when the connection was made has come.
  bool caught_up() const noexcept { return tracker_.welcomed() && !tracker_.catching_up(); }
  Nanos welcomed_at() const noexcept { return welcomed_at_; }
  // How often the server said, or left out in silence, that events are gone.
  std::uint64_t gaps() const noexcept { return gaps_; }
  // After a violation.
  const std::string& problem() const noexcept { return problem_; }

 private:
  client::StreamTracker tracker_{{}};
  client::Reconnect reconnect_;
  Nanos welcomed_at_{0};
  std::uint64_t gaps_ = 0;
  std::string problem_;
};

// The seq of an event that has it as its last member, as clawws writes it; nothing for anything
// else, which must then be read in full.
CLAWWS_API std::optional<std::uint64_t> last_seq(std::string_view text) noexcept;

}  // namespace clawws::bench
