#include "clawws/server/forward.hpp"

#include <algorithm>
#include <array>

#include "clawws/base/text.hpp"
#include "clawws/wire/http_gate.hpp"

namespace clawws::server {

namespace http = boost::beast::http;
using boost::beast::string_view;

namespace {

std::string_view std_view(string_view text) {
  return {text.data(), text.size()};
}
string_view beast_view(std::string_view text) {
  return {text.data(), text.size()};
}

// The values of all lines of a list, as they stand.
std::string joined(const http::fields& fields, http::field name) {
  std::string all;
  const auto [first, last] = fields.equal_range(name);
  for (auto line = first; line != last; ++line) {
    if (line != first) all += ", ";
    all.append(line->value().data(), line->value().size());
  }
  return all;
}

bool has_token(const http::fields& fields, http::field name, std::string_view token) {
  const std::string all = joined(fields, name);
  const auto items = wire::header_list(all);
  return std::any_of(items.begin(), items.end(),
                     [&](std::string_view item) { return base::iequals(item, token); });
}

bool is_of_one_connection(http::field name) {
  constexpr std::array k_names = {http::field::connection,
                                  http::field::keep_alive,
                                  http::field::proxy_connection,
                                  http::field::proxy_authenticate,
                                  http::field::proxy_authorization,
                                  http::field::te,
                                  http::field::trailer,
                                  http::field::transfer_encoding,
                                  http::field::upgrade,
                                  http::field::http2_settings,
                                  http::field::content_length};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

// Those that the Connection field names besides. A sender cannot take away by it what the proxy
// itself sets.
bool is_named(const std::vector<std::string_view>& named, std::string_view name) {
  return std::any_of(named.begin(), named.end(),
                     [&](std::string_view item) { return base::iequals(item, name); });
}

// Forwarded, X-Forwarded-For and so on. An underscore counts as a dash: many an application's
// gateway makes the same variable of both.
bool tells_of_hops(std::string_view name) {
  std::string lower = base::to_lower(name);
  std::replace(lower.begin(), lower.end(), '_', '-');
  return lower == "forwarded" || lower == "x-real-ip" || lower.starts_with("x-forwarded-");
}

// Copies what goes end to end; `keep` may refuse more.
template <class Keep>
void copy_fields(const http::fields& from, http::fields& to, const Keep& keep) {
  const std::string connection = joined(from, http::field::connection);
  const std::vector<std::string_view> named = wire::header_list(connection);
  for (const auto& field : from) {
    if (is_of_one_connection(field.name())) continue;
    if (!named.empty() && is_named(named, std_view(field.name_string()))) continue;
    if (!keep(field)) continue;
    to.insert(field.name(), field.name_string(), field.value());
  }
}

void append_fields(const http::fields& from, std::string& out) {
  for (const auto& field : from) {
    out.append(std_view(field.name_string()))
        .append(": ")
        .append(std_view(field.value()))
        .append("\r\n");
  }
}

std::string status_line(const AnswerHead& from) {
  const std::string_view reason = std_view(from.reason());
  return "HTTP/1.1 " + std::to_string(from.result_int()) + " " +
         std::string(reason.empty() ? std_view(http::obsolete_reason(from.result())) : reason) +
         "\r\n";
}

void put_hops(const RequestHead& from, const ForwardFacts& facts, RelayedRequest& to) {
  const std::string_view host = std_view(from[http::field::host]);
  const bool continues = facts.trust == ForwardFacts::Peer::trusted;
  const auto extended = [&](const char* name, const std::string& mine) {
    std::string all;
    if (continues) {
      const auto [first, last] = from.equal_range(name);
      for (auto line = first; line != last; ++line)
        all.append(std_view(line->value())).append(", ");
    }
    to.set(name, all + mine);
  };
  extended("X-Forwarded-For", facts.peer);
  // The first hop's word on these is the one that counts.
  const auto kept_or = [&](const char* name, std::string_view mine) {
    const auto given = from.find(name);
    if (continues && given != from.end()) {
      to.set(name, given->value());
    } else if (!mine.empty()) {
      to.set(name, beast_view(mine));
    }
  };
  kept_or("X-Forwarded-Host", host);
  kept_or("X-Forwarded-Proto", "https");
}

// RFC 9110, section 7.6.3: with the version in which the request came.
void put_via(const RequestHead& from, std::string_view name, RelayedRequest& to) {
  std::string all = joined(from, http::field::via);
  all.append(all.empty() ? "" : ", ").append(from.version() < 11 ? "1.0 " : "1.1 ").append(name);
  to.set(http::field::via, all);
}

}  // namespace

bool asks_for_websocket(const RequestHead& request) {
  return request.version() == 11 && request.method() == http::verb::get &&
         has_token(request, http::field::connection, "upgrade") &&
         has_token(request, http::field::upgrade, "websocket");
}

bool came_through(const RequestHead& request, std::string_view name) {
  const std::string via = joined(request, http::field::via);
  for (std::string_view hop : wire::header_list(via)) {  // "1.1 name (comment)"
    hop.remove_prefix(std::min(hop.find_first_of(" \t"), hop.size()));
    hop = base::trim(hop);
    if (hop.substr(0, hop.find_first_of(" \t")) == name) return true;
  }
  return false;
}

RelayedRequest forwarded_request(const RequestHead& from, const ForwardFacts& facts) {
  RelayedRequest to;
  to.version(11);
  to.method_string(from.method_string());
  to.target(from.target());
  const string_view host = from[http::field::host];
  to.set(http::field::host, host.empty() ? beast_view(facts.upstream_authority) : host);
  const bool continues = facts.trust == ForwardFacts::Peer::trusted;
  copy_fields(from, to, [&](const http::fields::value_type& field) {
    if (field.name() == http::field::host || field.name() == http::field::via) return false;
    // An HTTP/1.0 client cannot be told to go on (RFC 9110, section 10.1.1).
    if (field.name() == http::field::expect && from.version() < 11) return false;
    const std::string_view name = std_view(field.name_string());
    if (!tells_of_hops(name)) return true;
    // Put below, once, those three; what a trusted proxy says beyond them is passed on.
    constexpr std::array<std::string_view, 4> k_not_as_it_came = {
        "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"};
    return continues &&
           std::none_of(k_not_as_it_came.begin(), k_not_as_it_came.end(),
                        [&](std::string_view mine) { return base::iequals(mine, name); });
  });
  put_hops(from, facts, to);
  put_via(from, facts.name, to);
  if (asks_for_websocket(from)) {
    to.set(http::field::connection, "Upgrade");
    to.set(http::field::upgrade, "websocket");
  }
  return to;
}

RelayedAnswer returned_answer(const AnswerHead& from, unsigned http_version,
                              ServerConfig::Hsts hsts) {
  RelayedAnswer to;
  to.version(http_version);
  to.result(from.result_int());
  to.reason(from.reason());
  copy_fields(from, to, [](const http::fields::value_type&) { return true; });
  if (hsts == ServerConfig::Hsts::on &&
      to.find(http::field::strict_transport_security) == to.end()) {
    to.set(http::field::strict_transport_security, "max-age=31536000");
  }
  return to;
}

std::string interim_answer(const AnswerHead& from) {
  http::fields kept;
  copy_fields(from, kept, [](const http::fields::value_type&) { return true; });
  std::string out = status_line(from);
  append_fields(kept, out);
  return out + "\r\n";
}

std::string switching_answer(const AnswerHead& from) {
  http::fields kept;
  copy_fields(from, kept, [](const http::fields::value_type&) { return true; });
  std::string out = status_line(from) + "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  append_fields(kept, out);
  return out + "\r\n";
}

bool switches_to_websocket(const AnswerHead& answer) {
  return answer.result_int() == 101 && has_token(answer, http::field::upgrade, "websocket");
}

bool is_clearly_framed(const AnswerHead& answer) {
  const auto codings = answer.count(http::field::transfer_encoding);
  if (codings == 0) return true;
  return codings == 1 &&
         base::iequals(std_view(answer[http::field::transfer_encoding]), "chunked") &&
         answer.count(http::field::content_length) == 0;
}

}  // namespace clawws::server
