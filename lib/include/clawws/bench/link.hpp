// One TCP and TLS connection of the load generator: connects, says how long each step took, then
// hands over what comes with the time at which it came, and sends. It knows neither HTTP nor
// WebSocket. About 15 KB when idle, nearly all of it OpenSSL's.
//
// Lives on its loop's thread; callbacks come from there, and on_end exactly once, as the last.
// Closing from inside a callback is fine; destroying is not (see Loop).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "clawws/bench/loop.hpp"
#include "clawws/bench/target.hpp"
#include "clawws/net/ending.hpp"
#include "clawws/net/tls_channel.hpp"

namespace clawws::bench {

class Link final : private Loop::Source {
 public:
  class Owner {
   public:
    virtual void on_secure() = 0;
    virtual void on_bytes(std::string_view bytes, Nanos received_at) = 0;
    virtual void on_sent() = 0;  // everything that was given to send() is with the kernel
    virtual void on_end(const net::Ending& ending) = 0;

   protected:
    ~Owner() = default;
  };

  Link(Loop& loop, std::shared_ptr<const Target> target, Owner& owner);
  ~Link();

  // `receive_buffer_bytes` 0: the kernel's choice.
  void dial(std::size_t source_index, int receive_buffer_bytes = 0);
  void send(std::string_view bytes);
  bool all_sent() const noexcept { return out_.empty(); }
  // Takes nothing from the kernel any more; the peer will feel it.
  void stop_reading();
  // Says close_notify and FIN; the peer's end is waited for.
  void finish();
  // Closes at once without a callback. `ending` is told when it is given.
  void close();
  void fail(const net::Ending& ending);
  // The same with a reset (RST): what the kernel still holds is gone, and nothing is said.
  void drop(const net::Ending& ending);

  bool is_open() const noexcept { return state_ != State::closed && state_ != State::idle; }
  net::Phase phase() const noexcept;
  // "TLSv1.3 TLS_AES_128_GCM_SHA256" while it is open.
  std::string tls_text() const { return tls_ ? tls_->description() : std::string(); }
  Nanos dialled_at() const noexcept { return dialled_at_; }
  Nanos tcp_time() const noexcept { return tcp_time_; }
  Nanos tls_time() const noexcept { return tls_time_; }

 private:
  enum class State : std::uint8_t { idle, tcp, tls, open, closed };

  void on_ready(std::uint32_t epoll_events) override;
  void connected();
  void handshake();
  void read();
  void flush();
  void want(std::uint32_t epoll_events);

  Loop& loop_;
  std::shared_ptr<const Target> target_;
  Owner& owner_;
  base::UniqueFd fd_;
  std::optional<net::TlsChannel> tls_;
  std::string out_;  // [sent_, end) is to be sent
  std::size_t sent_ = 0;
  std::size_t offered_ = 0;   // of a write that waits: the same length again
  std::uint32_t wanted_ = 0;  // epoll events that are asked for
  Nanos dialled_at_{0}, tcp_time_{0}, tls_time_{0};
  State state_ = State::idle;
  bool reading_ = true;
  bool released_ = false;  // the handshake's buffers
};

}  // namespace clawws::bench
