#include "clawws/server/routes.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/verb.hpp>

#include "clawws/base/text.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/server/await.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/http_gate.hpp"
#include "clawws/wire/query.hpp"
#include "routes_detail.hpp"

namespace clawws::server {

namespace http = boost::beast::http;
using base::Errc;
using base::Result;
using boost::asio::awaitable;
using namespace routes;

namespace routes {

HttpAnswer with_field(HttpAnswer answer, std::string name, std::string value) {
  answer.fields.emplace_back(std::move(name), std::move(value));
  return answer;
}

HttpAnswer method_not_allowed(std::string allowed) {
  return with_field(error_answer(405, "method_not_allowed", "This path takes " + allowed), "Allow", allowed);
}

namespace {

// A browser shows its password prompt for "Basic". It should when a person opened the page, and
// should not when a script of the page asked; those say so with Sec-Fetch-Mode.
HttpAnswer unauthorized(const HttpRequest& request) {
  const auto mode = header(request, "Sec-Fetch-Mode");
  const bool prompts = !mode || *mode == "navigate";
  return with_field(error_answer(401, "unauthorized", "User name and password are needed, and these are none or wrong"), "WWW-Authenticate",
                    prompts ? "Basic realm=\"Dashboard\"" : "ClawwsBasic realm=\"Dashboard\"");
}

}  // namespace

awaitable<Admitted> authenticate(Exchange exchange, std::optional<std::string_view> subprotocols) {
  Services& services = exchange.shard.services();
  const Presented presented = credentials_from(subprotocols, header(exchange.request, "Authorization"));
  if (presented.kind == Presented::Kind::none || presented.kind == Presented::Kind::malformed) {
    services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
    co_return unauthorized(exchange.request);
  }
  const std::string address = services.proxies.client_address(exchange.peer.address(),
                                                               header(exchange.request, "X-Forwarded-For"));
  const auto answer = std::make_shared<Answer<AuthOutcome>>(exchange.shard.context().get_executor());
  services.authenticator.verify(presented, address, answer->callback());
  AuthOutcome outcome = co_await answer->wait();
  switch (outcome.kind) {
    case AuthOutcome::Kind::accepted:
      co_return std::move(outcome.identity);
    case AuthOutcome::Kind::busy:
      co_return with_field(error_answer(503, "unavailable", "Too many logins at once"), "Retry-After", "1");
    case AuthOutcome::Kind::limited:
      services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
      services.log.debug("login limited", {{"peer", address}});
      co_return with_field(error_answer(429, "rate_limited", "Too many failed logins"), "Retry-After",
                           std::to_string(outcome.retry_after.count()));
    case AuthOutcome::Kind::refused:
      break;
  }
  services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
  co_return unauthorized(exchange.request);
}

HttpAnswer forbidden_origin() {
  return error_answer(403, "forbidden", "This Origin may not connect; the server lists those that may as --origin");
}

bool origin_allowed(const Exchange& exchange) {
  return exchange.shard.services().origins.allows(header(exchange.request, "Origin"),
                                                  header(exchange.request, "Host").value_or(""));
}

bool is_bodiless(const HttpRequest& request) {
  const std::string_view length = header(request, "Content-Length").value_or("0");
  return length.find_first_not_of('0') == std::string_view::npos && !header(request, "Transfer-Encoding");
}

Result<Session::Opening> opening_from(const wire::SubscribeQuery& query) {
  Session::Opening opening;
  if (query.types) {
    Result<wire::Filter> filter = wire::Filter::from_globs(*query.types);
    if (!filter) return base::Error(filter.error().code, "types: " + filter.error().message());
    opening.filter = std::move(*filter);
  }
  if (query.since && query.last) return base::Error(Errc::bad_position, "give since or last, not both");
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
    return with_field(error_answer(503, "unavailable", services.draining ? "The server is stopping"
                                                                         : "Too many clients"),
                      "Retry-After", "1");
  }
  if (!shard.has_room_for(filter, frames)) return error_answer(503, "unavailable", "Too many different filters are in use");
  return std::nullopt;
}

awaitable<std::optional<HttpAnswer>> locate(Shard& shard, StartRequest& start, wire::Filter filter) {
  if (!start.needs_locating()) co_return std::nullopt;
  const auto found = std::make_shared<Answer<Result<std::uint64_t>>>(shard.context().get_executor());
  if (start.last) {
    shard.hub().locate_last(*start.last, std::move(filter), found->callback());
  } else {
    shard.hub().locate_time(start.since.unix_millis, found->callback());
  }
  const Result<std::uint64_t> located = co_await found->wait();
  if (!located) co_return with_field(error_answer(503, "unavailable", located.error().message()), "Retry-After", "1");
  start.located = *located;
  co_return std::nullopt;
}

}  // namespace routes

namespace {

constexpr std::string_view k_websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3

std::string_view std_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool has_token(const HttpRequest& request, std::string_view name, std::string_view token) {
  const auto value = header_list(request, name);
  if (!value) return false;
  for (const std::string_view item : wire::header_list(*value)) {
    if (base::iequals(item, token)) return true;
  }
  return false;
}

// ---- GET /ws ------------------------------------------------------------------------------------

// What is wrong with the upgrade request itself, before anybody's credentials are looked at.
std::optional<HttpAnswer> upgrade_fault(const HttpRequest& request) {
  if (request.method() != http::verb::get) return method_not_allowed("GET");
  if (request.version() != 11) return error_answer(400, "bad_request", "A WebSocket needs HTTP/1.1");
  if (!has_token(request, "Connection", "upgrade") || !has_token(request, "Upgrade", "websocket")) {
    return with_field(
        with_field(error_answer(426, "upgrade_required", "This path is a WebSocket"), "Upgrade", "websocket"),
        "Connection", "Upgrade");
  }
  const auto version = header(request, "Sec-WebSocket-Version");
  if (!version) return error_answer(400, "bad_request", "Sec-WebSocket-Version is missing");
  if (*version != "13") {
    return with_field(error_answer(426, "upgrade_required", "Only version 13 is spoken"), "Sec-WebSocket-Version",
                      "13");
  }
  if (!wire::is_websocket_key(header(request, "Sec-WebSocket-Key").value_or(""))) {
    return error_answer(400, "bad_request", "Sec-WebSocket-Key is not 16 bytes in base64");
  }
  if (!is_bodiless(request)) return error_answer(400, "bad_request", "An upgrade request has no body");
  return std::nullopt;
}

std::string switching_protocols(std::string_view key, const Subprotocol& subprotocol) {
  std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nServer: clawws\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      base::base64_encode(net::sha1(std::string(key).append(k_websocket_guid))) + "\r\n";
  if (!subprotocol.name().empty()) {
    response += "Sec-WebSocket-Protocol: " + std::string(subprotocol.name()) + "\r\n";
  }
  return response + "\r\n";
}

// Whom a ticket lets in. It beats all other credentials: who shows one means it.
Admitted redeem(const Exchange& exchange, std::string_view ticket) {
  if (ticket.empty()) return unauthorized(exchange.request);
  Services& services = exchange.shard.services();
  auto identity = services.tickets.redeem(ticket, header(exchange.request, "Origin").value_or(""), base::SteadyClock::now());
  if (identity && services.authenticator.still_valid(*identity)) return std::move(*identity);
  services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
  return error_answer(401, "unauthorized", "This ticket is not known, was used, or is older than 30 s; ask for another one");
}

awaitable<Decision> decide_upgrade(Exchange exchange, std::string_view query_text) {
  const HttpRequest& request = exchange.request;
  Shard& shard = exchange.shard;
  if (auto fault = upgrade_fault(request)) co_return std::move(*fault);
  if (!origin_allowed(exchange)) co_return forbidden_origin();

  const Result<wire::SubscribeQuery> query = wire::parse_subscribe_query(query_text);
  Result<Session::Opening> opening =
      query ? opening_from(*query) : Result<Session::Opening>(query.error());
  if (!opening) co_return bad_query(opening.error());

  const auto offered = header_list(request, "Sec-WebSocket-Protocol");
  const Subprotocol subprotocol = negotiate_subprotocol(offered);
  Admitted admitted = redeem(exchange, query->ticket.value_or(""));
  if (!query->ticket) {
    Admitted by_credentials = co_await authenticate(exchange, offered);
    admitted = std::move(by_credentials);
  }
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  if (subprotocol.answer == Subprotocol::Answer::refuse) {
    co_return error_answer(400, "bad_request", "Of Sec-WebSocket-Protocol, clawws.v1 and clawpanel are spoken");
  }
  opening->identity = std::move(std::get<Identity>(admitted));
  opening->dialect = subprotocol.answer == Subprotocol::Answer::clawpanel ? Dialect::clawpanel : Dialect::clawws_v1;

  std::optional<HttpAnswer> full = no_room(shard, opening->filter);
  if (full) co_return std::move(*full);
  std::optional<HttpAnswer> away = co_await locate(shard, opening->start, opening->filter);
  if (away) co_return std::move(*away);
  std::string response =
      switching_protocols(header(request, "Sec-WebSocket-Key").value_or(""), subprotocol);
  co_return UpgradeTicket{std::move(*opening), std::move(response)};
}

// ---- POST /clawws/events ------------------------------------------------------------------------

std::optional<PublishTicket::Form> form_of(const HttpRequest& request) {
  const std::string_view type = header(request, "Content-Type").value_or("");
  const std::string media = base::to_lower(base::trim(type.substr(0, type.find(';'))));
  if (media == "application/json") return PublishTicket::Form::json;
  if (media == "application/x-ndjson") return PublishTicket::Form::ndjson;
  return std::nullopt;
}

bool is_idempotency_key(std::string_view key) {
  if (key.empty() || key.size() > 128) return false;
  for (const char c : key) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return true;
}

awaitable<Decision> decide_publish(Exchange exchange) {
  const HttpRequest& request = exchange.request;
  if (!origin_allowed(exchange)) co_return forbidden_origin();
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  Identity& identity = std::get<Identity>(admitted);
  if (!identity.may_publish) {
    co_return error_answer(403, "forbidden", "This user may not publish; the server lists those who may as --publisher");
  }
  PublishTicket ticket;
  const auto form = form_of(request);
  if (!form) {
    co_return error_answer(415, "unsupported_type", "Content-Type must be application/json or application/x-ndjson");
  }
  ticket.form = *form;
  if (const auto key = header(request, "Idempotency-Key")) {
    if (!is_idempotency_key(*key)) {
      co_return error_answer(400, "bad_request", "Idempotency-Key must be 1 to 128 visible ASCII characters");
    }
    ticket.idempotency_key = std::string(*key);
  }
  ticket.user = std::move(identity.user);
  co_return ticket;
}

HttpAnswer refused_events(const wire::EventProblem& problem) {
  const base::ErrorInfo& info = base::info(problem.code);
  return error_answer(info.http_status, info.word, problem.message, ",\"path\":" + wire::json_string(problem.path));
}

HttpAnswer publish_failure(const base::Error& error) {
  const base::ErrorInfo& info = base::info(error.code);
  HttpAnswer answer = error_answer(info.http_status != 0 ? info.http_status : 500, info.word, error.message());
  if (info.http_status == 429 || info.http_status == 503 || info.http_status == 507) {
    return with_field(std::move(answer), "Retry-After", "1");
  }
  return answer;
}

// ---- the small ones -----------------------------------------------------------------------------

HttpAnswer probe(const HttpRequest& request, const char* word, unsigned status) {
  if (request.method() != http::verb::get && request.method() != http::verb::head) return method_not_allowed("GET, HEAD");
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::string("{\"status\":\"") + word + "\"}\n";
  return answer;
}

// What stands here for a person: the dashboard in a browser, elsewhere where the events are and how to see them.
awaitable<Decision> overview(Exchange exchange) {
  if (!origin_allowed(exchange)) co_return forbidden_origin();
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  if (wants_html(exchange.request)) co_return dashboard(exchange.request);
  Services& services = exchange.shard.services();
  const hub::StoreFacts facts = exchange.shard.hub().facts();
  const std::string host(header(exchange.request, "Host").value_or("localhost"));
  HttpAnswer answer;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = services.server_name + ": live events over WSS\n\n" +
                "events      wss://" + host + "/ws\n" +
                "publish     POST https://" + host + "/clawws/events\n" +
                "watch       clawws tail wss://" + host + "\n\n" +
                "position    " + facts.epoch + ":" + std::to_string(facts.newest) + "\n" +
                "kept        " + base::format_count(facts.newest + 1 - std::min(facts.oldest, facts.newest + 1)) +
                " events\n" +
                "clients     " + base::format_count(services.counters.sessions_open) + "\n";
  co_return answer;
}

// ---- POST /clawws/tickets -----------------------------------------------------------------------

awaitable<Decision> give_ticket(Exchange exchange) {
  if (!origin_allowed(exchange)) co_return forbidden_origin();
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  const std::string ticket = exchange.shard.services().tickets.issue(
      std::get<Identity>(admitted), header(exchange.request, "Origin").value_or(""), base::SteadyClock::now());
  HttpAnswer answer;
  answer.body = "{\"ticket\":" + wire::json_string(ticket) +
                ",\"expiresIn\":" + std::to_string(Tickets::k_lifetime.count() / 1'000) + "}\n";
  co_return answer;
}

// ---- GET /clawws/state --------------------------------------------------------------------------

awaitable<Decision> tell_state(Exchange exchange) {
  if (!origin_allowed(exchange)) co_return forbidden_origin();
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  const auto told = std::make_shared<Answer<std::shared_ptr<const std::string>>>(exchange.shard.context().get_executor());
  exchange.shard.hub().state(told->callback());
  const std::shared_ptr<const std::string> text = co_await told->wait();
  HttpAnswer answer;
  answer.body = *text + "\n";
  co_return answer;
}

// ---- pages of other origins ---------------------------------------------------------------------

// What lets a page of another, allowed origin read the answer (Fetch standard, section 3.2.3).
std::vector<std::pair<std::string, std::string>> cors_fields(const Exchange& exchange) {
  const auto origin = header(exchange.request, "Origin");
  if (!origin) return {};
  if (!origin_allowed(exchange)) return {{"Vary", "Origin"}};
  return {{"Access-Control-Allow-Origin", std::string(*origin)},
          {"Access-Control-Allow-Credentials", "true"},
          {"Access-Control-Expose-Headers", "Retry-After"},
          {"Vary", "Origin"}};
}

// A preflight carries no credentials, so it is answered before anybody asks for them.
std::optional<HttpAnswer> preflight(const Exchange& exchange) {
  if (exchange.request.method() != http::verb::options || !header(exchange.request, "Access-Control-Request-Method")) {
    return std::nullopt;
  }
  if (!header(exchange.request, "Origin") || !origin_allowed(exchange)) return forbidden_origin();
  HttpAnswer answer;
  answer.status = 204;
  answer.fields = {{"Access-Control-Allow-Methods", "GET, HEAD, POST"},
                   {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"},
                   {"Access-Control-Max-Age", "600"}};
  return answer;
}

awaitable<Decision> decide_path(Exchange exchange) {
  const HttpRequest& request = exchange.request;
  const std::string_view target_text = std_view(request.target());
  const wire::PathOwner owner = wire::path_owner(target_text);
  const wire::Target target = wire::split_target(target_text);
  if (owner == wire::PathOwner::invalid) {
    co_return error_answer(400, "bad_request", "The path is not in its normal form");
  }
  if (owner == wire::PathOwner::websocket) co_return co_await decide_upgrade(exchange, target.query);
  const bool reads = request.method() == http::verb::get || request.method() == http::verb::head;
  if (target.path == "/clawws/events") {
    if (reads) co_return co_await decide_events(exchange, target.query);
    if (request.method() != http::verb::post) co_return method_not_allowed("GET, HEAD, POST");
    co_return co_await decide_publish(exchange);
  }
  if (target.path == "/clawws/health") co_return probe(request, "ok", 200);
  if (target.path == "/clawws/ready") {
    const bool ready = exchange.shard.services().ready && exchange.shard.hub().store().writable();
    co_return probe(request, ready ? "ready" : "not_ready", ready ? 200 : 503);
  }
  if (target.path == "/clawws/") {
    if (!reads) co_return method_not_allowed("GET, HEAD");
    co_return co_await overview(exchange);
  }
  if (target.path == "/clawws/tickets") {
    if (request.method() != http::verb::post) co_return method_not_allowed("POST");
    co_return co_await give_ticket(exchange);
  }
  if (target.path == "/clawws/state") {
    if (!reads) co_return method_not_allowed("GET, HEAD");
    co_return co_await tell_state(exchange);
  }
  constexpr std::string_view k_own = "/clawws/";
  if (target.path.starts_with(k_own)) {
    if (auto file = web_file(request, target.path.substr(k_own.size()))) {
      if (!reads) co_return method_not_allowed("GET, HEAD");
      co_return std::move(*file);
    }
  }
  if (target.path == "/" && reads) {
    HttpAnswer answer;
    answer.status = 302;
    answer.body = "{\"location\":\"/clawws/\"}\n";
    co_return with_field(std::move(answer), "Location", "/clawws/");
  }
  co_return error_answer(404, "not_found", "");
}

}  // namespace

awaitable<Decision> decide(Exchange exchange) {
  if (!std_view(exchange.request.target()).starts_with("/clawws/")) co_return co_await decide_path(exchange);
  Decision decision = HttpAnswer();
  if (auto answer = preflight(exchange)) {
    decision = std::move(*answer);
  } else {
    Decision decided = co_await decide_path(exchange);
    decision = std::move(decided);
  }
  auto fields = cors_fields(exchange);
  if (auto* answer = std::get_if<HttpAnswer>(&decision)) {
    answer->fields.insert(answer->fields.end(), fields.begin(), fields.end());
  } else if (auto* ticket = std::get_if<PublishTicket>(&decision)) {
    ticket->fields = std::move(fields);
  } else {
    std::string& head = std::get<UpgradeTicket>(decision).response;
    for (const auto& [name, value] : fields) head.insert(head.size() - 2, name + ": " + value + "\r\n");
  }
  co_return decision;
}

namespace {

awaitable<HttpAnswer> publish_text(Shard& shard, const PublishTicket& ticket, std::string content_type, std::string body) {
  const wire::EventRules& rules = shard.config().event_rules;
  const std::int64_t now = base::unix_millis();
  wire::ParseResult parsed = ticket.form == PublishTicket::Form::json ? wire::parse_events_json(body, rules, now)
                                                                      : wire::parse_events_ndjson(body, rules, now);
  if (!parsed) co_return refused_events(parsed.error());
  const std::size_t count = parsed->events.size();

  std::optional<hub::IdempotencyKey> key;
  if (ticket.idempotency_key) {
    key = hub::IdempotencyKey{ticket.user, *ticket.idempotency_key, net::sha256(content_type + '\n' + body)};
  }
  const auto stored = std::make_shared<Answer<Result<hub::Receipt>>>(shard.context().get_executor());
  shard.hub().publish(std::move(parsed->events), std::move(key), stored->callback());
  const Result<hub::Receipt> receipt = co_await stored->wait();
  if (!receipt) co_return publish_failure(receipt.error());

  const bool repeated = receipt->novelty == hub::Receipt::Novelty::repeated;
  if (!repeated) shard.counters().events_published.fetch_add(count, std::memory_order_relaxed);
  HttpAnswer answer;
  answer.status = repeated ? 200 : 201;
  answer.body = "{\"epoch\":" + wire::json_string(shard.epoch()) + ",\"first\":" + std::to_string(receipt->first) +
                ",\"last\":" + std::to_string(receipt->last) + ",\"count\":" + std::to_string(count) +
                ",\"durability\":" + wire::json_string(shard.hub().store().durability());
  if (!parsed->warnings.empty()) {
    answer.body += ",\"warnings\":[";
    for (std::size_t i = 0; i < parsed->warnings.size(); ++i) {
      answer.body += (i == 0 ? "" : ",") + wire::json_string(parsed->warnings[i]);
    }
    answer.body += "]";
  }
  answer.body += "}\n";
  co_return answer;
}

}  // namespace

awaitable<HttpAnswer> publish_body(Shard& shard, PublishTicket ticket, std::string content_type, std::string body) {
  HttpAnswer answer = co_await publish_text(shard, ticket, std::move(content_type), std::move(body));
  answer.fields.insert(answer.fields.end(), ticket.fields.begin(), ticket.fields.end());
  co_return answer;
}

}  // namespace clawws::server
