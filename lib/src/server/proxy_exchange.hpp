// The state of one proxied request, shared by the files that make it up: proxy.cpp (request and
// answer), proxy_upload.cpp (the request's body and the supervisor), proxy_tunnel.cpp (WebSockets).
// Private to the server's sources.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "clawws/server/body_relay.hpp"
#include "clawws/server/flow.hpp"
#include "clawws/server/forward.hpp"
#include "clawws/server/proxy.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/server/timing_wheel.hpp"
#include "clawws/server/upstream.hpp"

namespace clawws::server {

class ProxyExchange final : public std::enable_shared_from_this<ProxyExchange>,
                            private TimingWheel::Entry {
 public:
  explicit ProxyExchange(ProxyClient client);

  // Once. What it leaves behind never refers to the client's connection again.
  boost::asio::awaitable<ProxyResult> run(std::size_t head_bytes);

 private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using AnswerParser = BodyRelay<false>::Parser;
  using RequestParser = BodyRelay<true>::Parser;

  // Why the exchange was ended from inside.
  enum class Cause : std::uint8_t {
    none,
    finished,
    client_gone,
    client_slow,
    client_malformed,
    upstream_slow
  };
  // What came instead of a final answer's head, or that it came.
  enum class Head : std::uint8_t {
    final,
    lost,       // the connection ended before a byte
    broken,     // it ended inside the head
    malformed,  // this is no HTTP, or can be read in two ways
    stopped,    // see cause_
  };

  // ---- the request (proxy.cpp) ----
  bool parse_head(std::size_t head_bytes);
  awaitable<std::optional<ProxyResult>> obtain_link(UpstreamLink::Age least);
  awaitable<Head> ask();
  awaitable<Head> read_head();
  bool may_repeat() const noexcept;
  ProxyResult failure(Head head);
  ProxyResult refuse(unsigned status, std::string_view word, std::string message);

  // ---- the answer (proxy.cpp) ----
  awaitable<ProxyResult> return_answer();
  awaitable<bool> return_body(BodyRelay<false>& relay, BodyRelay<false>::Step step,
                              std::string& out);
  void give_back_link();

  // ---- the request's body, and who is too slow (proxy_upload.cpp) ----
  void start_upload();
  static awaitable<void> upload(std::shared_ptr<ProxyExchange> self);
  awaitable<void> upload_body();
  awaitable<void> join_upload();
  void on_timer(base::SteadyTime now) override;
  void look_for_client();
  void supervise(base::SteadyTime now);
  void stop(Cause cause);

  // ---- a WebSocket (proxy_tunnel.cpp) ----
  awaitable<ProxyResult> tunnel();
  static awaitable<void> tunnel_upwards(std::shared_ptr<ProxyExchange> self);
  template <class From, class To>
  awaitable<void> pump(From& from, To& to, std::string first, Flow& in, Flow& out);

  std::span<char> scratch() noexcept { return shard_.read_buffer(); }
  UpstreamPool& pool() noexcept { return *shard_.upstream(); }

  Shard& shard_;
  net::TlsStream& client_;
  std::string& input_;
  const boost::asio::ip::tcp::endpoint peer_;

  RequestParser request_;
  bool upgrades_ = false;
  unsigned version_ = 11;
  BodyWanted wanted_ = BodyWanted::yes;
  bool client_keeps_ = true;      // as the client would have it
  bool awaits_continue_ = false;  // the client sends its body when it is told to
  std::optional<BodyRelay<true>> up_;

  std::unique_ptr<UpstreamLink> link_;
  std::optional<AnswerParser> answer_;
  bool answered_ = false;        // a byte of an answer has gone to the client
  bool streams_events_ = false;  // the answer may be silent for as long as it likes
  bool in_tunnel_ = false;

  bool over_ = false;
  Cause cause_ = Cause::none;
  bool upload_runs_ = false;
  bool bodiless_ = false;      // the request has no body
  bool upload_whole_ = false;  // all of the body is with the upstream
  boost::asio::steady_timer upload_ended_;
  base::SteadyTime looked_{};  // for the client, the last time
  Flow client_in_, client_out_, upstream_in_, upstream_out_;
};

}  // namespace clawws::server
