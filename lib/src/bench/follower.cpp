#include "clawws/bench/follower.hpp"

#include <charconv>

#include "clawws/wire/message.hpp"

namespace clawws::bench {
namespace {

base::SteadyTime as_time(Nanos nanos) {
  return base::SteadyTime(std::chrono::duration_cast<base::SteadyTime::duration>(nanos));
}

}  // namespace

// A number right before the brace that ends the text belongs to the outermost object: the end of an
// inner one would be another brace.
std::optional<std::uint64_t> last_seq(std::string_view text) noexcept {
  constexpr std::string_view k_member = ",\"seq\":";
  if (!text.ends_with('}')) return std::nullopt;
  text.remove_suffix(1);
  std::size_t digits = text.size();
  while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9') --digits;
  if (!text.substr(0, digits).ends_with(k_member)) return std::nullopt;
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(text.data() + digits, text.data() + text.size(), seq);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return seq;
}

Follower::Follower(std::uint64_t seed, Nanos now) : reconnect_({}, seed, as_time(now)) {
  tracker_.begin();
}

Follower::Heard Follower::message(std::string_view text, Nanos received_at) {
  wire::ServerMessage message{};
  if (const auto seq = last_seq(text)) {
    message.kind = wire::ServerMessage::Kind::event;
    message.seq = *seq;
  } else {
    auto parsed = wire::parse_server_message(text);
    if (!parsed) {
      problem_ = "the server sent what is no message: " + parsed.error().message();
      return Heard::violation;
    }
    message = std::move(*parsed);
  }
  const client::Step step = tracker_.message(message);
  if (step.kind == client::Step::Kind::event || step.caught_up) reconnect_.progressed();
  if (step.gap && step.gap->cause != client::Gap::Cause::ahead) ++gaps_;
  switch (step.kind) {
    case client::Step::Kind::welcome:
      welcomed_at_ = received_at;
      reconnect_.connected(as_time(received_at));
      return Heard::other;
    case client::Step::Kind::violation:
      problem_ = "this is no clawws server: " + step.problem;
      return Heard::violation;
    case client::Step::Kind::nothing:
      return Heard::other;
    case client::Step::Kind::duplicate:
      return Heard::duplicate;
    case client::Step::Kind::event:
      break;
  }
  reconnect_.alive(as_time(received_at));
  return step.is_replay ? Heard::replayed : Heard::live;
}

client::Reconnect::Decision Follower::lost(const net::Ending& ending, Nanos now) {
  return reconnect_.failed(ending, as_time(now));
}

}  // namespace clawws::bench
