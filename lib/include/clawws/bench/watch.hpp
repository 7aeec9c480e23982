// The controller's patience: in which phase a run is, waiting for conditions, showing progress
// meanwhile, and the signal that cuts it short. The controller's thread alone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "clawws/bench/loop.hpp"
#include "clawws/bench/plan.hpp"

namespace clawws::bench {

struct Snapshot {
  Phase phase = Phase::preflight;
  Nanos elapsed{0};       // in this phase
  Nanos phase_length{0};  // 0: not known
  std::uint64_t asked = 0, live = 0, failed = 0;
  double rate = 0;  // deliveries a second, since the last snapshot
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;              // overtaken by later ones so far
  std::uint64_t outstanding = 0;       // due by now and not there, those among them
  std::optional<Nanos> p50, p99, max;  // of the deliveries so far
};

class Watch {
 public:
  struct Callbacks {
    std::function<int()> signal;                    // number of one that came, or 0; may be empty
    std::function<void(const Snapshot&)> progress;  // at each phase's begin too; may be empty
    Nanos progress_every{0};
    // What phase and times do not say; `since` is the time since the last call.
    std::function<void(Snapshot&, Nanos since)> fill;
    std::function<void(Phase, Nanos now)> turn;  // at each look at the clock; may be empty
  };
  explicit Watch(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  void enter(Phase phase, Nanos length = Nanos(0));
  int signal() const { return callbacks_.signal ? callbacks_.signal() : 0; }

  // True when the condition came true; false after `deadline` or when a signal came.
  bool wait_until(Nanos deadline, const std::function<bool()>& condition);
  // False when a signal came before.
  bool pause_until(Nanos deadline);
  // The same without an ear for signals.
  bool insist_until(Nanos deadline, const std::function<bool()>& condition);

 private:
  void show();
  void rest(Nanos deadline);

  Callbacks callbacks_;
  Phase phase_ = Phase::preflight;
  Nanos phase_begin_{0}, phase_length_{0}, shown_at_{0};
};

}  // namespace clawws::bench
