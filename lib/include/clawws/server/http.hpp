// HTTP as the routes see it: a request that passed the gate and Beast's parser, and an answer.
// Values only; no I/O.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clawws/server/config.hpp"

namespace clawws::server {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

// A field's value; nothing when it is absent.
std::optional<std::string_view> header(const HttpRequest& request, std::string_view name);
// The same of a field that is a list: the values of all its lines, joined by commas.
std::optional<std::string> header_list(const HttpRequest& request, std::string_view name);

enum class After : std::uint8_t { keep_alive, close };

struct HttpAnswer {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> fields;
  After after = After::keep_alive;
};

// {"error":WORD,"message":…} with further JSON members in `more` (",\"path\":…").
HttpAnswer error_answer(unsigned status, std::string_view word, std::string_view message, std::string_view more = {});

enum class BodyWanted : std::uint8_t { yes, head_only };
// The bytes of an answer, common fields included.
std::string serialise(const HttpAnswer& answer, unsigned http_version, BodyWanted wanted, ServerConfig::Hsts hsts);

}  // namespace clawws::server
