// One timer for thousands of deadlines: a wheel of slots, one per tick. Pings, handshake deadlines
// and slow-client checks of a shard hang in it, so no connection has a timer object of its own.
// Belongs to one shard's thread. Deadlines fire up to one tick late, never early.
#pragma once

#include <array>
#include <cstdint>

#include "clawws/base/time.hpp"

namespace clawws::server {

class TimingWheel {
 public:
  static constexpr base::Millis k_tick{200};

  // What hangs in the wheel; unlinks itself when it goes.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    bool scheduled() const noexcept { return next_ != nullptr; }
    void cancel() noexcept;

   protected:
    virtual ~Entry() { cancel(); }
    // The entry is out of the wheel when it is called and may schedule itself again.
    virtual void on_timer(base::SteadyTime now) = 0;

   private:
    friend class TimingWheel;
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
    std::uint64_t tick_ = 0;
  };

  explicit TimingWheel(base::SteadyTime start);
  // Puts the entry (again) into the wheel.
  void schedule(Entry& entry, base::SteadyTime when);
  // Fires everything that is due.
  void advance(base::SteadyTime now);

 private:
  struct Head final : Entry {
    void on_timer(base::SteadyTime) override {}
  };
  static constexpr std::size_t k_slots = 256;
  static void link(Entry& head, Entry& entry) noexcept;

  const base::SteadyTime start_;
  std::uint64_t now_tick_ = 0;  // all ticks up to here have fired
  std::array<Head, k_slots> slots_;
};

}  // namespace clawws::server
