#include "clawws/server/http.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/serializer.hpp>

#include "clawws/base/text.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::server {

namespace http = boost::beast::http;

namespace {
std::string_view std_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}
boost::beast::string_view beast_view(std::string_view text) {
  return {text.data(), text.size()};
}

// Collects what a serializer offers; Beast asks for one buffer sequence at a time.
struct Collect {
  std::string& out;
  std::size_t taken = 0;
  template <class Buffers>
  void operator()(boost::beast::error_code&, const Buffers& buffers) {
    taken = 0;
    for (auto it = boost::asio::buffer_sequence_begin(buffers);
         it != boost::asio::buffer_sequence_end(buffers); ++it) {
      const boost::asio::const_buffer piece = *it;
      out.append(static_cast<const char*>(piece.data()), piece.size());
      taken += piece.size();
    }
  }
};
}  // namespace

std::optional<std::string_view> header(const HttpRequest& request, std::string_view name) {
  const auto found = request.find(beast_view(name));
  if (found == request.end()) return std::nullopt;
  return std_view(found->value());
}

std::optional<std::string> header_list(const HttpRequest& request, std::string_view name) {
  std::optional<std::string> joined;
  const auto [first, last] = request.equal_range(beast_view(name));
  for (auto line = first; line != last; ++line) {
    if (joined) {
      joined->append(",").append(std_view(line->value()));
    } else {
      joined.emplace(std_view(line->value()));
    }
  }
  return joined;
}

HttpAnswer error_answer(unsigned status, std::string_view word, std::string_view message,
                        std::string_view more) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = "{\"error\":" + wire::json_string(word);
  if (!message.empty()) answer.body += ",\"message\":" + wire::json_string(message);
  answer.body += more;
  answer.body += "}\n";
  return answer;
}

std::string serialise(const HttpAnswer& answer, unsigned http_version, BodyWanted wanted,
                      ServerConfig::Hsts hsts) {
  http::response<http::string_body> response;
  response.version(http_version);
  response.result(answer.status);
  response.set(http::field::server, "clawws");
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (hsts == ServerConfig::Hsts::on) response.set("Strict-Transport-Security", "max-age=31536000");
  // Vary may be said twice: of what a route looked at, and of the Origin.
  std::string vary;
  for (const auto& [name, value] : answer.fields) {
    if (name == "Vary") {
      vary += (vary.empty() ? "" : ", ") + value;
    } else {
      response.set(beast_view(name), beast_view(value));
    }
  }
  if (!vary.empty()) response.set(http::field::vary, vary);
  response.keep_alive(answer.after == After::keep_alive);
  // RFC 9110, section 8.6: the length in a 304 would be that of the file.
  const bool has_content = answer.status != 204 && answer.status != 304;
  if (has_content) {
    response.set(http::field::content_type, beast_view(answer.content_type));
    response.content_length(answer.body.size());
  }
  if (wanted == BodyWanted::yes && has_content) response.body() = answer.body;

  std::string out;
  http::response_serializer<http::string_body> serializer(response);
  boost::beast::error_code failed;
  Collect collect{out};
  while (!serializer.is_done() && !failed) {
    serializer.next(failed, collect);
    serializer.consume(collect.taken);
  }
  return out;
}

}  // namespace clawws::server
