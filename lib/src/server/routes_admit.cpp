// Who asks, and whether they may: what all routes begin with.
#include <boost/asio/use_awaitable.hpp>

#include "clawws/base/text.hpp"
#include "clawws/server/await.hpp"
#include "routes_detail.hpp"

namespace clawws::server::routes {

using base::Errc;
using base::Result;
using boost::asio::awaitable;

namespace {
constexpr std::string_view k_wrong_credentials =
    "User name or password is missing or wrong";
}  // namespace

HttpAnswer with_field(HttpAnswer answer, std::string name, std::string value) {
  answer.fields.emplace_back(std::move(name), std::move(value));
  return answer;
}

HttpAnswer method_not_allowed(std::string allowed) {
  return with_field(error_answer(405, "method_not_allowed", "This path takes " + allowed), "Allow",
                    allowed);
}

// A browser shows its password prompt for "Basic". It should when a person opened the page, and
// should not when a script of the page asked; those say so with Sec-Fetch-Mode.
HttpAnswer unauthorized(const HttpRequest& request, std::string_view why) {
  const auto mode = header(request, "Sec-Fetch-Mode");
  const bool prompts = !mode || *mode == "navigate";
  return with_field(error_answer(401, "unauthorized", why), "WWW-Authenticate",
                    prompts ? "Basic realm=\"Dashboard\"" : "ClawwsBasic realm=\"Dashboard\"");
}

awaitable<Admitted> authenticate(Exchange exchange, std::optional<std::string_view> subprotocols) {
  Services& services = exchange.shard.services();
  const Presented presented =
      credentials_from(subprotocols, header(exchange.request, "Authorization"));
  if (presented.kind == Presented::Kind::none || presented.kind == Presented::Kind::malformed) {
    services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
    co_return unauthorized(exchange.request, k_wrong_credentials);
  }
  const std::string address = services.proxies.client_address(
      exchange.peer.address(), header(exchange.request, "X-Forwarded-For"));
  const auto answer =
      std::make_shared<Answer<AuthOutcome>>(exchange.shard.context().get_executor());
  services.authenticator.verify(presented, address, answer->callback());
  AuthOutcome outcome = co_await answer->wait();
  switch (outcome.kind) {
    case AuthOutcome::Kind::accepted:
      co_return std::move(outcome.identity);
    case AuthOutcome::Kind::busy:
      co_return with_field(error_answer(503, "unavailable", "Too many logins at once"),
                           "Retry-After", "1");
    case AuthOutcome::Kind::away:
      co_return with_field(error_answer(503, "unavailable",
                                        "The application that knows the users gives no clear answer; try again"),
                           "Retry-After", "1");
    case AuthOutcome::Kind::limited:
      services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
      services.log.debug("login limited", {{"peer", address}});
      co_return with_field(error_answer(429, "rate_limited", "Too many failed logins"),
                           "Retry-After", std::to_string(outcome.retry_after.count()));
    case AuthOutcome::Kind::refused:
      break;
  }
  services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
  co_return unauthorized(exchange.request, k_wrong_credentials);
}

HttpAnswer forbidden_origin(const Exchange& exchange) {
  Services& services = exchange.shard.services();
  if (const auto origin = header(exchange.request, "Origin")) {
    const std::string address = services.proxies.client_address(
        exchange.peer.address(), header(exchange.request, "X-Forwarded-For"));
    services.refused_origins.refused(*origin, address, base::SteadyClock::now(), services.log);
  }
  return error_answer(403, "forbidden",
                      "This Origin may not connect; the server lists those that may as --origin");
}

bool origin_allowed(const Exchange& exchange) {
  return exchange.shard.services().origins.allows(header(exchange.request, "Origin"),
                                                  header(exchange.request, "Host").value_or(""));
}

bool is_bodiless(const HttpRequest& request) {
  const std::string_view length = header(request, "Content-Length").value_or("0");
  return length.find_first_not_of('0') == std::string_view::npos &&
         !header(request, "Transfer-Encoding");
}

Result<Session::Opening> opening_from(const wire::SubscribeQuery& query) {
  Session::Opening opening;
  if (query.types) {
    Result<wire::Filter> filter = wire::Filter::from_globs(*query.types);
    if (!filter) return base::Error(filter.error().code, "types: " + filter.error().message());
    opening.filter = std::move(*filter);
  }
  if (query.since && query.last)
    return base::Error(Errc::bad_position, "give since or last, not both");
  if (query.since) {
    Result<wire::Since> since = wire::parse_since(*query.since);
    if (!since) return base::Error(since.error().code, "since: " + since.error().message());
    opening.start.since = std::move(*since);
  }
  opening.start.last = query.last;
  return opening;
}

HttpAnswer bad_query(const base::Error& error) {
  return error_answer(400, base::info(error.code).word, error.message());
}

std::optional<HttpAnswer> no_room(Shard& shard, const wire::Filter& filter, Shard::Frames frames) {
  Services& services = shard.services();
  if (services.draining || services.counters.sessions_open >= services.config.max_clients) {
    services.counters.connections_refused.fetch_add(1, std::memory_order_relaxed);
    return with_field(
        error_answer(503, "unavailable",
                     services.draining ? "The server is stopping" : "Too many clients"),
        "Retry-After", "1");
  }
  if (!shard.has_room_for(filter, frames))
    return error_answer(503, "unavailable", "Too many different filters are in use");
  return std::nullopt;
}

awaitable<std::optional<HttpAnswer>> locate(Shard& shard, StartRequest& start,
                                            wire::Filter filter) {
  if (!start.needs_locating()) co_return std::nullopt;
  const auto found =
      std::make_shared<Answer<Result<std::uint64_t>>>(shard.context().get_executor());
  if (start.last) {
    shard.hub().locate_last(*start.last, std::move(filter), found->callback());
  } else {
    shard.hub().locate_time(start.since.unix_millis, found->callback());
  }
  const Result<std::uint64_t> located = co_await found->wait();
  if (!located)
    co_return with_field(error_answer(503, "unavailable", located.error().message()), "Retry-After",
                         "1");
  start.located = *located;
  co_return std::nullopt;
}

}  // namespace clawws::server::routes
