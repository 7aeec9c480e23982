// What each path of ours does, apart from reading and writing bytes. Coroutines on the shard's
// thread; they wait for the hashing thread and for the store.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <variant>

#include "clawws/server/http.hpp"
#include "clawws/server/session.hpp"

namespace clawws::server {

class Shard;

// One request on its way: its head is parsed, its body not yet read.
struct Exchange {
  Shard& shard;
  const HttpRequest& request;
  boost::asio::ip::tcp::endpoint peer;
};

// A publisher that was let in: what is left is its body.
struct PublishTicket {
  std::string user;
  std::optional<std::string> idempotency_key;
  enum class Form : std::uint8_t { json, ndjson } form = Form::json;
  std::vector<std::pair<std::string, std::string>> fields;  // for the answer
};

// An accepted upgrade, or the beginning of an event stream: what the session begins with, and the
// response's head.
struct UpgradeTicket {
  Session::Opening opening;
  std::string response;
};

// What to do with a request, decided on its head alone: answer it, read the body and publish it,
// or upgrade.
using Decision = std::variant<HttpAnswer, PublishTicket, UpgradeTicket>;
boost::asio::awaitable<Decision> decide(Exchange exchange);

// Validates and publishes a body.
boost::asio::awaitable<HttpAnswer> publish_body(Shard& shard, PublishTicket ticket, std::string content_type,
                                                std::string body);

}  // namespace clawws::server
