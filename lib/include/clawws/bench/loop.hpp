// An epoll loop for a thread of its own, made for a lean generator: level-triggered, one system
// call for what many connections have to say, and timers as exact as the kernel's. Asio's reactor
// costs an epoll_ctl and a read that finds nothing for each message of a connection.
//
// post() and call() come from any thread; everything else belongs to the loop's thread. A source
// that is removed may still be told once in the same turn: it must stay alive until the turn ends.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "clawws/base/posix.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/histogram.hpp"

namespace clawws::bench {

// The steady clock as a plain number: what events carry.
inline Nanos steady_now() noexcept {
  return std::chrono::duration_cast<Nanos>(base::SteadyClock::now().time_since_epoch());
}

class Loop {
 public:
  class Source {
   public:
    virtual void on_ready(std::uint32_t epoll_events) = 0;

   protected:
    ~Source() = default;
  };

  // Throws std::system_error when the kernel gives no descriptor.
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start();
  // Ends the thread after the present turn and joins it.
  void stop();
  void post(std::function<void()> task);
  // Runs `task` on the loop and waits for it. Not from the loop's own thread.
  template <class Task>
  void call(Task task) {
    std::promise<void> done;
    post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  // CPU time that the thread has used.
  Nanos cpu_time() const;

  void add(int fd, Source& source, std::uint32_t epoll_events);
  void change(int fd, Source& source, std::uint32_t epoll_events);
  void remove(int fd);
  // Runs `task` at that time of the steady clock, or at once when it is past.
  void at(Nanos when, std::function<void()> task);

  // For one read at a time; its content is gone with the next turn of another source.
  std::span<char> scratch() noexcept { return {scratch_.get(), k_scratch_bytes}; }
  // How long each turn took: what came meanwhile had to wait that long.
  const Histogram& lag() const noexcept { return lag_; }
  void clear_lag() { lag_.clear(); }

 private:
  static constexpr std::size_t k_scratch_bytes = 64 * 1024;

  void run();
  void wait_and_dispatch();
  void run_posted();
  void run_timers();

  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
  std::multimap<Nanos, std::function<void()>> timers_;
  std::unique_ptr<char[]> scratch_;
  Histogram lag_;
  bool running_ = false;  // the loop's thread alone
  std::thread thread_;
};

}  // namespace clawws::bench
