#include "clawws/client/status_line.hpp"

#include <algorithm>
#include <cstdio>

namespace clawws::client {
namespace {

using base::Millis;
using base::SteadyTime;

constexpr std::int64_t k_rate_seconds = 5;
constexpr Millis k_longest_lag{3'600'000};

std::int64_t second_of(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string hours(Millis value) {
  const long long seconds = value.count() / 1000;
  char out[40];
  std::snprintf(out, sizeof out, "%02lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                seconds % 60);
  return out;
}

}  // namespace

void StatusLine::event(SteadyTime now, std::optional<Millis> lag) {
  const std::int64_t second = second_of(now);
  Slot& slot = slots_[static_cast<std::size_t>(second) % k_slots];
  if (slot.second != second) slot = {second, 0};
  ++slot.events;
  ++events_;
  if (!first_) first_ = now;
  if (lag) lag_ = *lag < Millis(0) ? Millis(0) : *lag;
}

// Over the last whole seconds, or since the first event when that is not so long ago.
double StatusLine::rate(SteadyTime now) const {
  if (!first_) return 0;
  const std::int64_t second = second_of(now);
  const std::int64_t seconds =
      std::clamp<std::int64_t>(second - second_of(*first_), 1, k_rate_seconds);
  std::uint64_t events = 0;
  for (const Slot& slot : slots_)
    if (slot.second < second && slot.second >= second - seconds) events += slot.events;
  return static_cast<double>(events) / static_cast<double>(seconds);
}

std::string StatusLine::line(const View& view, SteadyTime now) const {
  std::string out;
  switch (view.state) {
    case SessionState::connecting:
      out = "[connecting]";
      break;
    case SessionState::live:
      out = view.held ? "[output is behind]" : "[live]";
      break;
    case SessionState::waiting:
      out = "[waiting " + base::format_duration(view.retry_in) + "]";
      break;
    case SessionState::closing:
    case SessionState::ended:
      out = "[ended]";
  }
  char rate_text[40];
  std::snprintf(rate_text, sizeof rate_text, " %.1f ev/s", rate(now));
  out += rate_text;
  if (lag_ && *lag_ <= k_longest_lag)
    out += "  lag " + (lag_->count() == 0 ? "0 ms" : base::format_duration(*lag_));
  if (view.seq) out += "  #" + std::to_string(*view.seq);
  if (view.state == SessionState::live) out += "  up " + hours(view.up);
  return out + "  retries " + std::to_string(view.retries);
}

std::string StatusLine::summary(const View& view, SteadyTime now) const {
  return line(view, now) + (view.position.empty() ? "" : "  position " + view.position) +
         "  events " + std::to_string(events_);
}

}  // namespace clawws::client
