// GET /ws: from the request's head to the response that makes it a WebSocket.
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/verb.hpp>

#include "clawws/base/text.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/wire/http_gate.hpp"
#include "routes_detail.hpp"

namespace clawws::server::routes {

namespace http = boost::beast::http;
using base::Result;
using boost::asio::awaitable;

namespace {

constexpr std::string_view k_websocket_guid =
    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3

bool has_token(const HttpRequest& request, std::string_view name, std::string_view token) {
  const auto value = header_list(request, name);
  if (!value) return false;
  for (const std::string_view item : wire::header_list(*value)) {
    if (base::iequals(item, token)) return true;
  }
  return false;
}

// What is wrong with the upgrade request itself, before anybody's credentials are looked at.
std::optional<HttpAnswer> upgrade_fault(const HttpRequest& request) {
  if (request.method() != http::verb::get) return method_not_allowed("GET");
  if (request.version() != 11)
    return error_answer(400, "bad_request", "A WebSocket needs HTTP/1.1");
  if (!has_token(request, "Connection", "upgrade") || !has_token(request, "Upgrade", "websocket")) {
    return with_field(with_field(error_answer(426, "upgrade_required", "This path is a WebSocket"),
                                 "Upgrade", "websocket"),
                      "Connection", "Upgrade");
  }
  const auto version = header(request, "Sec-WebSocket-Version");
  if (!version) return error_answer(400, "bad_request", "Sec-WebSocket-Version is missing");
  if (*version != "13") {
    return with_field(error_answer(426, "upgrade_required", "Only version 13 is spoken"),
                      "Sec-WebSocket-Version", "13");
  }
  if (!wire::is_websocket_key(header(request, "Sec-WebSocket-Key").value_or(""))) {
    return error_answer(400, "bad_request", "Sec-WebSocket-Key is not 16 bytes in base64");
  }
  if (!is_bodiless(request))
    return error_answer(400, "bad_request", "An upgrade request has no body");
  return std::nullopt;
}

std::string switching_protocols(std::string_view key, const Subprotocol& subprotocol) {
  std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nServer: clawws\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      base::base64_encode(net::sha1(std::string(key).append(k_websocket_guid))) + "\r\n";
  if (!subprotocol.name().empty()) {
    response += "Sec-WebSocket-Protocol: " + std::string(subprotocol.name()) + "\r\n";
  }
  return response + "\r\n";
}

// Whom a ticket lets in. It beats all other credentials: who shows one means it.
Admitted redeem(const Exchange& exchange, std::string_view ticket) {
  Services& services = exchange.shard.services();
  auto identity = services.tickets.redeem(ticket, header(exchange.request, "Origin").value_or(""),
                                          base::SteadyClock::now());
  if (identity && services.authenticator.still_valid(*identity)) return std::move(*identity);
  services.counters.logins_refused.fetch_add(1, std::memory_order_relaxed);
  return unauthorized(exchange.request,
                      "This ticket is not known, was used, is older than 30 s, or was given to "
                      "another page; ask for another one");
}

}  // namespace

awaitable<Decision> decide_upgrade(Exchange exchange, std::string_view query_text) {
  const HttpRequest& request = exchange.request;
  Shard& shard = exchange.shard;
  if (auto fault = upgrade_fault(request)) co_return std::move(*fault);
  if (!origin_allowed(exchange)) co_return forbidden_origin(exchange);

  const Result<wire::SubscribeQuery> query = wire::parse_subscribe_query(query_text);
  Result<Session::Opening> opening =
      query ? opening_from(*query) : Result<Session::Opening>(query.error());
  if (!opening) co_return bad_query(opening.error());

  const auto offered = header_list(request, "Sec-WebSocket-Protocol");
  const Subprotocol subprotocol = negotiate_subprotocol(offered);
  Admitted admitted = HttpAnswer();
  if (query->ticket) {
    admitted = redeem(exchange, *query->ticket);
  } else {
    Admitted by_credentials = co_await authenticate(exchange, offered);
    admitted = std::move(by_credentials);
  }
  if (auto* refusal = std::get_if<HttpAnswer>(&admitted)) co_return std::move(*refusal);
  if (subprotocol.answer == Subprotocol::Answer::refuse) {
    co_return error_answer(400, "bad_request",
                           "Of Sec-WebSocket-Protocol, clawws.v1 and clawpanel are spoken");
  }
  opening->identity = std::move(std::get<Identity>(admitted));
  opening->dialect = subprotocol.answer == Subprotocol::Answer::clawpanel ? Dialect::clawpanel
                                                                          : Dialect::clawws_v1;

  std::optional<HttpAnswer> full = no_room(shard, opening->filter);
  if (full) co_return std::move(*full);
  std::optional<HttpAnswer> away = co_await locate(shard, opening->start, opening->filter);
  if (away) co_return std::move(*away);
  std::string response =
      switching_protocols(header(request, "Sec-WebSocket-Key").value_or(""), subprotocol);
  co_return UpgradeTicket{std::move(*opening), std::move(response)};
}

}  // namespace clawws::server::routes
