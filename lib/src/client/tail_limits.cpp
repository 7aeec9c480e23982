#include "clawws/client/tail_limits.hpp"

namespace clawws::client {

using base::SteadyClock;

TailLimits::TailLimits(Session::Executor executor, const TailConfig& config, Over over)
    : run_for_(config.run_for),
      timeout_(config.timeout),
      idle_timeout_(config.idle_timeout),
      over_(std::move(over)),
      for_timer_(executor),
      timeout_timer_(executor),
      idle_timer_(executor) {}

void TailLimits::start() {
  if (timeout_) arm(timeout_timer_, *timeout_, Limit::timeout);
  if (!idle_timeout_) return;
  last_event_ = SteadyClock::now();
  watch_idle();
}

void TailLimits::connected() {
  if (std::exchange(ever_connected_, true) || !run_for_) return;
  arm(for_timer_, *run_for_, Limit::run_for);
}

void TailLimits::cancel() {
  for_timer_.cancel();
  timeout_timer_.cancel();
  idle_timer_.cancel();
}

void TailLimits::arm(TailTimer& timer, base::Millis after, Limit limit) {
  timer.expires_after(after);
  timer.async_wait([this, limit](const boost::system::error_code& error) {
    if (!error) over_(limit);
  });
}

// Not set anew by each event: the timer looks how long ago the last one was.
void TailLimits::watch_idle() {
  idle_timer_.expires_at(last_event_ + *idle_timeout_);
  idle_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (SteadyClock::now() < last_event_ + *idle_timeout_)
      watch_idle();
    else
      over_(Limit::idle_timeout);
  });
}

}  // namespace clawws::client
