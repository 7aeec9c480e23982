#include "clawws/server/upstream.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"

namespace clawws::server {

namespace asio = net::asio;
using asio::awaitable;
using asio::use_awaitable;
using base::Errc;
using base::Error;
using base::Result;
using base::SteadyClock;
using net::error_code;

namespace {
constexpr base::Millis k_connect_timeout{5'000};
constexpr base::Millis k_longest_idle{30'000};
constexpr base::Millis k_sweep_interval{1'000};
constexpr base::Millis k_names_hold{10'000};
constexpr std::size_t k_most_kept = 64;
constexpr std::size_t k_kept_input_bytes = 4 * 1024;  // of a buffer that a large answer has grown
}  // namespace

namespace {
net::ClientTlsConfig tls_of(const ServerConfig& config) {
  net::ClientTlsConfig tls;
  tls.ca_file = config.upstream_cacert;
  tls.ca_option = "--upstream-cacert";
  return tls;
}
}  // namespace

Upstream::Upstream(net::Url url, base::Logger& log)
    : url_(std::move(url)),
      authority_(url_.authority()),
      via_name_("clawws-" + base::hex_encode(base::random_bytes(8))),
      log_(log) {}

Result<void> Upstream::check(const ServerConfig& config) {
  if (!config.upstream || config.upstream->scheme != "https") return {};
  const auto context = net::make_client_context(tls_of(config));
  if (!context)
    return Error(context.error().code, "--upstream-cacert: " + context.error().message());
  return {};
}

Result<std::shared_ptr<Upstream>> Upstream::from(const ServerConfig& config, base::Logger& log) {
  if (const Result<void> usable = check(config); !usable) return usable.error();
  std::shared_ptr<Upstream> made(new Upstream(*config.upstream, log));
  if (made->url_.scheme == "https") {
    made->tls_ = tls_of(config);
    made->context_ = *net::make_client_context(made->tls_);
  }
  return made;
}

void Upstream::goes_round() {
  if (!round_pace_.due(SteadyClock::now())) return;
  log_.warning("a request for the upstream came back here: it goes round",
               {{"upstream", authority_}, {"hint", "--upstream must lead to the application"}});
}

void Upstream::is_away(const std::string& why) {
  if (away_.exchange(true, std::memory_order_relaxed)) return;
  log_.warning("the upstream does not answer", {{"upstream", authority_}, {"why", why}});
}

void Upstream::is_back() {
  if (!away_.load(std::memory_order_relaxed) || !away_.exchange(false, std::memory_order_relaxed))
    return;
  log_.info("the upstream answers again", {{"upstream", authority_}});
}

UpstreamPool::UpstreamPool(net::Executor executor, Upstream& upstream)
    : executor_(executor), upstream_(upstream), sweeping_(executor), looked_up_(executor) {
  looked_up_.expires_at(asio::steady_timer::time_point::max());
}

// ---- connections that are kept ------------------------------------------------------------------

namespace {
// Nothing may have come while nobody asked: a byte or an end means that the other side is done with
// it.
bool is_quiet(UpstreamLink& link) {
  char byte;
  return link.stream.read_now(&byte, 1).status == net::IoStatus::want_read;
}
}  // namespace

std::unique_ptr<UpstreamLink> UpstreamPool::take_kept(base::Millis idle_at_most) {
  const base::SteadyTime now = SteadyClock::now();
  while (!kept_.empty() && now - kept_.back()->idle_since <= idle_at_most) {
    std::unique_ptr<UpstreamLink> link = std::move(kept_.back());
    kept_.pop_back();
    if (now < link->idle_until && is_quiet(*link)) return link;
  }
  return nullptr;
}

void UpstreamPool::put_back(std::unique_ptr<UpstreamLink> link, std::optional<base::Millis> idle) {
  const base::SteadyTime now = SteadyClock::now();
  link->idle_since = now;
  link->idle_until = now + std::min(idle.value_or(k_longest_idle), k_longest_idle);
  link->age = UpstreamLink::Age::kept;
  if (link->input.capacity() > k_kept_input_bytes) link->input = std::string();
  if (kept_.size() >= k_most_kept) kept_.erase(kept_.begin());
  kept_.push_back(std::move(link));
  if (!std::exchange(sweeps_, true)) sweep();
}

// Lets go of those that are too old or that the other side has closed.
void UpstreamPool::sweep() {
  sweeping_.expires_after(k_sweep_interval);
  sweeping_.async_wait([this](const error_code& stopped) {
    if (stopped) return;
    const base::SteadyTime now = SteadyClock::now();
    std::erase_if(kept_,
                  [now](const auto& link) { return now >= link->idle_until || !is_quiet(*link); });
    sweeps_ = !kept_.empty();
    if (sweeps_) sweep();
  });
}

// ---- new connections ----------------------------------------------------------------------------

awaitable<net::Resolved> UpstreamPool::addresses() {
  if (auto known = net::known_addresses(upstream_.url(), {})) {
    net::Resolved numeric;
    numeric.endpoints = std::move(*known);
    co_return numeric;
  }
  if (SteadyClock::now() >= resolved_until_ && !lookup_) {
    lookup_.emplace(
        executor_,
        [host = upstream_.url().host, port = upstream_.url().port] {
          return net::resolve_blocking(host, port);
        },
        [this](net::Resolved found) {
          resolved_ = std::move(found);
          // A name that is not there may be there the next time somebody asks.
          if (!resolved_.endpoints.empty()) resolved_until_ = SteadyClock::now() + k_names_hold;
          lookup_.reset();
          looked_up_.cancel();
        });
  }
  while (lookup_) {
    error_code cancelled_means_found;
    co_await looked_up_.async_wait(asio::redirect_error(use_awaitable, cancelled_means_found));
  }
  co_return resolved_;
}

// What the deadline ends: the socket, while one of the steps waits on it.
struct UpstreamPool::Attempt {
  explicit Attempt(net::Executor executor) : deadline(executor) {}
  net::TcpSocket* socket = nullptr;
  asio::steady_timer deadline;
  bool expired = false;
};

awaitable<Result<net::TcpSocket>> UpstreamPool::connect_tcp(std::shared_ptr<Attempt> attempt) {
  const net::Resolved found = co_await addresses();
  if (found.endpoints.empty()) co_return Error(Errc::connect_failed, found.problem);
  std::string problems;
  for (const auto& endpoint : found.endpoints) {
    if (attempt->expired) break;
    net::TcpSocket socket(executor_);
    error_code failed;
    socket.open(endpoint.protocol(), failed);
    if (!failed) socket.set_option(asio::ip::tcp::no_delay(true), failed);
    if (!failed) {
      attempt->socket = &socket;
      co_await socket.async_connect(endpoint, asio::redirect_error(use_awaitable, failed));
      attempt->socket = nullptr;
    }
    if (!failed && !attempt->expired) co_return std::move(socket);
    problems +=
        (problems.empty() ? "" : "; ") + endpoint.address().to_string() + ": " + failed.message();
  }
  if (attempt->expired)
    co_return Error(Errc::timed_out,
                    "no connection within " + base::format_duration(k_connect_timeout));
  resolved_until_ = {};  // it may have moved
  co_return Error(Errc::connect_failed, "cannot connect to " + problems);
}

awaitable<Result<std::unique_ptr<UpstreamLink>>> UpstreamPool::connect() {
  const auto attempt = std::make_shared<Attempt>(executor_);
  attempt->deadline.expires_after(k_connect_timeout);
  attempt->deadline.async_wait([attempt](const error_code& stopped) {
    if (stopped) return;
    attempt->expired = true;
    error_code nothing_to_cancel;
    if (attempt->socket != nullptr) attempt->socket->cancel(nothing_to_cancel);
  });
  struct Disarm {
    Attempt& attempt;
    ~Disarm() {
      attempt.socket = nullptr;
      attempt.deadline.cancel();
    }
  } disarm{*attempt};

  Result<net::TcpSocket> socket = co_await connect_tcp(attempt);
  if (!socket) co_return socket.error();
  if (!upstream_.tls_context())
    co_return std::make_unique<UpstreamLink>(net::AnyStream(std::move(*socket)));

  net::TlsStream stream(std::move(*socket), upstream_.tls_context(), net::Role::client);
  net::set_expected_host(stream.ssl(), upstream_.url().host);
  attempt->socket = &stream.socket();
  error_code failed;
  co_await stream.async_handshake(asio::redirect_error(use_awaitable, failed));
  attempt->socket = nullptr;
  if (attempt->expired)
    co_return Error(Errc::timed_out, "no TLS within " + base::format_duration(k_connect_timeout));
  if (failed) {
    co_return Error(
        Errc::tls,
        "no TLS: " + (stream.error_detail().empty() ? failed.message() : stream.error_detail()));
  }
  const auto checked =
      net::check_server_certificate(stream.ssl(), upstream_.tls(), upstream_.url().host);
  if (!checked) co_return checked.error();
  co_return std::make_unique<UpstreamLink>(net::AnyStream(std::move(stream)));
}

}  // namespace clawws::server
