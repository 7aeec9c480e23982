#include "clawws/client/tail_options.hpp"

#include <algorithm>
#include <functional>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/wire/event.hpp"
#include "clawws/wire/filter.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using base::Error;
using base::Flag;
using base::FlagKind;
using base::Millis;
using base::Result;
using Setter = std::function<Result<void>(std::string_view)>;

constexpr const char* k_connection = "Connection";
constexpr const char* k_who = "Who you are";
constexpr const char* k_stream = "What to show";
constexpr const char* k_output = "Output";
constexpr const char* k_end = "When to end";

// ---- setters ----------------------------------------------------------------------------------

template <class Field>
Setter duration(Field& field, Millis least) {
  return [&field, least](std::string_view text) -> Result<void> {
    const auto value = base::parse_duration(text);
    if (!value) return value.error();
    if (*value < least) return Error(Errc::usage, "at least " + base::duration_flag_text(least));
    field = *value;
    return {};
  };
}

template <class Field>
Setter count(Field& field, std::uint64_t least, std::uint64_t most) {
  return [&field, least, most](std::string_view text) -> Result<void> {
    const auto value = base::parse_count(text);
    if (!value) return value.error();
    if (*value < least || *value > most)
      return Error(Errc::usage, std::to_string(least) + " to " + base::format_count(most));
    field = static_cast<typename Field::value_type>(*value);
    return {};
  };
}

template <class Field>
Setter text(Field& field) {
  return [&field](std::string_view value) -> Result<void> {
    if (value.empty()) return Error(Errc::usage, "must not be empty");
    field = std::string(value);
    return {};
  };
}

template <class Field, class Value>
Setter constant(Field& field, Value value) {
  return [&field, value](std::string_view) -> Result<void> {
    field = value;
    return {};
  };
}

template <class Value>
struct Word {
  const char* name;
  Value value;
};

template <class Field, class Value>
Setter one_of(Field& field, std::vector<Word<Value>> words) {
  return [&field, words = std::move(words)](std::string_view text) -> Result<void> {
    std::string names;
    for (const auto& word : words) {
      if (text == word.name) {
        field = word.value;
        return {};
      }
      names += (names.empty() ? "" : ", ") + std::string(word.name);
    }
    return Error(Errc::usage, "one of " + names);
  };
}

// An error whose text may be shown, for a value that may not.
Result<void> refuse(TailConfig& config, const Error& error) {
  if (!config.refused) config.refused = error;
  return {};
}

bool may_hold_secret(std::string_view url) {
  return url.find('@') != std::string_view::npos;
}

Result<void> set_url(TailConfig& config, std::string_view text, const std::string& name) {
  auto url = parse_url_or_host_port(text);
  if (url) {
    config.approach.url = std::move(*url);
    return {};
  }
  if (may_hold_secret(text) || text.find('?') != std::string_view::npos)
    return refuse(config, Error(Errc::usage, name + ": " + url.error().message()));
  return url.error();
}

Result<void> set_user(TailConfig& config, std::string_view text) {
  if (text.find(':') != std::string_view::npos)
    return refuse(
        config,
        Error(Errc::usage,
              "--user takes a name only: what stands in argv can be read by every user of this "
              "machine. Give the password by --password-file FILE, --password-command CMD, "
              "CLAWWS_PASSWORD, --netrc or the prompt"));
  if (text.empty()) return Error(Errc::usage, "must not be empty");
  config.approach.credentials.user = std::string(text);
  return {};
}

Result<void> set_since(TailConfig& config, std::string_view text) {
  config.since_ago.reset();
  if (auto since = wire::parse_since(text)) {
    config.stream.since = std::move(*since);
    return {};
  }
  const auto ago = base::parse_duration(text);
  if (!ago)
    return Error(Errc::usage,
                 "one of earliest, EPOCH:SEQ, how long ago (10m) or a time (2026-02-21T14:30:00Z)");
  config.since_ago = *ago;
  return {};
}

Result<void> set_pin(TailConfig& config, std::string_view pins) {
  for (const auto pin : base::split(pins, ';')) {
    const auto digest =
        pin.starts_with("sha256//") ? base::base64_decode(pin.substr(8)) : std::nullopt;
    if (!digest || digest->size() != 32)
      return Error(Errc::usage,
                   "sha256// and the base64 of 32 bytes, as in an error about the certificate");
    config.approach.tls.pins.push_back("sha256//" + base::base64_encode(*digest));
  }
  return {};
}

Result<void> set_positional(TailConfig& config, std::string_view text) {
  if (text.find("://") != std::string_view::npos) return set_url(config, text, "URL");
  if (may_hold_secret(text)) return set_url(config, text, "URL");
  if (text.find_first_of(":/") != std::string_view::npos)
    return Error(Errc::usage,
                 "neither a URL (wss://HOST:PORT/ws) nor an event type; for HOST:PORT use --url");
  config.stream.types.emplace_back(text);
  const auto filter = wire::Filter::from_globs({std::string(text)});
  if (!filter) return filter.error();
  return {};
}

// ---- the table --------------------------------------------------------------------------------

Flag flag(const char* name, char letter, const char* value_name, const char* group,
          const char* help, const char* default_text, Setter set) {
  Flag out;
  out.name = name;
  out.letter = letter;
  out.kind = *value_name == '\0' ? FlagKind::toggle : FlagKind::value;
  out.value_name = value_name;
  out.group = group;
  out.help = help;
  out.default_text = default_text;
  out.set = std::move(set);
  return out;
}

void add_connection(std::vector<Flag>& flags, TailConfig& config) {
  auto& tls = config.approach.tls;
  auto& reconnect = config.reconnect;
  flags.push_back(flag("url", 0, "URL|HOST:PORT", k_connection, "the server",
                       "the local server's, else wss://localhost:8443/ws",
                       [&config](std::string_view v) { return set_url(config, v, "--url"); }));
  flags.push_back(
      flag("state-dir", 0, "DIR", k_connection,
           "where the local server keeps its state (else CLAWWS_STATE_DIR and the usual places)",
           "", text(config.approach.state_dir)));
  flags.back().from_environment = false;
  flags.push_back(flag("cacert", 0, "FILE", k_connection,
                       "trust the CA certificates in this PEM file", "the system's",
                       text(tls.ca_file)));
  flags.push_back(
      flag("cert", 0, "FILE", k_connection, "client certificate, PEM", "", text(tls.cert_file)));
  flags.push_back(flag("key", 0, "FILE", k_connection, "its private key, PEM", "in the --cert file",
                       text(tls.key_file)));
  flags.push_back(flag("pinnedpubkey", 0, "sha256//B64", k_connection,
                       "accept only this public key (several: separated by ;)", "",
                       [&config](std::string_view v) { return set_pin(config, v); }));
  flags.push_back(flag("resolve", 0, "HOST:PORT:ADDRESS", k_connection,
                       "use this address for HOST:PORT", "",
                       [&config](std::string_view v) -> Result<void> {
                         auto entry = net::parse_resolve_entry(v);
                         if (!entry) return entry.error();
                         config.approach.resolve.push_back(std::move(*entry));
                         return {};
                       }));
  flags.back().kind = FlagKind::repeat;
  flags.push_back(flag("insecure", 'k', "", k_connection,
                       "do not verify the server's certificate (a pin still counts)", "",
                       constant(tls.verify, net::ClientTlsConfig::Verify::none)));
  flags.push_back(flag("connect-timeout", 0, "DUR", k_connection,
                       "give up one attempt (DNS, TCP, TLS, upgrade) after this", "2.5s",
                       duration(config.approach.connect_timeout, Millis(10))));
  flags.push_back(flag("wait", 0, "DUR", k_connection,
                       "wait for the server at the first connect too (without DUR: for ever)", "",
                       [&reconnect](std::string_view v) -> Result<void> {
                         reconnect.first_connect = ReconnectConfig::FirstConnect::wait;
                         reconnect.wait_limit.reset();
                         if (v.empty()) return {};
                         return duration(reconnect.wait_limit, Millis(0))(v);
                       }));
  flags.back().kind = FlagKind::optional_value;
  flags.push_back(flag("no-reconnect", 0, "", k_connection, "end when the connection is lost", "",
                       constant(reconnect.afterwards, ReconnectConfig::Afterwards::end)));
  flags.push_back(flag("max-retries", 0, "N", k_connection, "give up after N retries in one outage",
                       "no limit", count(reconnect.max_retries, 0, 1'000'000'000)));
  flags.push_back(flag("max-outage", 0, "DUR", k_connection, "give up when an outage lasts longer",
                       "no limit", duration(reconnect.max_outage, Millis(0))));
  flags.push_back(flag("retry-base", 0, "DUR", k_connection,
                       "first window of the random delay before a retry", "250ms",
                       duration(reconnect.backoff.base, Millis(1))));
  flags.push_back(flag("retry-cap", 0, "DUR", k_connection,
                       "largest window (at most 2s in the first 2 minutes of an outage)", "30s",
                       duration(reconnect.backoff.cap, Millis(1))));
}

void add_credentials(std::vector<Flag>& flags, TailConfig& config) {
  auto& who = config.approach.credentials;
  // The environment's own names and their order are CredentialReader's business.
  const auto place = [&](const char* name, const char* value_name, const char* help) {
    flags.push_back(
        flag(name, 0, value_name, k_who, help, "", [](std::string_view value) -> Result<void> {
          if (value.empty()) return Error(Errc::usage, "must not be empty");
          return {};
        }));
    flags.back().from_environment = false;
  };
  flags.push_back(flag("user", 'u', "NAME", k_who,
                       "user name (never with a password: argv is public)", "",
                       [&config](std::string_view v) { return set_user(config, v); }));
  place("password-file", "FILE|-|fd:N", "read the password from a file, stdin or a descriptor");
  place("token-file", "FILE|-|fd:N", "read a token instead");
  place("password-command", "CMD", "run CMD with sh and take what it prints");
  flags.push_back(flag("netrc", 0, "", k_who, "look into ~/.netrc", "",
                       constant(who.netrc, CredentialConfig::Netrc::on)));
  flags.push_back(flag("netrc-file", 0, "FILE", k_who, "look into this file of that form", "",
                       [&who](std::string_view v) -> Result<void> {
                         who.netrc = CredentialConfig::Netrc::on;
                         return text(who.netrc_file)(v);
                       }));
}

void add_stream(std::vector<Flag>& flags, TailConfig& config) {
  flags.push_back(
      flag("since", 0, "WHEN", k_stream,
           "begin with older events: earliest, EPOCH:SEQ, 10m (ago) or an RFC 3339 time", "",
           [&config](std::string_view v) { return set_since(config, v); }));
  flags.push_back(flag("last", 'n', "N", k_stream, "begin with the N newest events", "",
                       count(config.stream.last, 1, 100'000)));
}

void add_output(std::vector<Flag>& flags, TailConfig& config) {
  flags.push_back(flag(
      "output", 'o', "FORMAT", k_output, "pretty or ndjson", "pretty on a terminal, else ndjson",
      one_of<decltype(config.format), OutputFormat>(
          config.format, {{"pretty", OutputFormat::pretty}, {"ndjson", OutputFormat::ndjson}})));
  flags.push_back(flag("time", 0, "FORM", k_output,
                       "local, utc, iso, delta or none, in pretty lines", "local",
                       one_of<TimeFormat, TimeFormat>(config.time, {{"local", TimeFormat::local},
                                                                    {"utc", TimeFormat::utc},
                                                                    {"iso", TimeFormat::iso},
                                                                    {"delta", TimeFormat::delta},
                                                                    {"none", TimeFormat::none}})));
  flags.push_back(
      flag("color", 0, "WHEN", k_output, "auto, always or never", "auto",
           one_of<ColorChoice, ColorChoice>(config.color, {{"auto", ColorChoice::automatic},
                                                           {"always", ColorChoice::always},
                                                           {"never", ColorChoice::never}})));
  flags.push_back(
      flag("status", 0, "WHEN", k_output,
           "status line on stderr: auto (on a terminal), always or never", "auto",
           one_of<StatusChoice, StatusChoice>(config.status, {{"auto", StatusChoice::automatic},
                                                              {"always", StatusChoice::always},
                                                              {"never", StatusChoice::never}})));
  flags.push_back(flag("queue", 0, "SIZE", k_output,
                       "hold this much for a slow reader, then let the server feel it", "64MiB",
                       [&config](std::string_view v) -> Result<void> {
                         const auto size = base::parse_size(v);
                         if (!size) return size.error();
                         if (*size < 64 * 1024) return Error(Errc::usage, "at least 64KiB");
                         config.queue_bytes = *size;
                         return {};
                       }));
  flags.push_back(flag("quiet", 'q', "", k_output, "only errors on stderr", "",
                       constant(config.verbosity, Verbosity::quiet)));
  flags.push_back(flag("verbose", 'v', "", k_output, "say more about the connection on stderr", "",
                       constant(config.verbosity, Verbosity::verbose)));
}

void add_end(std::vector<Flag>& flags, TailConfig& config) {
  flags.push_back(flag("count", 0, "N", k_end, "end with 0 after N events", "",
                       count(config.count, 1, 1'000'000'000'000)));
  flags.push_back(flag("for", 0, "DUR", k_end, "end with 0 after this time", "",
                       duration(config.run_for, Millis(1))));
  flags.push_back(flag("timeout", 0, "DUR", k_end, "end with 124 after this time", "",
                       duration(config.timeout, Millis(1))));
  flags.push_back(flag("idle-timeout", 0, "DUR", k_end,
                       "end with 124 after this time without an event", "",
                       duration(config.idle_timeout, Millis(1))));
}

constexpr const char* k_epilog =
    "Types are globs: session.*, agent.status. bench.sample is shown only when asked for by name.\n"
    "The password comes from the first that is there: --password-file, --token-file,\n"
    "--password-command, $CREDENTIALS_DIRECTORY/clawws.password, CLAWWS_PASSWORD_FILE,\n"
    "CLAWWS_PASSWORD, --netrc, the local server's own, a prompt (with --user).\n"
    "Signals: SIGUSR1 prints one summary line, SIGUSR2 retries at once.\n"
    "\n"
    "Exit status: 0 the asked-for end, or the reader of the pipe left; 1 internal or I/O failure;\n"
    "2 usage; 3 could not connect; 4 not accepted; 5 TLS; 6 protocol; 124 --timeout or\n"
    "--idle-timeout; 130, 143 signal.\n"
    "\n"
    "Examples:\n"
    "  clawws tail                              the local server's events as they come\n"
    "  clawws tail -n 20 'cron.*'               the 20 newest cron events, then live ones\n"
    "  clawws tail --since 10m --for 1s | jq .  what happened in the last 10 minutes\n"
    "  clawws tail -u admin --password-file pw wss://panel.example/ws\n";

}  // namespace

base::FlagSpec tail_flags(TailConfig& config) {
  base::FlagSpec spec;
  spec.program = "clawws tail";
  spec.summary =
      "Shows a clawws server's events as they happen; reconnects and resumes without loss.";
  spec.usage = "clawws tail [OPTIONS] [URL] [TYPE...]";
  spec.epilog = k_epilog;
  add_stream(spec.flags, config);
  add_output(spec.flags, config);
  add_end(spec.flags, config);
  add_credentials(spec.flags, config);
  add_connection(spec.flags, config);
  spec.positionals.push_back({"URL or TYPE", "the server, or a glob over event types; in any order",
                              [&config](std::string_view v) { return set_positional(config, v); }});
  return spec;
}

Result<void> validate(TailConfig& config, const base::FlagOutcome& outcome,
                      const Environment& environment) {
  if (config.refused) return *config.refused;
  if (config.stream.last &&
      (config.since_ago || config.stream.since.kind != wire::Since::Kind::none))
    return Error(Errc::usage, "--since and --last both say where to begin: give one of them");
  if (outcome.given.contains("quiet") && outcome.given.contains("verbose"))
    return Error(Errc::usage, "--quiet and --verbose contradict each other");
  if (!config.approach.tls.key_file.empty() && config.approach.tls.cert_file.empty())
    return Error(Errc::usage, "--key needs --cert");
  auto filter = wire::Filter::from_globs(config.stream.types);
  if (!filter) return Error(Errc::usage, filter.error().message());
  config.stream.types = filter->globs();

  using Kind = SecretPlace::Kind;
  auto& who = config.approach.credentials;
  for (const auto& [name, kind] :
       {std::pair{"password-file", Kind::password_file}, std::pair{"token-file", Kind::token_file},
        std::pair{"password-command", Kind::password_command}}) {
    const auto given = outcome.given.find(name);
    if (given == outcome.given.end()) continue;
    // A flag beats the environment, which beats the config file.
    const bool is_flag = given->second.origin == base::Origin::flag;
    auto& places = is_flag ? who.places : who.later_places;
    places.push_back({kind, given->second.values.back(), "--" + std::string(name)});
  }
  const auto from_environment = environment_places(environment);
  who.places.insert(who.places.end(), from_environment.begin(), from_environment.end());
  return {};
}

}  // namespace clawws::client
