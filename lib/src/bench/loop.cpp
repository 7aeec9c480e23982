#include "clawws/bench/loop.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "clawws/base/assert.hpp"

namespace clawws::bench {
namespace {

constexpr int k_events_a_turn = 256;

timespec to_timespec(Nanos value) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(value);
  return {seconds.count(), (value - seconds).count()};
}

}  // namespace

Loop::Loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      scratch_(new char[k_scratch_bytes]) {
  if (!epoll_ || !wake_) throw std::system_error(errno, std::system_category(), "epoll");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
}

Loop::~Loop() {
  stop();
}

void Loop::start() {
  thread_ = std::thread([this] { run(); });
}

void Loop::stop() {
  if (!thread_.joinable()) return;
  post([this] { running_ = false; });
  thread_.join();
}

void Loop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  // A full counter wakes as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

Nanos Loop::cpu_time() const {
  clockid_t clock{};
  timespec used{};
  const auto handle = const_cast<std::thread&>(thread_).native_handle();
  if (!thread_.joinable() || ::pthread_getcpuclockid(handle, &clock) != 0 ||
      ::clock_gettime(clock, &used) != 0)
    return Nanos(0);
  return std::chrono::seconds(used.tv_sec) + Nanos(used.tv_nsec);
}

void Loop::add(int fd, Source& source, std::uint32_t epoll_events) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &source;
  CLAWWS_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

void Loop::change(int fd, Source& source, std::uint32_t epoll_events) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &source;
  CLAWWS_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0);
}

void Loop::remove(int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::at(Nanos when, std::function<void()> task) {
  timers_.emplace(when, std::move(task));
}

void Loop::run() {
  // By default the kernel may let a timer be 50 us late.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  running_ = true;
  while (running_) {
    wait_and_dispatch();
    run_posted();
    run_timers();
  }
}

void Loop::wait_and_dispatch() {
  std::optional<timespec> timeout;
  if (!timers_.empty())
    timeout = to_timespec(std::max(timers_.begin()->first - steady_now(), Nanos(0)));
  // The schedule's own lateness is a criterion of trust: a millisecond would be too coarse.
  // epoll_wait counts in milliseconds; poll on the epoll descriptor counts in nanoseconds.
  pollfd waiting{epoll_.get(), POLLIN, 0};
  ::ppoll(&waiting, 1, timeout ? &*timeout : nullptr, nullptr);
  const Nanos begin = steady_now();
  std::array<epoll_event, k_events_a_turn> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), k_events_a_turn, 0);
  for (int i = 0; i < count; ++i) {
    if (auto* source = static_cast<Source*>(events[static_cast<std::size_t>(i)].data.ptr))
      source->on_ready(events[static_cast<std::size_t>(i)].events);
  }
  // A turn that found nothing kept nobody waiting.
  if (count > 0) lag_.record(steady_now() - begin);
}

void Loop::run_posted() {
  std::uint64_t count = 0;
  if (::read(wake_.get(), &count, sizeof count) < 0) return;  // nobody called
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void Loop::run_timers() {
  const Nanos now = steady_now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto entry = timers_.extract(timers_.begin());
    entry.mapped()();
  }
}

}  // namespace clawws::bench
