// POST /clawws/events: who may, in which form, and what became of it.
#include <boost/asio/use_awaitable.hpp>

#include "clawws/base/text.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/server/await.hpp"
#include "routes_detail.hpp"

namespace clawws::server {

using base::Result;
using boost::asio::awaitable;

namespace routes {

namespace {

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

}  // namespace

awaitable<Decision> decide_publish(Exchange exchange) {
  const HttpRequest& request = exchange.request;
  if (!origin_allowed(exchange)) co_return forbidden_origin(exchange);
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  Identity& identity = std::get<Identity>(admitted);
  if (!identity.may_publish) {
    co_return error_answer(
        403, "forbidden",
        "This user may not publish; the server lists those who may as --publisher");
  }
  PublishTicket ticket;
  const auto form = form_of(request);
  if (!form) {
    co_return error_answer(415, "unsupported_type",
                           "Content-Type must be application/json or application/x-ndjson");
  }
  ticket.form = *form;
  if (const auto key = header(request, "Idempotency-Key")) {
    if (!is_idempotency_key(*key)) {
      co_return error_answer(400, "bad_request",
                             "Idempotency-Key must be 1 to 128 visible ASCII characters");
    }
    ticket.idempotency_key = std::string(*key);
  }
  ticket.user = std::move(identity.user);
  co_return ticket;
}

}  // namespace routes

namespace {

HttpAnswer refused_events(const wire::EventProblem& problem) {
  const base::ErrorInfo& info = base::info(problem.code);
  return error_answer(info.http_status, info.word, problem.message,
                      ",\"path\":" + wire::json_string(problem.path));
}

HttpAnswer publish_failure(const base::Error& error) {
  const base::ErrorInfo& info = base::info(error.code);
  HttpAnswer answer =
      error_answer(info.http_status != 0 ? info.http_status : 500, info.word, error.message());
  if (info.http_status == 429 || info.http_status == 503 || info.http_status == 507) {
    return routes::with_field(std::move(answer), "Retry-After", "1");
  }
  return answer;
}

awaitable<HttpAnswer> publish_text(Shard& shard, const PublishTicket& ticket,
                                   std::string content_type, std::string body) {
  const wire::EventRules& rules = shard.config().event_rules;
  const std::int64_t now = base::unix_millis();
  wire::ParseResult parsed = ticket.form == PublishTicket::Form::json
                                 ? wire::parse_events_json(body, rules, now)
                                 : wire::parse_events_ndjson(body, rules, now);
  if (!parsed) co_return refused_events(parsed.error());
  const std::size_t count = parsed->events.size();

  std::optional<hub::IdempotencyKey> key;
  if (ticket.idempotency_key) {
    key = hub::IdempotencyKey{ticket.user, *ticket.idempotency_key,
                              net::sha256(content_type + '\n' + body)};
  }
  const auto stored =
      std::make_shared<Answer<Result<hub::Receipt>>>(shard.context().get_executor());
  shard.publish(std::move(parsed->events), std::move(key), stored->callback());
  const Result<hub::Receipt> receipt = co_await stored->wait();
  if (!receipt) co_return publish_failure(receipt.error());

  const bool repeated = receipt->novelty == hub::Receipt::Novelty::repeated;
  if (!repeated) shard.counters().events_published.fetch_add(count, std::memory_order_relaxed);
  HttpAnswer answer;
  answer.status = repeated ? 200 : 201;
  answer.body = "{\"epoch\":" + wire::json_string(shard.epoch()) +
                ",\"first\":" + std::to_string(receipt->first) +
                ",\"last\":" + std::to_string(receipt->last) +
                ",\"count\":" + std::to_string(count) +
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

awaitable<HttpAnswer> publish_body(Shard& shard, PublishTicket ticket, std::string content_type,
                                   std::string body) {
  HttpAnswer answer =
      co_await publish_text(shard, ticket, std::move(content_type), std::move(body));
  answer.fields.insert(answer.fields.end(), ticket.fields.begin(), ticket.fields.end());
  co_return answer;
}

}  // namespace clawws::server
