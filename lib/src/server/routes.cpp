#include "clawws/server/routes.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/verb.hpp>

#include "clawws/base/text.hpp"
#include "clawws/server/await.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/http_gate.hpp"
#include "routes_detail.hpp"

namespace clawws::server {

namespace http = boost::beast::http;
using boost::asio::awaitable;
using namespace routes;

namespace {

std::string_view std_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// ---- the small ones -----------------------------------------------------------------------------

HttpAnswer probe(const HttpRequest& request, const char* word, unsigned status) {
  if (request.method() != http::verb::get && request.method() != http::verb::head)
    return method_not_allowed("GET, HEAD");
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::string("{\"status\":\"") + word + "\"}\n";
  return answer;
}

// What stands here for a person: the dashboard in a browser, elsewhere where the events are and how
// to see them.
awaitable<Decision> overview(Exchange exchange) {
  if (!origin_allowed(exchange)) co_return forbidden_origin(exchange);
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  // Both stand under one name, so that a cache must not mistake one for the other.
  if (wants_html(exchange.request))
    co_return with_field(dashboard(exchange.request), "Vary", "Accept");
  Services& services = exchange.shard.services();
  const hub::StoreFacts facts = exchange.shard.hub().facts();
  const std::string host(header(exchange.request, "Host").value_or("localhost"));
  HttpAnswer answer;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = services.server_name + ": live events over WSS\n\n" + "dashboard   https://" + host +
                "/clawws/\n" + "events      wss://" + host + "/ws\n" + "publish     POST https://" +
                host + "/clawws/events\n" +
                "watch       clawws tail wss://" + host + "\n\n" + "position    " + facts.epoch +
                ":" + std::to_string(facts.newest) + "\n" + "kept        " +
                base::format_count(facts.newest + 1 - std::min(facts.oldest, facts.newest + 1)) +
                " events\n" + "clients     " + base::format_count(services.counters.sessions_open) +
                "\n";
  co_return with_field(std::move(answer), "Vary", "Accept");
}

// ---- POST /clawws/tickets -----------------------------------------------------------------------

awaitable<Decision> give_ticket(Exchange exchange) {
  if (!origin_allowed(exchange)) co_return forbidden_origin(exchange);
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  const std::string ticket = exchange.shard.services().tickets.issue(
      std::get<Identity>(admitted), header(exchange.request, "Origin").value_or(""),
      base::SteadyClock::now());
  HttpAnswer answer;
  answer.body = "{\"ticket\":" + wire::json_string(ticket) +
                ",\"expiresIn\":" + std::to_string(Tickets::k_lifetime.count() / 1'000) + "}\n";
  co_return answer;
}

// ---- GET /clawws/state --------------------------------------------------------------------------

awaitable<Decision> tell_state(Exchange exchange) {
  if (!origin_allowed(exchange)) co_return forbidden_origin(exchange);
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  const auto told = std::make_shared<Answer<std::shared_ptr<const std::string>>>(
      exchange.shard.context().get_executor());
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
  if (!origin || !origin_allowed(exchange)) return {{"Vary", "Origin"}};
  return {{"Access-Control-Allow-Origin", std::string(*origin)},
          {"Access-Control-Allow-Credentials", "true"},
          {"Access-Control-Expose-Headers", "Retry-After"},
          {"Vary", "Origin"}};
}

// A preflight carries no credentials, so it is answered before anybody asks for them.
std::optional<HttpAnswer> preflight(const Exchange& exchange) {
  if (exchange.request.method() != http::verb::options ||
      !header(exchange.request, "Access-Control-Request-Method")) {
    return std::nullopt;
  }
  if (!header(exchange.request, "Origin") || !origin_allowed(exchange)) return forbidden_origin(exchange);
  HttpAnswer answer;
  answer.status = 204;
  answer.fields = {{"Access-Control-Allow-Methods", "GET, HEAD, POST"},
                   {"Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"},
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
  if (owner == wire::PathOwner::websocket)
    co_return co_await decide_upgrade(exchange, target.query);
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
  if ((target.path == "/" || target.path == "/clawws") && reads) {
    HttpAnswer answer;
    answer.status = 302;
    answer.body = "{\"location\":\"/clawws/\"}\n";
    co_return with_field(std::move(answer), "Location", "/clawws/");
  }
  co_return error_answer(404, "not_found", "");
}

}  // namespace

awaitable<Decision> decide(Exchange exchange) {
  if (!std_view(exchange.request.target()).starts_with("/clawws/"))
    co_return co_await decide_path(exchange);
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
    for (const auto& [name, value] : fields)
      head.insert(head.size() - 2, name + ": " + value + "\r\n");
  }
  co_return decision;
}

}  // namespace clawws::server
