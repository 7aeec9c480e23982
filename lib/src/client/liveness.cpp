#include "clawws/client/liveness.hpp"

namespace clawws::client {

using base::SteadyTime;

void Liveness::start(SteadyTime now) {
  last_heard_ = now;
  next_ping_ = now + config_.ping_every;
  pinged_.reset();
  probing_ = probed_ = paused_ = false;
}

void Liveness::heard(SteadyTime now) {
  last_heard_ = now;
  pinged_.reset();
  probed_ = false;
}

void Liveness::pause() {
  paused_ = true;
}

void Liveness::resume(SteadyTime now) {
  if (!paused_) return;
  paused_ = false;
  heard(now);
  next_ping_ = now;
}

Liveness::Verdict Liveness::probe_ended(Probe outcome) {
  probing_ = false;
  const bool still_silent = pinged_.has_value() && !paused_;
  return outcome == Probe::worked && still_silent ? Verdict::leave : Verdict::stay;
}

void Liveness::suspect() {
  next_ping_ = SteadyTime::min();
}

Liveness::Action Liveness::tick(SteadyTime now) {
  if (paused_) return Action::none;
  if (now - last_heard_ >= config_.dead_after) return Action::dead;
  if (now >= next_ping_) {
    next_ping_ = now + config_.ping_every;
    if (!pinged_) {
      pinged_ = now;
      return Action::ping;
    }
  }
  if (pinged_ && !probing_ && !probed_ && now - *pinged_ >= config_.answer_within) {
    probing_ = probed_ = true;
    return Action::probe;
  }
  return Action::none;
}

}  // namespace clawws::client
