// The request's body on its way up while the answer may already come down, and the supervisor that
// looks at both now and then.
#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "proxy_exchange.hpp"

namespace clawws::server {

using boost::asio::awaitable;
using net::error_code;
using net::IoResult;
using net::IoStatus;

namespace {
constexpr base::Millis k_tick{400};
constexpr base::Millis k_look_interval{1'000};  // for a client that has gone
constexpr std::size_t k_most_input_bytes =
    16 * 1024;  // read of a client that asks on before its answer has come
// The minimum rate, on average over --body-timeout. What is less ends, even if something always
// moves.
constexpr std::size_t k_least_bytes_per_second = 512;
}  // namespace

void ProxyExchange::start_upload() {
  upload_runs_ = true;
  boost::asio::co_spawn(
      shard_.context(), upload(shared_from_this()),
      [self = shared_from_this()](std::exception_ptr escaped) {
        self->upload_runs_ = false;
        self->upload_ended_.cancel();
        if (!escaped) return;
        try {
          std::rethrow_exception(escaped);
        } catch (const std::exception& fault) {
          self->shard_.log().error("an upload ended by a fault", {{"what", fault.what()}});
          self->stop(Cause::client_gone);
        }
      });
}

awaitable<void> ProxyExchange::upload(std::shared_ptr<ProxyExchange> self) {
  co_await self->upload_body();
  self->upstream_in_.restart();
}

// Ends early when either side fails. The upstream may have said why in an answer, so its failure
// ends only the upload; without an answer the reader finds the end of the connection.
awaitable<void> ProxyExchange::upload_body() {
  using Step = BodyRelay<true>::Step;
  std::string out;
  while (!over_) {
    const Step step = up_->move(input_, out, scratch());
    if (step == Step::malformed) {
      stop(Cause::client_malformed);
      co_return;
    }
    if (!out.empty()) {
      const std::uint64_t waits = upstream_out_.waits();
      const bool sent = co_await write_all(link_->stream, out, upstream_out_, over_);
      if (!sent) co_return;
      if (upstream_out_.waits() != waits) client_in_.restart();
      out.clear();
    }
    if (step == Step::done) {
      upload_whole_ = true;
      co_return;
    }
    if (step == Step::full) continue;
    const std::uint64_t waits = client_in_.waits();
    const IoResult got = co_await read_more(client_, input_, scratch(), client_in_, over_);
    if (client_in_.waits() != waits) upstream_out_.restart();
    if (got.status != IoStatus::done) {
      if (!over_) stop(Cause::client_gone);
      co_return;
    }
    awaits_continue_ = false;
  }
}

awaitable<void> ProxyExchange::join_upload() {
  if (!upload_runs_) {
    over_ = true;
    co_return;
  }
  stop(Cause::finished);
  while (upload_runs_) {
    error_code cancelled_means_ended;
    co_await upload_ended_.async_wait(
        boost::asio::redirect_error(boost::asio::use_awaitable, cancelled_means_ended));
  }
}

// Whoever waits on one of the sockets is woken and sees over_.
void ProxyExchange::stop(Cause cause) {
  if (std::exchange(over_, true)) return;
  cause_ = cause;
  error_code nothing_to_cancel;
  client_.socket().cancel(nothing_to_cancel);
  if (link_) link_->stream.socket().cancel(nothing_to_cancel);
}

// ---- the supervisor -----------------------------------------------------------------------------

void ProxyExchange::on_timer(base::SteadyTime now) {
  if (over_) return;
  supervise(now);
  const bool reads_anyway = upload_runs_ || in_tunnel_;
  if (!over_ && !reads_anyway && now - looked_ >= k_look_interval) {
    looked_ = now;
    look_for_client();
  }
  if (!over_) shard_.wheel().schedule(*this, now + k_tick);
}

// Nobody reads from the client while the upstream thinks: so a client that left would be noticed
// only when the answer is written, which for a stream of events may be never.
void ProxyExchange::look_for_client() {
  if (input_.size() >= k_most_input_bytes) {
    // Behind so much its end cannot be seen. Other answers have a time; a stream of events would
    // be kept for nobody.
    if (streams_events_) stop(Cause::client_gone);
    return;
  }
  const IoResult got = client_.read_now(scratch().data(), scratch().size());
  if (got.status == IoStatus::done) {
    input_.append(scratch().data(), got.bytes);
  } else if (got.status == IoStatus::closed || got.status == IoStatus::failed) {
    stop(Cause::client_gone);
  }
}

void ProxyExchange::supervise(base::SteadyTime now) {
  const base::Millis client_window = shard_.config().body_timeout;
  const base::Millis upstream_window = shard_.config().upstream_timeout;
  const auto least =
      static_cast<std::size_t>(client_window.count()) * k_least_bytes_per_second / 1000;
  if (client_out_.too_slow(now, client_window, least)) return stop(Cause::client_gone);
  if (upstream_out_.too_slow(now, upstream_window, 1)) return stop(Cause::upstream_slow);
  if (in_tunnel_) return;  // whose ends may be silent for as long as they like
  if (upload_runs_ && !awaits_continue_) {
    if (client_in_.too_slow(now, client_window, least)) stop(Cause::client_slow);
    return;  // the upstream waits for the client
  }
  if (!streams_events_ && upstream_in_.too_slow(now, upstream_window, 1))
    stop(Cause::upstream_slow);
}

}  // namespace clawws::server
