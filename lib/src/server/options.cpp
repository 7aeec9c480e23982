#include "clawws/server/options.hpp"

#include <charconv>
#include <functional>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/wire/event.hpp"
#include "clawws/wire/filter.hpp"

namespace clawws::server {

using base::Errc;
using base::Error;
using base::Flag;
using base::FlagKind;
using base::Millis;
using base::Result;

namespace {

using Set = std::function<Result<void>(std::string_view)>;

Set text_into(std::string& out) {
  return [&out](std::string_view value) -> Result<void> {
    if (value.empty()) return Error(Errc::usage, "is empty");
    out = value;
    return {};
  };
}

Set duration_into(Millis& out) {
  return [&out](std::string_view value) -> Result<void> {
    const Result<Millis> parsed = base::parse_duration(value);
    if (!parsed) return parsed.error();
    out = *parsed;
    return {};
  };
}

template <class N>
Set count_into(N& out) {
  return [&out](std::string_view value) -> Result<void> {
    const Result<std::uint64_t> parsed = base::parse_count(value);
    if (!parsed) return parsed.error();
    if (*parsed > std::numeric_limits<N>::max()) return Error(Errc::usage, "is too large");
    out = static_cast<N>(*parsed);
    return {};
  };
}

template <class N>
Set size_into(N& out) {
  return [&out](std::string_view value) -> Result<void> {
    const Result<std::uint64_t> parsed = base::parse_size(value);
    if (!parsed) return parsed.error();
    out = static_cast<N>(*parsed);
    return {};
  };
}

Set list_into(std::vector<std::string>& out) {
  return [&out](std::string_view value) -> Result<void> {
    if (value.empty()) return Error(Errc::usage, "is empty");
    out.emplace_back(value);
    return {};
  };
}

template <class T>
Set toggle_into(T& out, T on) {
  return [&out, on](std::string_view) -> Result<void> {
    out = on;
    return {};
  };
}

// One of a few words.
template <class T>
Set word_into(T& out, std::vector<std::pair<std::string_view, T>> words) {
  return [&out, words = std::move(words)](std::string_view value) -> Result<void> {
    std::string known;
    for (const auto& [word, meaning] : words) {
      if (word == value) {
        out = meaning;
        return {};
      }
      known += (known.empty() ? "" : ", ") + std::string(word);
    }
    return Error(Errc::usage, "expected one of: " + known);
  };
}

Flag flag(std::string name, std::string value_name, std::string group, std::string help, std::string default_text,
          Set set) {
  Flag out;
  out.name = std::move(name);
  out.kind = value_name.empty() ? FlagKind::toggle : FlagKind::value;
  out.value_name = std::move(value_name);
  out.group = std::move(group);
  out.help = std::move(help);
  out.default_text = std::move(default_text);
  out.set = std::move(set);
  return out;
}

Flag repeated(Flag one) {
  one.kind = FlagKind::repeat;
  return one;
}

Flag lettered(char letter, Flag one) {
  one.letter = letter;
  return one;
}

Flag argv_only(Flag one) {
  one.from_environment = false;
  one.from_file = false;
  return one;
}

void add_network(std::vector<Flag>& flags, ServerConfig& config) {
  const std::string group = "Network and certificate";
  flags.push_back(repeated(flag("listen", "HOST:PORT", group, "where to listen; port 0 picks a free one",
                                "127.0.0.1:8443", [&config, first = true](std::string_view value) mutable -> Result<void> {
                                  const Result<net::HostPort> place = net::parse_host_port(value);
                                  if (!place) return place.error();
                                  if (std::exchange(first, false)) config.listen.clear();
                                  config.listen.push_back(*place);
                                  return {};
                                })));
  flags.push_back(flag("cert", "FILE", group, "certificate chain, PEM", "self-signed for localhost", text_into(config.cert_file)));
  flags.push_back(flag("key", "FILE", group, "private key of the certificate, PEM", "", text_into(config.key_file)));
  flags.push_back(flag("hsts", "", group, "tell browsers to use HTTPS only (Strict-Transport-Security)", "",
                       toggle_into(config.hsts, ServerConfig::Hsts::on)));
  flags.push_back(flag("threads", "N", group, "shards, each with a thread of its own", "one per core, at most 8",
                       count_into(config.threads)));
}

Result<void> set_upstream(ServerConfig& config, std::string_view value) {
  const std::string scheme = base::to_lower(value.substr(0, value.find("://")));
  if (scheme != "http" && scheme != "https") {
    return Error(Errc::usage, "expected http://HOST:PORT or https://HOST:PORT, where the application listens");
  }
  if (value.find('@') != std::string_view::npos) {
    config.upstream.emplace();  // validate() refuses it, without showing what was given
    return {};
  }
  Result<net::Url> url = net::parse_url(value);
  if (!url) return url.error();
  if (url->path != "/" || !url->query.empty()) {
    return Error(Errc::usage, "takes no path: requests keep their own; give " + scheme + "://" + url->authority());
  }
  config.upstream = std::move(*url);
  return {};
}

void add_upstream(std::vector<Flag>& flags, ServerConfig& config) {
  const std::string group = "The application behind this server";
  flags.push_back(flag("upstream", "URL", group, "where all but /ws and /clawws/ goes: http://HOST:PORT or https://HOST:PORT", "",
                       [&config](std::string_view value) { return set_upstream(config, value); }));
  flags.push_back(flag("upstream-cacert", "FILE", group, "certificates that an https upstream is verified with, PEM",
                       "the system's", text_into(config.upstream_cacert)));
  flags.push_back(flag("upstream-timeout", "DUR", group, "for the upstream's answer, and between two pieces of it", "1m",
                       duration_into(config.upstream_timeout)));
}

void add_users(std::vector<Flag>& flags, ServerConfig& config) {
  const std::string group = "Users";
  flags.push_back(flag("users", "FILE", group, "htpasswd file (htpasswd -B), reloaded when it changes", "", text_into(config.users_file)));
  flags.push_back(flag("env-file", "FILE", group, "the .env file with DASHBOARD_USERNAME and DASHBOARD_PASSWORD", "",
                       text_into(config.env_file)));
  flags.push_back(flag("auth-upstream", "PATH", group, "a path of the upstream that is asked, with the client's credentials, who may come in",
                       "", text_into(config.auth_upstream)));
  flags.push_back(repeated(flag("publisher", "NAME", group, "only these users may publish", "every user",
                                list_into(config.publishers))));
  flags.push_back(repeated(flag("origin", "URL", group, "a page's origin that may connect, beside the own one", "",
                                list_into(config.origins))));
  flags.push_back(repeated(flag("trusted-proxy", "CIDR", group, "whose X-Forwarded-For is believed", "",
                                list_into(config.trusted_proxies))));
}

// A glob that no type's name could ever match would be taken in silence, and nobody would know why the
// events are still refused.
bool may_allow(std::string_view glob) {
  if (!wire::Filter::from_globs({std::string(glob)}) || wire::is_reserved_type(glob)) return false;
  return glob.find('*') != std::string_view::npos || wire::is_type_name(glob);
}

void add_events(std::vector<Flag>& flags, ServerConfig& config) {
  const std::string group = "Events";
  flags.push_back(flag("stdin", "", group, "take events as NDJSON lines from standard input", "",
                       toggle_into(config.stdin_use, ServerConfig::Stdin::events)));
  flags.push_back(repeated(flag("allow-type", "GLOB", group, "further event types to accept", "",
                                [&config](std::string_view value) -> Result<void> {
                                  if (!may_allow(value)) {
                                    return Error(Errc::usage,
                                                 "expected a type's name or a glob over names, as in 'deploy.done' or "
                                                 "'deploy.*': a-z, 0-9, '_', a dot and '*', at most 64 characters");
                                  }
                                  config.event_rules.allowed_globs.emplace_back(value);
                                  return {};
                                })));
  flags.push_back(flag("max-event", "SIZE", group, "largest event", "64KiB", size_into(config.event_rules.max_event_bytes)));
  flags.push_back(flag("max-batch", "N", group, "most events in one request", "1000", count_into(config.event_rules.max_batch)));
  flags.push_back(flag("max-body", "SIZE", group, "largest request body", "1MiB", size_into(config.max_body_bytes)));
}

void add_store(std::vector<Flag>& flags, ServerConfig& config) {
  const std::string group = "Store";
  flags.push_back(flag("state-dir", "DIR", group, "where events, certificate, password and record are kept, 0700",
                       "$STATE_DIRECTORY, $XDG_STATE_HOME/clawws or ~/.local/state/clawws",
                       [&config](std::string_view value) -> Result<void> {
                         if (value.empty()) return Error(Errc::usage, "is empty");
                         config.state_dir = std::string(value);
                         return {};
                       }));
  flags.push_back(flag("store", "KIND", group, "where events are kept: sqlite (a file in the state directory) or memory", "sqlite",
                       word_into<ServerConfig::Store>(config.store, {{"sqlite", ServerConfig::Store::sqlite},
                                                                     {"memory", ServerConfig::Store::memory}})));
  flags.push_back(flag("durability", "WORD", group,
                       "what an answered event survives: written (the server's end) or fsync (the machine's)", "written",
                       word_into<hub::Durability>(config.durability, {{"written", hub::Durability::written},
                                                                      {"fsync", hub::Durability::fsync}})));
  flags.push_back(flag("retain-events", "N", group, "most events kept", "100k", count_into(config.retention.events)));
  flags.push_back(flag("retain-age", "DUR", group, "longest time that an event is kept", "7d",
                       [&config](std::string_view value) -> Result<void> {
                         const Result<Millis> age = base::parse_duration(value);
                         if (!age) return age.error();
                         config.retention.age_millis = age->count();
                         return {};
                       }));
  flags.push_back(flag("retain-bytes", "SIZE", group, "most bytes of events kept; in memory 64MiB unless given", "1GiB",
                       [&config](std::string_view value) -> Result<void> {
                         config.retain_bytes = ServerConfig::RetainBytes::given;
                         return size_into(config.retention.bytes)(value);
                       }));
  flags.push_back(flag("log-memory", "SIZE", group, "memory for ready-made frames of the newest events, at least 1MiB", "16MiB",
                       size_into(config.log_memory_bytes)));
}

void add_limits(std::vector<Flag>& flags, ServerConfig& config) {
  const std::string group = "Limits and times";
  flags.push_back(flag("max-clients", "N", group, "most live clients", "20k", count_into(config.max_clients)));
  flags.push_back(flag("max-clients-per-ip", "N", group, "most connections of one address; loopback only when given", "1k",
                       [&config](std::string_view value) -> Result<void> {
                         config.loopback_limit = ServerConfig::LoopbackLimit::as_others;
                         return count_into(config.max_clients_per_ip)(value);
                       }));
  flags.push_back(flag("max-lag-time", "DUR", group, "a client whose kernel takes no byte for this long is ended", "15s",
                       duration_into(config.max_lag_time)));
  flags.push_back(flag("ping-interval", "DUR", group, "between two WebSocket pings, with jitter", "25s", duration_into(config.ping_interval)));
  flags.push_back(flag("drain", "DUR", group, "longest time that a stop may take", "10s", duration_into(config.drain)));
  flags.push_back(flag("handshake-timeout", "DUR", group, "for the TLS handshake", "5s", duration_into(config.handshake_timeout)));
  flags.push_back(flag("header-timeout", "DUR", group, "for a request's head", "5s", duration_into(config.header_timeout)));
  flags.push_back(flag("body-timeout", "DUR", group, "for a request's body", "30s", duration_into(config.body_timeout)));
  flags.push_back(flag("accept-rate", "N", group, "most new connections a second", "off", count_into(config.accept_rate)));
  flags.push_back(flag("message-rate", "N", group, "most messages of one client a minute", "60", count_into(config.message_rate)));
  flags.push_back(flag("replay-rate", "N", group, "most older events a second read from the store for one user; 0: no limit", "20k",
                       count_into(config.replay_rate)));
}

}  // namespace

base::FlagSpec serve_flags(ServeOptions& options) {
  base::FlagSpec spec;
  spec.program = "clawws serve";
  spec.summary = "Broadcasts live events over secure WebSockets, and takes them in over HTTPS on the same port.";
  spec.usage = "clawws serve [OPTIONS]";
  ServerConfig& config = options.config;
  add_network(spec.flags, config);
  add_upstream(spec.flags, config);
  add_users(spec.flags, config);
  add_events(spec.flags, config);
  add_store(spec.flags, config);
  add_limits(spec.flags, config);
  const std::string group = "Running";
  spec.flags.push_back(argv_only(flag("check", "", group, "validate everything that a start would read, then end", "",
                                      toggle_into(options.action, ServeOptions::Action::check))));
  spec.flags.push_back(flag("log-format", "FORMAT", group, "auto, text, logfmt or json", "auto: text on a terminal, else logfmt",
                            word_into<ServerConfig::LogFormat>(config.log_format,
                                                               {{"auto", ServerConfig::LogFormat::automatic},
                                                                {"text", ServerConfig::LogFormat::text},
                                                                {"logfmt", ServerConfig::LogFormat::logfmt},
                                                                {"json", ServerConfig::LogFormat::json}})));
  spec.flags.push_back(lettered('v', flag("verbose", "", group, "say more", "",
                                          toggle_into(config.log_level, base::LogLevel::debug))));
  spec.flags.push_back(lettered('q', flag("quiet", "", group, "say only what is wrong", "",
                                          toggle_into(config.log_level, base::LogLevel::warning))));
  spec.example_flag = "ping-interval";
  spec.example_value = "25s";
  spec.epilog =
      "Signals: TERM and INT drain and end, a second one ends at once; HUP reads users and certificate\n"
      "again; USR1 logs one summary line.\n"
      "Exit status: 0 after a drain, 1 could not run (port in use, state directory locked), 2 wrong flags,\n"
      "config or files.\n"
      "\n"
      "With nothing configured it listens on loopback alone, with a certificate and a password that it\n"
      "makes at its first start and keeps in the state directory; clawws tail on the same host finds both.\n";
  return spec;
}

}  // namespace clawws::server
