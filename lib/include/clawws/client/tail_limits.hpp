// When a bounded run is over by the clock: --for, --timeout, --idle-timeout. Says so once for each;
// what follows is its owner's business. On the executor's one thread.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <cstdint>
#include <functional>
#include <optional>

#include "clawws/base/time.hpp"
#include "clawws/client/session.hpp"
#include "clawws/client/tail_options.hpp"

namespace clawws::client {

using TailTimer = boost::asio::basic_waitable_timer<
    base::SteadyClock, boost::asio::wait_traits<base::SteadyClock>, Session::Executor>;

class TailLimits {
 public:
  enum class Limit : std::uint8_t { run_for, timeout, idle_timeout };
  using Over = std::function<void(Limit)>;

  TailLimits(Session::Executor executor, const TailConfig& config, Over over);

  // --timeout and --idle-timeout run from here,
  void start();
  // --for from the first of these.
  void connected();
  void event(base::SteadyTime now) noexcept { last_event_ = now; }
  void cancel();

 private:
  void arm(TailTimer& timer, base::Millis after, Limit limit);
  void watch_idle();

  const std::optional<base::Millis> run_for_, timeout_, idle_timeout_;
  Over over_;
  TailTimer for_timer_, timeout_timer_, idle_timer_;
  base::SteadyTime last_event_{};
  bool ever_connected_ = false;
};

}  // namespace clawws::client
