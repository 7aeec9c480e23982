// GET /clawws/events: history as pages of JSON, or, for who accepts text/event-stream, a live stream
// of server-sent events, which is a session like that of GET /ws.
#include <boost/beast/http/verb.hpp>

#include "clawws/base/text.hpp"
#include "clawws/server/history.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/http_gate.hpp"
#include "routes_detail.hpp"

namespace clawws::server::routes {

namespace http = boost::beast::http;
using base::Result;
using boost::asio::awaitable;

namespace {

constexpr std::uint64_t k_default_limit = 100;

// By name: `*/*` is what everybody sends.
bool wants_stream(const HttpRequest& request) {
  const auto accept = header_list(request, "Accept");
  if (!accept) return false;
  for (const std::string_view item : wire::header_list(*accept)) {
    if (base::iequals(base::trim(item.substr(0, item.find(';'))), "text/event-stream")) return true;
  }
  return false;
}

std::string stream_head(ServerConfig::Hsts hsts) {
  std::string head =
      "HTTP/1.1 200 OK\r\nServer: clawws\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\nVary: Accept\r\n";
  if (hsts == ServerConfig::Hsts::on) head += "Strict-Transport-Security: max-age=31536000\r\n";
  return head + "Connection: close\r\n\r\n";
}

// What the client has seen last beats what its URL says, which is the same at each return.
Result<void> resume_from_last_event_id(const HttpRequest& request, StartRequest& start) {
  const auto last = header(request, "Last-Event-ID");
  if (!last || last->empty()) return {};
  Result<wire::Position> position = wire::parse_position(*last);
  if (!position) return base::Error(position.error().code, "Last-Event-ID: " + position.error().message());
  start = {};
  start.since = {wire::Since::Kind::position, std::move(*position), 0};
  return {};
}

}  // namespace

awaitable<Decision> decide_events(Exchange exchange, std::string_view query_text) {
  const HttpRequest& request = exchange.request;
  Shard& shard = exchange.shard;
  const bool is_stream = wants_stream(request);
  if (!is_bodiless(request)) co_return error_answer(400, "bad_request", "A GET of events has no body");
  if (!origin_allowed(exchange)) co_return forbidden_origin(exchange);
  const Result<wire::HistoryQuery> query = wire::parse_history_query(query_text);
  Result<Session::Opening> opening =
      query ? opening_from(query->stream) : Result<Session::Opening>(query.error());
  if (!opening) co_return bad_query(opening.error());
  StartRequest& start = opening->start;
  if (is_stream) {
    if (query->limit) co_return bad_query(base::Error(base::Errc::bad_request, "'limit' is for pages; a stream has none"));
    const Result<void> resumed = resume_from_last_event_id(request, start);
    if (!resumed) co_return bad_query(resumed.error());
  } else if (!start.last && start.since.kind == wire::Since::Kind::none) {
    start.since.kind = wire::Since::Kind::earliest;
  }
  Admitted admitted = co_await authenticate(exchange, std::nullopt);
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);

  if (!is_stream) {
    // Who asks for the N newest wants all of them, as far as one page goes.
    const std::uint64_t usual = start.last ? std::min(*start.last, wire::k_max_limit) : k_default_limit;
    std::optional<HttpAnswer> away = co_await locate(shard, start, opening->filter);
    if (away) co_return std::move(*away);
    HistoryRequest page{std::move(opening->filter), std::move(opening->start), query->limit.value_or(usual)};
    HttpAnswer answer = co_await history(shard, std::move(page));
    co_return answer;
  }
  if (request.method() == http::verb::head) {
    HttpAnswer answer;
    answer.content_type = "text/event-stream";
    answer.after = After::close;
    co_return with_field(std::move(answer), "Vary", "Accept");
  }
  std::optional<HttpAnswer> full = no_room(shard, opening->filter, Shard::Frames::sse);
  if (full) co_return std::move(*full);
  std::optional<HttpAnswer> away = co_await locate(shard, start, opening->filter);
  if (away) co_return std::move(*away);
  opening->identity = std::move(std::get<Identity>(admitted));
  opening->dialect = Dialect::sse;
  co_return UpgradeTicket{std::move(*opening), stream_head(shard.config().hsts)};
}

}  // namespace clawws::server::routes
