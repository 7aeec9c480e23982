#include "clawws/bench/http_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace clawws::bench {
namespace {

namespace http = boost::beast::http;

// Answers are short; a server that sends more is not one of ours.
constexpr std::size_t k_most_body_bytes = 1u << 20;

}  // namespace

struct HttpReader::Parser {
  Parser() {
    parser.eager(true);
    parser.body_limit(k_most_body_bytes);
  }
  http::response_parser<http::string_body> parser;
};

HttpReader::HttpReader() = default;
HttpReader::~HttpReader() = default;

void HttpReader::reset() {
  parser_.reset();
  bytes_.clear();
}

void HttpReader::feed(std::string_view bytes) {
  bytes_ += bytes;
}

HttpReader::Step HttpReader::next() {
  if (!parser_ || parser_->parser.is_done()) parser_ = std::make_unique<Parser>();
  auto& parser = parser_->parser;
  while (!bytes_.empty()) {
    boost::system::error_code error;
    const std::size_t taken = parser.put(boost::asio::buffer(bytes_), error);
    bytes_.erase(0, taken);
    if (error == http::error::need_more) return Step::need_more;
    if (error) return Step::broken;
    if (parser.is_done()) return Step::done;
    if (taken == 0) return Step::need_more;
  }
  return Step::need_more;
}

int HttpReader::status() const {
  return static_cast<int>(parser_->parser.get().result_int());
}

std::string HttpReader::field(std::string_view name) const {
  const auto value = parser_->parser.get()[boost::beast::string_view(name.data(), name.size())];
  return std::string(value.data(), value.size());
}

std::string HttpReader::body() const {
  return parser_->parser.get().body();
}

}  // namespace clawws::bench
