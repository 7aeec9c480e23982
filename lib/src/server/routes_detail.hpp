// What the routes share: who asks, whether a page may ask, where a stream begins. Private to the
// server's sources; coroutines on the shard's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "clawws/server/routes.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/server/stream_start.hpp"
#include "clawws/wire/query.hpp"

namespace clawws::server::routes {

HttpAnswer with_field(HttpAnswer answer, std::string name, std::string value);
HttpAnswer method_not_allowed(std::string allowed);

// The identity, or the answer that refuses.
using Admitted = std::variant<Identity, HttpAnswer>;
boost::asio::awaitable<Admitted> authenticate(Exchange exchange,
                                              std::optional<std::string_view> subprotocols);

// 401. A browser shows its password prompt when a person opened the page, and not when a script
// asked.
HttpAnswer unauthorized(const HttpRequest& request, std::string_view why);

bool origin_allowed(const Exchange& exchange);
// 403, and a line in the log that says what would allow it.
HttpAnswer forbidden_origin(const Exchange& exchange);
// The request has no body.
bool is_bodiless(const HttpRequest& request);

// The query's part of a subscription; an error names the parameter.
base::Result<Session::Opening> opening_from(const wire::SubscribeQuery& query);
HttpAnswer bad_query(const base::Error& error);
// Why this shard takes no further live client with that filter; nothing when it does.
std::optional<HttpAnswer> no_room(Shard& shard, const wire::Filter& filter,
                                  Shard::Frames frames = Shard::Frames::websocket);
// Asks the store for a time or for the N newest, when the start needs it; an answer says that it is
// away.
boost::asio::awaitable<std::optional<HttpAnswer>> locate(Shard& shard, StartRequest& start,
                                                         wire::Filter filter);

// The dashboard's page, and one of its files by name (routes_web.cpp).
HttpAnswer dashboard(const HttpRequest& request);
std::optional<HttpAnswer> web_file(const HttpRequest& request, std::string_view name);
// A browser that opens a page, rather than a program.
bool wants_html(const HttpRequest& request);

// GET /ws (routes_upgrade.cpp).
boost::asio::awaitable<Decision> decide_upgrade(Exchange exchange, std::string_view query_text);
// POST /clawws/events, as far as its head tells (routes_publish.cpp).
boost::asio::awaitable<Decision> decide_publish(Exchange exchange);
// GET and HEAD /clawws/events: a page of the log, or a live stream (routes_events.cpp).
boost::asio::awaitable<Decision> decide_events(Exchange exchange, std::string_view query_text);

}  // namespace clawws::server::routes
