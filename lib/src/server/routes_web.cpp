// The dashboard: its page for those who are logged in, and the page's files for everybody.
#include "clawws/base/text.hpp"
#include "clawws/server/web_files.hpp"
#include "clawws/wire/http_gate.hpp"
#include "routes_detail.hpp"

namespace clawws::server::routes {

namespace {

constexpr std::string_view k_page = "index.html";
// Nothing but the page's own files and its own server; no markup is ever made from text.
constexpr const char* k_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "
    "'none'";

const WebFile* find_file(std::string_view name) {
  for (const WebFile& file : web_files()) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

HttpAnswer answer_with(const WebFile& file, const HttpRequest& request) {
  HttpAnswer answer;
  answer.content_type = type_of(file.name);
  answer.fields = {{"ETag", std::string(file.etag)},
                   {"Cache-Control", "no-cache"},
                   {"Content-Security-Policy", k_policy},
                   {"Referrer-Policy", "no-referrer"}};
  const auto known = header_list(request, "If-None-Match");
  if (known) {
    for (std::string_view tag : wire::header_list(*known)) {
      if (tag.substr(0, 2) == "W/") tag.remove_prefix(2);
      if (tag == file.etag || tag == "*") answer.status = 304;
    }
  }
  if (answer.status != 304) answer.body = file.body;
  return answer;
}

}  // namespace

HttpAnswer dashboard(const HttpRequest& request) {
  return answer_with(*find_file(k_page), request);
}

std::optional<HttpAnswer> web_file(const HttpRequest& request, std::string_view name) {
  const WebFile* file = name == k_page ? nullptr : find_file(name);
  if (file == nullptr) return std::nullopt;
  return answer_with(*file, request);
}

bool wants_html(const HttpRequest& request) {
  const auto accepted = header_list(request, "Accept");
  if (!accepted) return false;
  for (const std::string_view item : wire::header_list(*accepted)) {
    if (base::iequals(base::trim(item.substr(0, item.find(';'))), "text/html")) return true;
  }
  return false;
}

}  // namespace clawws::server::routes
