#include "clawws/client/approach.hpp"

#include "clawws/base/flags.hpp"
#include "clawws/base/text.hpp"
#include "clawws/net/ws_client.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using Verify = net::ClientTlsConfig::Verify;

constexpr const char* k_default_url = "wss://localhost:8443/ws";

}  // namespace

Approach::Approach(ApproachConfig config, Environment environment)
    : config_(std::move(config)),
      environment_(environment),
      directories_(state_directories(config_.state_dir, environment)),
      reader_(config_.credentials, environment) {}

// Another pin or none at all was asked for, so the recorded one does not decide.
bool Approach::judges_itself() const {
  return config_.tls.verify != Verify::full || !config_.tls.pins.empty();
}

Approach::Place Approach::find() {
  LocalSearch search = find_local_server(directories_);
  if (search.found) last_found_ = search.found;
  Place place;
  const auto fallback = net::parse_url(k_default_url);
  place.url = config_.url.value_or(*fallback);
  if (!last_found_) return place;
  const net::ServerRecord& record = last_found_->record;
  if (!config_.url) {
    const auto recorded = parse_server_url(record.url);
    if (!recorded) return place;
    place.url = *recorded;
  } else if (!is_local_server(record, *config_.url)) {
    return place;
  }
  place.note = "local server of " + base::escape_terminal(last_found_->directory.string());
  // With another judgement of the certificate the server is not known to be the recorded one, so it
  // gets no password of the record's.
  if (!judges_itself()) place.local = record;
  return place;
}

Result<Attempt> Approach::prepare() {
  const Place place = find();
  net::WsTarget target;
  target.url = place.url;
  target.tls = config_.tls;
  target.resolve = config_.resolve;
  target.connect_timeout = config_.connect_timeout;
  target.user_agent = "clawws/" + std::string(base::version());
  if (place.local) {
    // A CA that was named is asked too.
    if (config_.tls.ca_file.empty()) target.tls.verify = Verify::pin_only;
    target.tls.pins = {place.local->pin};
    // The name may also stand for an address where something else listens.
    target.resolve.insert(target.resolve.begin(),
                          {place.url.host, place.url.port, place.local->host});
  }
  auto made = net::make_ws_target(std::move(target));
  if (!made) return made.error();
  auto credentials = reader_.read(place.url.host, place.local ? &*place.local : nullptr);
  if (!credentials) return credentials.error();

  Attempt attempt;
  attempt.target = std::move(*made);
  attempt.authorization = authorization_header(*credentials);
  attempt.note = place.note;
  if (!judges_itself()) {
    attempt.is_outdated = [directories = directories_, url = config_.url,
                           pin = place.local ? place.local->pin : std::string()] {
      const auto now = find_local_server(directories).found;
      return now && (!url || is_local_server(now->record, *url)) && now->record.pin != pin;
    };
  }
  if (!credentials->source.empty())
    attempt.note +=
        (attempt.note.empty() ? "" : ", ") + std::string("credentials from ") + credentials->source;
  return attempt;
}

Result<void> Approach::ask_now() {
  const Place place = find();
  const net::ServerRecord* const local = place.local ? &*place.local : nullptr;
  if (reader_.would_ask(local)) {
    const auto asked = reader_.read(place.url.host, local);
    if (!asked) return asked.error();
  }
  reader_.ask_no_more();
  return {};
}

std::string Approach::search_note() const {
  const LocalSearch search = find_local_server(directories_);
  if (search.found) return {};
  return "no running clawws serve was found here (" + search.tried + ")";
}

Result<net::Url> parse_server_url(std::string_view text) {
  auto url = net::parse_url(text);
  if (!url) return url.error();
  if (url->scheme == "ws" || url->scheme == "http")
    return Error(Errc::usage,
                 "clawws speaks TLS only: use wss:// instead of " + url->scheme + "://");
  url->scheme = "wss";
  if (!url->query.empty())
    return Error(Errc::usage,
                 "a URL here has no '?' part: --since, --last and TYPE say what is wanted, "
                 "--user and --password-file who asks");
  if (url->path == "/") url->path = "/ws";
  return url;
}

Result<net::Url> parse_url_or_host_port(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return parse_server_url(text);
  if (text.find('@') != std::string_view::npos)
    return Error(Errc::usage,
                 "credentials in a URL can be read by every user of this machine; give the name as "
                 "--user and the password by --password-file, CLAWWS_PASSWORD or the prompt");
  auto where = net::parse_host_port(text);
  if (!where) return where.error();
  if (where->port == 0) return Error(Errc::usage, "port 0 is for servers");
  net::Url url;
  url.scheme = "wss";
  url.host = std::move(where->host);
  url.port = where->port;
  url.path = "/ws";
  return url;
}

}  // namespace clawws::client
