#include "clawws/bench/watch.hpp"

#include <algorithm>
#include <thread>

namespace clawws::bench {
namespace {

constexpr Nanos k_poll = std::chrono::milliseconds(2);

}  // namespace

std::string_view phase_word(Phase phase) noexcept {
  switch (phase) {
    case Phase::preflight:
      return "preflight";
    case Phase::connect:
      return "connect";
    case Phase::settle:
      return "settle";
    case Phase::hold:
      return "hold";
    case Phase::warm_up:
      return "warm-up";
    case Phase::measure:
      return "measure";
    case Phase::drain:
      return "drain";
    case Phase::close:
      return "close";
  }
  return "?";
}

void Watch::enter(Phase phase, Nanos length) {
  phase_ = phase;
  phase_begin_ = steady_now();
  phase_length_ = length;
  if (callbacks_.turn) callbacks_.turn(phase_, phase_begin_);
  show();
}

bool Watch::wait_until(Nanos deadline, const std::function<bool()>& condition) {
  for (;;) {
    if (condition()) return true;
    if (steady_now() >= deadline || signal() != 0) return false;
    rest(deadline);
  }
}

bool Watch::pause_until(Nanos deadline) {
  wait_until(deadline, [] { return false; });
  return signal() == 0;
}

bool Watch::insist_until(Nanos deadline, const std::function<bool()>& condition) {
  for (;;) {
    if (condition()) return true;
    if (steady_now() >= deadline) return false;
    rest(deadline);
  }
}

void Watch::rest(Nanos deadline) {
  const Nanos now = steady_now();
  if (callbacks_.turn) callbacks_.turn(phase_, now);
  if (now - shown_at_ >= callbacks_.progress_every) show();
  std::this_thread::sleep_for(std::min(k_poll, deadline - now));
}

void Watch::show() {
  const Nanos now = steady_now();
  const Nanos since = now - std::exchange(shown_at_, now);
  if (!callbacks_.progress) return;
  Snapshot snapshot;
  snapshot.phase = phase_;
  snapshot.elapsed = now - phase_begin_;
  snapshot.phase_length = phase_length_;
  if (callbacks_.fill) callbacks_.fill(snapshot, since);
  callbacks_.progress(snapshot);
}

}  // namespace clawws::bench
