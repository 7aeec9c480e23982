// What tail says on stderr, as text: losses, returns, gaps, the end. Pure.
//   ! 14:30:12    link lost (no byte for 30 s); retry 1 in 0.21 s
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/client/reconnect.hpp"
#include "clawws/client/stream_tracker.hpp"
#include "clawws/client/summary.hpp"
#include "clawws/client/terminal.hpp"
#include "clawws/net/ws_client.hpp"

namespace clawws::client {

// Events that are gone for good; `unknown`: at least one loss could not be counted.
struct LossCount {
  std::uint64_t known = 0;
  bool unknown = false;

  void add(const Gap& gap) {
    if (gap.cause == Gap::Cause::ahead) return;
    known += gap.lost.value_or(0);
    unknown = unknown || !gap.lost;
  }
};

// Whole lines with their newline.
std::string note_line(std::string_view text, std::int64_t unix_millis, Mood mood, Color color);
std::string error_line(std::string_view program, std::string_view text, Color color);

std::string gap_text(const Gap& gap);
std::string caught_up_text(const CaughtUp& caught_up, const wire::Position& position,
                           const LossCount& lost, const std::string& url);
// Why --for left older events unshown; they end at `target`.
std::string cut_short_text(std::uint64_t shown, const std::optional<wire::Position>& position,
                           std::uint64_t target);
std::string dropped_text(std::uint64_t count);  // notes that found no room
std::string lost_text(const net::Ending& ending, const Reconnect::Decision& decision);
std::string opened_text(const net::WsOpened& opened);
// One for each word that names no built-in type, and for each glob that looks like a misspelt one.
std::vector<std::string> type_warnings(const std::vector<std::string>& globs);

// Says each reason of an outage once, and with Every::minute also a line a minute while it lasts:
// in a file or on a pipe no status line counts the retries.
class OutageNotes {
 public:
  enum class Every : std::uint8_t { reason, minute, attempt };

  // What is to be said of this failure, if anything.
  std::optional<std::string> lost(const net::Ending& ending, const Reconnect::Decision& decision,
                                  base::SteadyTime now, Every every);
  // The stream is live again: the next failure is a new story.
  void over() { said_.clear(); }

 private:
  std::string said_;
  base::SteadyTime said_at_{};
};

}  // namespace clawws::client
