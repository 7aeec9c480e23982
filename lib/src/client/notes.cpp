#include "clawws/client/notes.hpp"

#include <algorithm>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/client/render.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::client {
namespace {

std::string painted(std::string_view text, Mood mood, Color color) {
  if (color == Color::off || mood == Mood::plain || mood == Mood::good) return std::string(text);
  return (mood == Mood::bad ? "\x1b[31m" : "\x1b[33m") + std::string(text) + "\x1b[0m";
}

constexpr base::Millis k_repeat_after{60'000};

std::string events_text(std::uint64_t count) {
  return base::format_count(count) + (count == 1 ? " event" : " events");
}

}  // namespace

std::string note_line(std::string_view text, std::int64_t unix_millis, Mood mood, Color color) {
  return painted("! " + clock_text(unix_millis) + "    " + std::string(text), mood, color) + "\n";
}

std::string error_line(std::string_view program, std::string_view text, Color color) {
  return painted(std::string(program) + ": " + std::string(text), Mood::bad, color) + "\n";
}

std::string gap_text(const Gap& gap) {
  const std::string place = " between #" + std::to_string(gap.from.seq) + " and #" +
                            std::to_string(gap.to.seq + (gap.cause == Gap::Cause::hole ? 0 : 1));
  switch (gap.cause) {
    case Gap::Cause::retention:
      return "gap: " + (gap.lost ? events_text(*gap.lost) : "an unknown number of events") +
             " lost" + place + ": the server keeps them no longer";
    case Gap::Cause::ahead:
      return "position " + wire::to_string(gap.from) +
             " is ahead of the server's log, which ends at #" + std::to_string(gap.newest) +
             (gap.newest == 0 ? "" : "; all that it keeps follows");
    case Gap::Cause::new_epoch:
      return "gap: the server's log began anew (" + base::escape_terminal(gap.from.epoch) +
             " is now " + base::escape_terminal(gap.to.epoch) + "); " +
             (gap.lost ? events_text(*gap.lost) + " lost"
                       : "what came after #" + std::to_string(gap.from.seq) + " may be lost");
    case Gap::Cause::hole:
      return "gap: " + (gap.lost ? events_text(*gap.lost) : "at least one event") + " missing" +
             place;
  }
  return {};
}

std::string caught_up_text(const CaughtUp& caught_up, const wire::Position& position,
                           const LossCount& lost, const std::string& url) {
  // Whole, so that --since can take it.
  if (caught_up.first)
    return "live at " + wire::to_string(position) + " from " + base::escape_terminal(url);
  std::string text = "live again at #" + std::to_string(position.seq) + ": replayed " +
                     base::format_count(caught_up.replayed) + ", lost ";
  if (!lost.unknown) return text + base::format_count(lost.known);
  return text + (lost.known > 0 ? "more than " + base::format_count(lost.known) : "unknown");
}

std::string cut_short_text(std::uint64_t shown, const std::optional<wire::Position>& position,
                           std::uint64_t target) {
  return "--for is over before all older events were shown: " + events_text(shown) +
         (position ? ", up to " + wire::to_string(*position) : "") + "; they go on to #" +
         std::to_string(target) + " (--until-live ends with the last of them)";
}

std::string dropped_text(std::uint64_t count) {
  return base::format_count(count) + (count == 1 ? " note" : " notes") +
         " dropped: nothing took them from stderr";
}

std::string lost_text(const net::Ending& ending, const Reconnect::Decision& decision) {
  const std::string what = ending.phase == net::Phase::live ? "link lost (" + ending.what + ")"
                                                            : "no connection (" + ending.what + ")";
  return what + "; retry " + std::to_string(decision.retry) + " in " +
         base::format_duration(decision.delay);
}

std::string opened_text(const net::WsOpened& opened) {
  std::string text = "connected to " + opened.peer;
  for (const net::Phase phase :
       {net::Phase::resolve, net::Phase::connect, net::Phase::tls, net::Phase::upgrade})
    text += ", " + std::string(net::phase_name(phase)) + " " +
            base::format_duration(opened.phase_times[static_cast<std::size_t>(phase)]);
  return text + "; " + opened.tls;
}

std::vector<std::string> type_warnings(const std::vector<std::string>& globs) {
  std::vector<std::string> warnings;
  const auto& known = wire::builtin_types();
  for (const std::string& glob : globs) {
    const bool matches = std::any_of(known.begin(), known.end(), [&](const std::string& type) {
      return wire::glob_match(glob, type);
    });
    if (matches) continue;
    const std::string nothing = "no built-in type matches '" + glob + "'; ";
    if (const auto meant = base::nearest(glob, known))
      warnings.push_back(nothing + "did you mean " + *meant + "?");
    else if (glob.find('*') == std::string::npos)
      warnings.push_back(nothing +
                         "a server sends it only when told to (clawws serve --allow-type); a "
                         "server's name belongs behind --url");
  }
  return warnings;
}

std::optional<std::string> OutageNotes::lost(const net::Ending& ending,
                                             const Reconnect::Decision& decision,
                                             base::SteadyTime now, Every every) {
  const bool is_new = every == Every::attempt || ending.what != said_;
  if (!is_new && (every == Every::reason || now - said_at_ < k_repeat_after)) return std::nullopt;
  said_ = ending.what;
  said_at_ = now;
  return (is_new ? "" : "still ") + lost_text(ending, decision);
}

}  // namespace clawws::client
