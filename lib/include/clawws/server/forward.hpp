// Heads on their way through the proxy, rebuilt from parsed fields: the request's for the upstream,
// the answer's for the client. What belongs to one connection alone (RFC 9110, section 7.6.1) stays
// behind, lengths are set by the caller, X-Forwarded-* says who asked, and Via which way the request
// came, so that one that goes round is found. Pure functions.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/server/config.hpp"

namespace clawws::server {

using RequestHead = boost::beast::http::header<true, boost::beast::http::fields>;
using AnswerHead = boost::beast::http::header<false, boost::beast::http::fields>;
using RelayedRequest = boost::beast::http::request<boost::beast::http::buffer_body>;
using RelayedAnswer = boost::beast::http::response<boost::beast::http::buffer_body>;

struct ForwardFacts {
  std::string peer;  // the other end of the client's connection, numeric, without a port
  // Whether what a request says of earlier hops is kept and continued, or replaced.
  enum class Peer : std::uint8_t { untrusted, trusted } trust = Peer::untrusted;
  std::string_view upstream_authority;  // the Host of a request that has none (HTTP/1.0)
  std::string_view name;                // of this server in Via
};

// Whether the request's Via tells that it has been here before.
bool came_through(const RequestHead& request, std::string_view name);

// The upgrade to a WebSocket that a request asks for, if it is one: GET, HTTP/1.1, both fields.
bool asks_for_websocket(const RequestHead& request);

// HTTP/1.1, Host kept, Via continued, without lengths. What a client says of its address is dropped
// unless it is trusted, and `Forwarded` always: X-Forwarded-* says it all, and an application that
// meets both cannot tell which one counts. `Upgrade: websocket` stays when asks_for_websocket(); no
// other protocol is ever offered.
RelayedRequest forwarded_request(const RequestHead& from, const ForwardFacts& facts);

// With the status and the reason as they were, without lengths.
RelayedAnswer returned_answer(const AnswerHead& from, unsigned http_version,
                              ServerConfig::Hsts hsts);
// "HTTP/1.1 103 Early Hints" and its fields, or any other interim answer.
std::string interim_answer(const AnswerHead& from);
// The head of an answer 101 to a WebSocket's request.
std::string switching_answer(const AnswerHead& from);
// Whether a 101 is the one that was asked for.
bool switches_to_websocket(const AnswerHead& answer);

// True when the answer's framing fields can be read in one way only.
bool is_clearly_framed(const AnswerHead& answer);

}  // namespace clawws::server
