// The numbers of the status line and of SIGUSR1's summary:
//   [live] 14.2 ev/s  lag 3 ms  #8827  up 00:06:12  retries 1
// Pure; the time is handed in. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "clawws/base/time.hpp"
#include "clawws/client/session.hpp"

namespace clawws::client {

class CLAWWS_API StatusLine {
 public:
  // `lag`: from the event's timestamp to now, of live events; it may be nonsense when the clocks
  // differ, so a negative one counts as 0 and more than an hour is not shown.
  void event(base::SteadyTime now, std::optional<base::Millis> lag);

  struct View {
    SessionState state = SessionState::connecting;
    bool held = false;  // the reader of our output is slow
    std::optional<std::uint64_t> seq;
    std::string position;      // EPOCH:SEQ; only in the summary
    base::Millis up{0};        // only shown when live
    base::Millis retry_in{0};  // only shown when waiting
    std::uint64_t retries = 0;
  };
  std::string line(const View& view, base::SteadyTime now) const;
  // The same with the totals and the whole position.
  std::string summary(const View& view, base::SteadyTime now) const;
  std::uint64_t events() const noexcept { return events_; }

 private:
  double rate(base::SteadyTime now) const;

  // Events of the last seconds, one slot a second.
  static constexpr std::size_t k_slots = 8;
  struct Slot {
    std::int64_t second = -1;
    std::uint64_t events = 0;
  };
  std::array<Slot, k_slots> slots_{};
  std::optional<base::SteadyTime> first_;
  std::optional<base::Millis> lag_;
  std::uint64_t events_ = 0;
};

}  // namespace clawws::client
