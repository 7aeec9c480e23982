// A blocking call (getaddrinfo, a password command) on a thread of its own, its result handed back
// on the executor. Cancelling, or destroying the handle, lets go of it at once: the thread ends
// when its call does, and nobody waits for it. Asio's resolver would hold up the end of the
// process. The handle belongs to the executor's thread; the executor must outlive the handle.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace clawws::net {

template <class T>
class BackgroundCall {
  using Executor = boost::asio::io_context::executor_type;

 public:
  // `work` must not refer to anything that may go before it ends. `done` runs on the executor,
  // never inside this constructor, and not at all after cancel().
  BackgroundCall(Executor executor, std::function<T()> work, std::function<void(T)> done)
      : state_(std::make_shared<State>(executor, std::move(done))) {
    auto body = [state = state_, call = std::move(work)] { state->deliver(state, call()); };
    try {
      std::thread(body).detach();
    } catch (const std::system_error&) {
      body();  // no thread to be had: better slow than not at all
    }
  }
  BackgroundCall(const BackgroundCall&) = delete;
  BackgroundCall& operator=(const BackgroundCall&) = delete;
  ~BackgroundCall() { cancel(); }

  void cancel() {
    const std::lock_guard lock(state_->mutex);
    state_->done = nullptr;
    state_->work.reset();
  }

 private:
  struct State {
    State(Executor ex, std::function<void(T)> fn) : done(std::move(fn)), work(std::in_place, ex) {}

    static void deliver(const std::shared_ptr<State>& self, T result) {
      const std::lock_guard lock(self->mutex);
      if (!self->work) return;  // the executor may be gone already
      auto held = std::make_shared<T>(std::move(result));
      boost::asio::post(self->work->get_executor(), [self, held] {
        std::function<void(T)> call;
        {
          const std::lock_guard inner(self->mutex);
          self->work.reset();
          call = std::exchange(self->done, nullptr);
        }
        if (call) call(std::move(*held));
      });
    }

    std::mutex mutex;
    std::function<void(T)> done;
    std::optional<boost::asio::executor_work_guard<Executor>> work;
  };

  std::shared_ptr<State> state_;
};

}  // namespace clawws::net
