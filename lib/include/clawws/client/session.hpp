// One subscription that stays alive: connects, resumes, notices a dead link, backs off, gives up.
// It puts together the pure parts (Reconnect, Liveness, StreamTracker) and net::WsClient; what is
// printed or measured is its owner's business. tail runs one, bench thousands.
//
//   prepare --> connect --> welcome --> live --(lost)--> wait --> prepare …   --> on_end, once
//
// Everything on the executor's one thread, callbacks included. May be destroyed at any time but
// inside its own callbacks.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"
#include "clawws/client/attempt.hpp"
#include "clawws/client/liveness.hpp"
#include "clawws/client/reconnect.hpp"
#include "clawws/client/stream_tracker.hpp"
#include "clawws/net/ws_client.hpp"

namespace clawws::client {

struct SessionConfig {
  // background: `prepare` may block (files, commands), so it runs on a thread of its own.
  enum class Prepare : std::uint8_t { inline_, background };

  std::function<base::Result<Attempt>()> prepare;
  Prepare prepare_on = Prepare::background;
  ReconnectConfig reconnect;
  LivenessConfig liveness;
  StreamRequest stream;
  std::uint64_t seed = 0;  // of the back-off's jitter
  // How long this machine has slept since it was started; null: asks the kernel's clocks.
  std::function<base::Millis()> slept;
};

enum class SessionState : std::uint8_t { connecting, live, waiting, closing, ended };

class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  virtual void on_attempt(const Attempt&) {}
  virtual void on_open(const net::WsOpened&) {}
  virtual void on_welcome(const wire::ServerMessage&) {}
  // An accepted event; `text` is its JSON as it came, gone when this returns.
  virtual void on_event(const wire::ServerMessage& message, std::string_view text,
                        const Step& step) = 0;
  virtual void on_gap(const Gap&) {}
  // The place in the stream, when another message than an event has settled or moved it.
  virtual void on_position(const wire::Position&) {}
  virtual void on_caught_up(const CaughtUp&) {}
  virtual void on_lost(const net::Ending&, const Reconnect::Decision&) {}
  // Exactly once, the last call. `interrupted` after stop().
  virtual void on_end(base::Errc code, const std::string& reason) = 0;
};

class CLAWWS_API Session {
 public:
  using Executor = boost::asio::io_context::executor_type;

  Session(Executor executor, SessionConfig config, SessionEvents& events);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  void start();
  // Closes cleanly, waiting at most `limit` for the server's answer, then on_end(interrupted).
  void stop(base::Millis limit);
  // SIGUSR2: ends a wait at once; a live link is pinged.
  void retry_now();
  // While held, nothing is read and no attempt begins: the output is behind.
  void hold();
  void release();

  SessionState state() const noexcept;
  const StreamTracker& tracker() const noexcept;
  std::uint64_t retries() const noexcept;
  // Since when the link is up; only in state live.
  base::SteadyTime live_since() const noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace clawws::client
