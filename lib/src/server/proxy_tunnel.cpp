// A WebSocket of the upstream: after its 101 the bytes of both sides pass as they are, until one of
// them ends. A tunnel that is silent holds no buffer: what comes is read into the shard's scratch
// and usually written from there at once.
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <exception>

#include "proxy_exchange.hpp"

namespace clawws::server {

using boost::asio::awaitable;
using net::IoResult;
using net::IoStatus;

namespace {

// The tunnel knows no pings of its own: the kernel finds an end that has vanished, within two
// minutes.
void watch_by_keep_alive(net::TcpSocket& socket) {
  struct Option {
    int level, name, value;
  };
  for (const Option& option :
       {Option{SOL_SOCKET, SO_KEEPALIVE, 1}, Option{IPPROTO_TCP, TCP_KEEPIDLE, 60},
        Option{IPPROTO_TCP, TCP_KEEPINTVL, 15}, Option{IPPROTO_TCP, TCP_KEEPCNT, 4}}) {
    ::setsockopt(socket.native_handle(), option.level, option.name, &option.value,
                 sizeof option.value);
  }
}

}  // namespace

awaitable<ProxyResult> ProxyExchange::tunnel() {
  ProxyResult result;
  const std::string head = switching_answer(answer_->get());
  const bool told = co_await write_all(client_, head, client_out_, over_);
  if (!told) co_return result;
  answered_ = true;
  in_tunnel_ = true;
  watch_by_keep_alive(client_.socket());
  watch_by_keep_alive(link_->stream.socket());

  // The direction upwards is an upload that ends with the tunnel.
  upload_runs_ = true;
  boost::asio::co_spawn(shard_.context(), tunnel_upwards(shared_from_this()),
                        [self = shared_from_this()](std::exception_ptr) {
                          self->stop(Cause::finished);
                          self->upload_runs_ = false;
                          self->upload_ended_.cancel();
                        });
  co_await pump(link_->stream, client_, std::exchange(link_->input, {}), upstream_in_, client_out_);
  const bool by_upstream = !over_;
  co_await join_upload();
  // Its last frames are with the client; a client that ended first needs no words.
  result.end = by_upstream ? ProxyResult::End::closes : ProxyResult::End::dropped;
  co_return result;
}

awaitable<void> ProxyExchange::tunnel_upwards(std::shared_ptr<ProxyExchange> self) {
  co_await self->pump(self->client_, self->link_->stream, std::exchange(self->input_, {}),
                      self->client_in_, self->upstream_out_);
}

// Until `from` ends, `to` fails or the tunnel is over.
template <class From, class To>
awaitable<void> ProxyExchange::pump(From& from, To& to, std::string first, Flow& in, Flow& out) {
  if (!first.empty()) {
    const bool sent = co_await write_all(to, first, out, over_);
    if (!sent) co_return;
    first = {};
  }
  while (!over_) {
    const IoResult got = from.read_now(scratch().data(), scratch().size());
    if (got.status == IoStatus::want_read || got.status == IoStatus::want_write) {
      co_await wait_for(from, got.status, in);
      continue;
    }
    if (got.status != IoStatus::done) co_return;
    std::size_t sent = 0;
    while (sent < got.bytes) {
      const IoResult put = to.write_now(scratch().data() + sent, got.bytes - sent);
      if (put.status != IoStatus::done) break;
      sent += put.bytes;
      out.moved(put.bytes);
    }
    if (sent == got.bytes) continue;
    // The rest waits in a buffer of its own. A write that waits is offered again in the same
    // length, which the rest has: a record takes all of it.
    const std::string rest(scratch().data() + sent, got.bytes - sent);
    const bool done = co_await write_all(to, rest, out, over_);
    if (!done) co_return;
    out.restart();
  }
}

}  // namespace clawws::server
