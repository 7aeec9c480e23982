// One coroutine a connection. The order is always: deadline, bytes, gate, Beast's parser, decision
// on the head, and only then a body. What fails ends the connection and never more than that.
//
// g++ 12 lays out a coroutine's frame wrongly when co_await stands in the condition of a loop, so
// here every awaited result gets a name first.
#include "clawws/server/connection.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/verb.hpp>
#include <exception>

#include "clawws/base/text.hpp"
#include "clawws/server/admission.hpp"
#include "clawws/server/http.hpp"
#include "clawws/server/proxy.hpp"
#include "clawws/server/routes.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/http_gate.hpp"

namespace clawws::server {

namespace http = boost::beast::http;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using net::error_code;

namespace {

constexpr base::Millis k_keep_alive{75'000};         // between two requests
constexpr base::Millis k_linger{2'000};              // after an answer that ends the connection
constexpr std::size_t k_linger_bytes = 1u << 20;
constexpr std::size_t k_read_bytes = 4 * 1024;
constexpr std::size_t k_upstream_head_bytes = 16 * 1024;  // as many as Node takes
constexpr std::size_t k_body_read_bytes = 64 * 1024;
constexpr std::size_t k_chunk_header_bytes = 1024;   // a chunk's size line with its extensions

using Parser = http::request_parser<http::string_body>;

class Connection final : public std::enable_shared_from_this<Connection>, private TimingWheel::Entry {
 public:
  Connection(Shard& shard, net::TcpSocket socket, Admission::Permit permit)
      : shard_(shard),
        permit_(std::move(permit)),
        stream_(std::move(socket), shard.services().certificate.get(), net::Role::server) {
    error_code gone;
    peer_ = stream_.socket().remote_endpoint(gone);
    shard_.counters().connections_open.fetch_add(1, std::memory_order_relaxed);
  }
  ~Connection() { shard_.counters().connections_open.fetch_sub(1, std::memory_order_relaxed); }

  awaitable<void> run();

 private:
  enum class Next : std::uint8_t { request, end };

  awaitable<bool> handshake();
  awaitable<Next> serve_request();
  awaitable<Next> pass_on(std::size_t head_bytes);
  wire::GateVerdict judge_head();
  awaitable<std::optional<wire::GateVerdict>> read_head();
  awaitable<std::optional<HttpAnswer>> read_body(Parser& parser);
  HttpAnswer too_large() const;
  awaitable<bool> read_more(std::size_t bytes);
  awaitable<Next> answer(HttpAnswer answer, unsigned version, BodyWanted wanted);
  awaitable<void> linger();
  void upgrade(UpgradeTicket ticket);

  // A deadline passed: what the coroutine waits for fails. It then looks at expired_.
  void on_timer(base::SteadyTime) override {
    expired_ = true;
    error_code ignored;  // nothing to cancel is fine
    stream_.socket().cancel(ignored);
  }
  void deadline(base::Millis from_now) {
    expired_ = false;
    shard_.wheel().schedule(*this, base::SteadyClock::now() + from_now);
  }

  Shard& shard_;
  Admission::Permit permit_;
  net::TlsStream stream_;
  boost::asio::ip::tcp::endpoint peer_;
  std::string input_;  // read, not yet used
  bool expired_ = false;
  bool first_request_ = true;
  bool no_delay_ = false;
};

awaitable<void> Connection::run() {
  const bool secured = co_await handshake();
  if (!secured) {
    shard_.counters().handshakes_failed.fetch_add(1, std::memory_order_relaxed);
    co_return;
  }
  for (Next next = Next::request; next == Next::request;) {
    next = co_await serve_request();
  }
}

awaitable<bool> Connection::handshake() {
  deadline(shard_.config().handshake_timeout);
  error_code failed;
  co_await stream_.async_handshake(boost::asio::redirect_error(use_awaitable, failed));
  cancel();
  if (!failed) co_return true;
  if (stream_.error_detail() == "http request") {
    // Somebody typed http:// for https://; OpenSSL has read the bytes, so plain text goes out raw.
    constexpr std::string_view k_hint =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 51\r\n\r\n"
        "This port speaks HTTPS: use https:// in the URL.  \r\n";
    error_code gone;
    stream_.socket().write_some(boost::asio::buffer(k_hint), gone);
  }
  shard_.log().debug("TLS handshake failed",
                     {{"peer", peer_.address().to_string()},
                      {"why", expired_ ? "timed out" : stream_.error_detail().empty() ? failed.message() : stream_.error_detail()}});
  co_return false;
}

awaitable<bool> Connection::read_more(std::size_t bytes) {
  // A deadline may pass between two reads, when there is nothing to cancel.
  if (expired_) co_return false;
  const std::size_t before = input_.size();
  input_.resize(before + bytes);
  error_code failed;
  const std::size_t count = co_await stream_.async_read_some(boost::asio::buffer(input_.data() + before, bytes),
                                                             boost::asio::redirect_error(use_awaitable, failed));
  input_.resize(before + (failed ? 0 : count));
  co_return !failed;
}

// A head that is too large for this server may be the application's, which sets cookies of its own.
wire::GateVerdict Connection::judge_head() {
  const wire::GateVerdict verdict = wire::check_head(input_);
  const bool too_large = verdict.status == 431 || verdict.status == 414;
  if (!too_large || !goes_upstream(shard_, input_)) return verdict;
  wire::HeadLimits limits;
  limits.max_head_bytes = k_upstream_head_bytes;
  return wire::check_head(input_, limits);
}

// Nothing when the peer went away or let the time pass.
awaitable<std::optional<wire::GateVerdict>> Connection::read_head() {
  bool begun = !input_.empty();
  // Only who has asked something already may keep the connection for the next question.
  const bool may_idle = !begun && !std::exchange(first_request_, false);
  deadline(may_idle ? k_keep_alive : shard_.config().header_timeout);
  while (true) {
    const wire::GateVerdict verdict = judge_head();
    if (verdict.kind != wire::GateVerdict::Kind::need_more) {
      cancel();
      co_return verdict;
    }
    const bool got = co_await read_more(k_read_bytes);
    if (!got) co_return std::nullopt;
    // The time for the head runs from its first byte; a dribble does not move it.
    if (!std::exchange(begun, true)) deadline(shard_.config().header_timeout);
  }
}

HttpAnswer Connection::too_large() const {
  return error_answer(413, "too_large",
                      "A request is at most " + base::format_size(shard_.config().max_body_bytes) + "; send several");
}

// Reads the body of a request whose head is parsed. An answer means that it was refused; a
// connection that broke shows as an expired or closed stream.
awaitable<std::optional<HttpAnswer>> Connection::read_body(Parser& parser) {
  deadline(shard_.config().body_timeout);
  parser.body_limit(shard_.config().max_body_bytes);
  parser.eager(true);
  while (true) {
    error_code failed;
    if (!input_.empty()) {
      const std::size_t used = parser.put(boost::asio::buffer(input_), failed);
      input_.erase(0, used);
    }
    if (failed == http::error::body_limit) {
      co_return too_large();
    }
    if (failed && failed != http::error::need_more) {
      co_return error_answer(400, "bad_request", "The body is not framed as its head says");
    }
    if (parser.is_done()) break;
    if (parser.chunked() && input_.size() > k_chunk_header_bytes && failed == http::error::need_more) {
      co_return error_answer(400, "bad_request", "A chunk's header line is too long");
    }
    // No more than can come: the room is filled with zeros first, which takes longer than a small body.
    const auto left = parser.content_length_remaining().value_or(k_body_read_bytes);
    const bool got = co_await read_more(std::clamp<std::size_t>(left, 1, k_body_read_bytes));
    if (!got) {
      if (expired_) {
        co_return error_answer(408, "request_timeout",
                               "The body did not come within " + base::duration_flag_text(shard_.config().body_timeout));
      }
      // An end in the middle of a body is the peer's; nobody is left to be told.
      stream_.close(net::TlsStream::CloseMode::reset);
      co_return error_answer(400, "bad_request", "The body ended early");
    }
  }
  cancel();
  co_return std::nullopt;
}

awaitable<Connection::Next> Connection::answer(HttpAnswer answer, unsigned version, BodyWanted wanted) {
  if (shard_.services().draining) answer.after = After::close;
  const After after = answer.after;
  const std::string bytes = serialise(answer, version, wanted, shard_.config().hsts);
  deadline(shard_.config().body_timeout);
  error_code failed;
  co_await boost::asio::async_write(stream_, boost::asio::buffer(bytes),
                                    boost::asio::redirect_error(use_awaitable, failed));
  cancel();
  shard_.counters().requests.fetch_add(1, std::memory_order_relaxed);
  if (failed) {
    stream_.close(net::TlsStream::CloseMode::reset);
    co_return Next::end;
  }
  if (after == After::keep_alive) co_return Next::request;
  co_await linger();
  co_return Next::end;
}

// After an answer that ends the connection: what the peer still sends is read and thrown away for
// a while, since closing over unread bytes would reset the connection under our answer.
awaitable<void> Connection::linger() {
  stream_.shutdown_now();
  error_code gone;
  stream_.socket().shutdown(net::TcpSocket::shutdown_send, gone);
  deadline(k_linger);
  std::size_t seen = 0;
  while (seen < k_linger_bytes) {
    input_.clear();
    const bool got = co_await read_more(k_body_read_bytes);
    if (!got) break;
    seen += input_.size();
  }
  cancel();
}

awaitable<Connection::Next> Connection::serve_request() {
  const std::optional<wire::GateVerdict> gate = co_await read_head();
  if (!gate) {
    if (!expired_ || input_.empty()) co_return Next::end;
    HttpAnswer refusal = error_answer(408, "request_timeout",
                                      "The head of the request did not come within " +
                                          base::duration_flag_text(shard_.config().header_timeout));
    refusal.after = After::close;
    co_return co_await answer(std::move(refusal), 11, BodyWanted::yes);
  }
  if (gate->kind == wire::GateVerdict::Kind::refuse) {
    shard_.log().debug("request refused", {{"peer", peer_.address().to_string()}, {"why", gate->reason}});
    HttpAnswer refusal = error_answer(gate->status, "bad_request", gate->reason);
    refusal.after = After::close;
    co_return co_await answer(std::move(refusal), 11, BodyWanted::yes);
  }
  if (goes_upstream(shard_, input_)) co_return co_await pass_on(gate->head_bytes);

  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(gate->head_bytes + 1));
  parser.body_limit(boost::none);  // until somebody wants a body
  error_code failed;
  input_.erase(0, parser.put(boost::asio::buffer(input_.data(), gate->head_bytes), failed));
  if ((failed && failed != http::error::need_more) || !parser.is_header_done()) {
    HttpAnswer refusal = error_answer(400, "bad_request", "Not an HTTP request");
    refusal.after = After::close;
    co_return co_await answer(std::move(refusal), 11, BodyWanted::yes);
  }

  const HttpRequest& request = parser.get();
  const unsigned version = request.version();
  const BodyWanted wanted = request.method() == http::verb::head ? BodyWanted::head_only : BodyWanted::yes;
  const bool keep_alive = request.keep_alive();
  const std::string content_type(header(request, "Content-Type").value_or(""));
  const bool expects_continue = base::iequals(header(request, "Expect").value_or(""), "100-continue");

  // A stop waits for what runs; not for a body that is still on its way, of which nothing was promised.
  struct Running {
    Counters& counters;
    explicit Running(Counters& c) : counters(c) { counters.requests_running.fetch_add(1, std::memory_order_relaxed); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { counters.requests_running.fetch_sub(1, std::memory_order_relaxed); }
  };
  std::optional<Running> running(std::in_place, shard_.counters());

  Exchange exchange{shard_, request, peer_};
  Decision decision = co_await decide(exchange);
  if (auto* ticket = std::get_if<UpgradeTicket>(&decision)) {
    upgrade(std::move(*ticket));
    co_return Next::end;
  }
  if (auto* refusal = std::get_if<HttpAnswer>(&decision)) {
    // A body that nobody will read ends the connection, and so does a refused upgrade: what follows it
    // was meant for another protocol and must not be taken for a request.
    if (!keep_alive || !parser.is_done() || header(request, "Upgrade")) refusal->after = After::close;
    co_return co_await answer(std::move(*refusal), version, wanted);
  }

  PublishTicket& ticket = std::get<PublishTicket>(decision);
  const bool fits = parser.content_length().value_or(0) <= shard_.config().max_body_bytes;
  if (fits && expects_continue && input_.empty()) {
    constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
    error_code seen_by_the_body;
    co_await boost::asio::async_write(stream_, boost::asio::buffer(k_continue),
                                      boost::asio::redirect_error(use_awaitable, seen_by_the_body));
  }
  running.reset();
  std::optional<HttpAnswer> refused;
  if (fits) {
    refused = co_await read_body(parser);
  } else {
    refused = too_large();
  }
  running.emplace(shard_.counters());
  if (refused) {
    refused->after = After::close;
    refused->fields.insert(refused->fields.end(), ticket.fields.begin(), ticket.fields.end());
    co_return co_await answer(std::move(*refused), version, wanted);
  }
  HttpAnswer published = co_await publish_body(shard_, std::move(ticket), content_type, std::move(parser.get().body()));
  if (!keep_alive) published.after = After::close;
  co_return co_await answer(std::move(published), version, wanted);
}

awaitable<Connection::Next> Connection::pass_on(std::size_t head_bytes) {
  if (!std::exchange(no_delay_, true)) {
    error_code ignored_if_gone;
    stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored_if_gone);
  }
  ProxyResult result = co_await proxy_request(ProxyClient{shard_, stream_, input_, peer_}, head_bytes);
  switch (result.end) {
    case ProxyResult::End::kept:
      co_return Next::request;
    case ProxyResult::End::closes:
      co_await linger();
      co_return Next::end;
    case ProxyResult::End::refused:
      co_return co_await answer(std::move(result.refusal), result.version, result.wanted);
    case ProxyResult::End::dropped:
      break;
  }
  // Without close_notify, so that an answer that ends with the connection is seen to be cut off.
  stream_.close(net::TlsStream::CloseMode::graceful);
  co_return Next::end;
}

void Connection::upgrade(UpgradeTicket ticket) {
  cancel();
  error_code ignored_if_gone;
  stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored_if_gone);
  ticket.opening.peer = peer_.address().to_string() + ":" + std::to_string(peer_.port());
  ticket.opening.permit = std::move(permit_);
  auto session = std::make_shared<Session>(shard_, std::move(stream_), std::move(ticket.opening));
  shard_.add(session);
  session->start(ticket.response, input_);
  // The drain began while this upgrade was on its way.
  if (shard_.draining()) session->close_after_due(1012, "restart");
  // So did a change of the users, whose recheck has not met this session.
  if (!shard_.services().authenticator.still_valid(session->identity())) session->close(4001, "credentials changed");
}

// The coroutine that owns the connection; it lives as long as the frame of this.
awaitable<void> serve(std::shared_ptr<Connection> connection) { co_await connection->run(); }

// What a coroutine lets escape: nothing by design, so it is logged as a fault.
struct LogEscaped {
  Shard& shard;
  void operator()(std::exception_ptr escaped) const {
    if (!escaped) return;
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& fault) {
      shard.log().error("a connection ended by a fault", {{"what", fault.what()}});
    }
  }
};

}  // namespace

void start_connection(Shard& shard, net::TcpSocket socket) {
  error_code gone;
  const auto peer = socket.remote_endpoint(gone);
  if (gone) return;
  Admission::Permit permit = shard.services().admission.admit(peer.address());
  if (!permit) {
    shard.counters().connections_refused.fetch_add(1, std::memory_order_relaxed);
    error_code ignored;
    socket.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    return;
  }
  auto connection = std::make_shared<Connection>(shard, std::move(socket), std::move(permit));
  boost::asio::co_spawn(shard.context(), serve(std::move(connection)), LogEscaped{shard});
}

}  // namespace clawws::server
