// Waiting in a coroutine for an answer that another thread gives through a callback: the hashing
// thread, the hub's writer. The state is shared, so the answer may come after the waiter is gone.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>

#include "clawws/net/tls_stream.hpp"

namespace clawws::server {

template <class T>
class Answer : public std::enable_shared_from_this<Answer<T>> {
 public:
  explicit Answer(net::Executor executor) : executor_(executor), arrived_(executor) {
    arrived_.expires_at(net::asio::steady_timer::time_point::max());
  }

  // The callback to hand out; may be called once, on any thread.
  auto callback() {
    return [self = this->shared_from_this()](T value) {
      // What is known at once, as a remembered login is, needs no way through the loop.
      if (self->executor_.running_in_this_thread()) {
        self->value_ = std::move(value);
        self->arrived_.cancel();
        return;
      }
      net::asio::post(self->executor_, [self, value = std::move(value)]() mutable {
        self->value_ = std::move(value);
        self->arrived_.cancel();
      });
    };
  }

  net::asio::awaitable<T> wait() {
    const auto self = this->shared_from_this();
    while (!value_) {
      net::error_code cancelled_means_arrived;
      co_await arrived_.async_wait(net::asio::redirect_error(net::asio::use_awaitable, cancelled_means_arrived));
    }
    co_return std::move(*value_);
  }

 private:
  net::Executor executor_;
  net::asio::steady_timer arrived_;
  std::optional<T> value_;
};

}  // namespace clawws::server
