#include "clawws/net/url.hpp"

#include <charconv>

#include "clawws/base/text.hpp"

namespace clawws::net {

using base::Errc;
using base::Error;
using base::Result;

namespace {

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "wss" || scheme == "https" ? 443 : 80;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

Result<std::uint16_t> parse_port(std::string_view text, unsigned least) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < least || value > 65535) {
    return Error(Errc::usage, "'" + base::escape_terminal(text) + "' is not a port (" +
                                  std::to_string(least) + " to 65535)");
  }
  return static_cast<std::uint16_t>(value);
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  for (const char c : host) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
    if (!good) return false;
  }
  return true;
}

// Splits HOST[:PORT]; without a port it is `port`.
Result<HostPort> split_authority(std::string_view text, std::uint16_t port, unsigned least_port) {
  HostPort out{{}, port};
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return Error(Errc::usage, "a '[' without ']' in the host");
    out.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    out.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (!is_host(out.host)) {
    return Error(Errc::usage, "'" + base::escape_terminal(out.host) + "' is not a host name or address");
  }
  if (!rest.empty()) {
    if (rest.front() != ':') return Error(Errc::usage, "expected :PORT after the host");
    const Result<std::uint16_t> parsed = parse_port(rest.substr(1), least_port);
    if (!parsed) return parsed.error();
    out.port = *parsed;
  }
  return out;
}

}  // namespace

std::string Url::authority() const {
  return bracketed(host) + (port == default_port(scheme) ? "" : ":" + std::to_string(port));
}

std::string Url::target() const { return query.empty() ? path : path + "?" + query; }

std::string Url::text() const { return scheme + "://" + authority() + target(); }

Result<Url> parse_url(std::string_view text) {
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos) return Error(Errc::usage, "no '://' in the URL");
  Url url;
  url.scheme = base::to_lower(text.substr(0, mark));
  if (url.scheme != "wss" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "http") {
    return Error(Errc::usage, "'" + base::escape_terminal(url.scheme) + "' is not wss or https");
  }
  std::string_view rest = text.substr(mark + 3);
  const std::size_t path_at = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, path_at);
  rest = path_at == std::string_view::npos ? std::string_view() : rest.substr(path_at);
  if (authority.find('@') != std::string_view::npos) {
    return Error(Errc::usage,
                 "a URL with credentials in it can be read by every user of this machine; give the name as "
                 "--user and the password by --password-file, CLAWWS_PASSWORD or the prompt");
  }
  if (rest.find('#') != std::string_view::npos) return Error(Errc::usage, "a URL here has no '#' part");
  for (const char c : rest) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
      return Error(Errc::usage, "a space or control character in the URL");
    }
  }
  const Result<HostPort> where = split_authority(authority, default_port(url.scheme), 1);
  if (!where) return where.error();
  url.host = where->host;
  url.port = where->port;
  const std::size_t question = rest.find('?');
  url.path = rest.substr(0, question);
  if (question != std::string_view::npos) url.query = rest.substr(question + 1);
  if (url.path.empty()) url.path = "/";
  return url;
}

Result<HostPort> parse_host_port(std::string_view text) {
  const bool has_port = text.rfind(':') != std::string_view::npos && !text.empty() && text.back() != ']';
  if (!has_port) {
    return Error(Errc::usage, "'" + base::escape_terminal(text) + "' is not HOST:PORT, as in 127.0.0.1:8443");
  }
  return split_authority(text, 0, 0);
}

}  // namespace clawws::net
