// A shard: one thread, one io_context, its sessions, views and timing wheel. Nothing is shared between
// shards but the log. Whoever appends to the log wakes each shard once; one posted handler then
// brings the views up to date and flushes every session.
//
// wake(), adopt() and post-like calls come from any thread; everything else is the shard's own.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "clawws/base/log.hpp"
#include "clawws/hub/hub.hpp"
#include "clawws/hub/view.hpp"
#include "clawws/net/tls_stream.hpp"
#include "clawws/server/config.hpp"
#include "clawws/server/counters.hpp"
#include "clawws/server/services.hpp"
#include "clawws/server/session.hpp"
#include "clawws/server/timing_wheel.hpp"
#include "clawws/server/upstream.hpp"

namespace clawws::server {

class Shard {
 public:
  explicit Shard(Services& services);
  ~Shard();

  void start();
  // Ends the loop and joins; sessions and connections that are left are dropped.
  void stop();

  // ---- any thread ----
  net::asio::io_context& context() noexcept { return context_; }
  // Something is due: one flush of all sessions follows, however often this is called before it.
  void wake();
  // The same for what was appended to the log; a shard without a session sleeps on.
  void log_has_grown();
  // Serves a connection that was accepted into this shard's context.
  void adopt(net::TcpSocket socket);
  // Every session gets what is due and then this close code; new ones are refused. With `spread`,
  // each is told a random wait below it ("retry-ms=N").
  void drain(base::Millis spread);
  // Closes (4001) the sessions whose credentials are no longer good.
  void recheck_credentials();
  std::size_t session_count() const noexcept { return session_count_.load(std::memory_order_relaxed); }

  // ---- the shard's thread ----
  void add(std::shared_ptr<Session> session);
  bool draining() const noexcept { return draining_; }
  void remove(Session& session);
  // Publishes, and wakes the writer once for all that this turn of the loop publishes.
  void publish(std::vector<wire::Event> events, std::optional<hub::IdempotencyKey> key, hub::PublishDone done);
  enum class Frames : std::uint8_t { websocket, sse };
  std::shared_ptr<hub::View> view_for(const wire::Filter& filter, Frames frames = Frames::websocket);
  // False when this would be one view more than a shard serves (256).
  bool has_room_for(const wire::Filter& filter, Frames frames = Frames::websocket);
  base::Millis jittered(base::Millis interval);
  std::span<char> read_buffer() noexcept { return {read_buffer_.get(), k_read_buffer_bytes}; }
  TimingWheel& wheel() noexcept { return wheel_; }
  UpstreamPool* upstream() noexcept { return upstream_ ? &*upstream_ : nullptr; }  // nothing without --upstream
  base::SteadyTime now() const noexcept { return now_; }  // of the present turn

  Services& services() noexcept { return services_; }
  const ServerConfig& config() const noexcept { return services_.config; }
  hub::Hub& hub() noexcept { return services_.hub; }
  const hub::FrameLog& frame_log() const noexcept { return services_.hub.log(); }
  base::Logger& log() noexcept { return services_.log; }
  Counters& counters() noexcept { return services_.counters; }
  const std::string& epoch() const noexcept { return services_.epoch; }
  const std::string& server_name() const noexcept { return services_.server_name; }

 private:
  static constexpr std::size_t k_read_buffer_bytes = 16 * 1024;

  void run();
  void flush_all();
  void tick();

  Services& services_;
  net::asio::io_context context_{1};
  net::asio::executor_work_guard<net::Executor> work_;
  net::asio::steady_timer ticker_;
  TimingWheel wheel_;
  base::SteadyTime now_;
  std::atomic<bool> dirty_{false};
  std::atomic<std::size_t> session_count_{0};
  std::vector<std::shared_ptr<Session>> sessions_;
  std::vector<std::shared_ptr<Session>> gone_;  // ended in this turn; freed at its end
  std::map<std::pair<Frames, std::string>, std::weak_ptr<hub::View>> views_;  // by form and filter's key
  std::unique_ptr<char[]> read_buffer_;
  std::mt19937_64 random_;
  bool draining_ = false;
  std::optional<UpstreamPool> upstream_;
  bool writer_is_due_ = false;  // a wake of the hub's writer stands in the loop's queue
  std::thread thread_;
};

}  // namespace clawws::server
