#include "clawws/client/tail_options.hpp"

#include <algorithm>
#include <ctime>
#include <functional>

#include "clawws/base/flag_setters.hpp"
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
using namespace base::setters;

constexpr const char* k_connection = "Connection";
constexpr const char* k_stream = "What to show";
constexpr const char* k_output = "Output";
constexpr const char* k_end = "When to end";

constexpr std::size_t k_epoch_characters = 8;

// "2026-11-23", "2026-11-23T03:54" or "2026-11-23 03:54:05", in local time; as milliseconds since
// 1970. Nothing when it is none of these or when the clocks have skipped that time.
std::optional<std::int64_t> parse_local_time(std::string_view text) {
  std::string whole(text);
  if (whole.size() == 10) whole += "T00:00";
  if (whole.size() == 16) whole += ":00";
  // With a zone it is what the strict reader takes, so dates that there are not are refused here.
  if (whole.size() != 19 || !base::parse_rfc3339(whole + "Z")) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    return std::stoi(whole.substr(at, size));
  };
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(5, 2) - 1;
  parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2);
  parts.tm_min = number(14, 2);
  parts.tm_sec = std::min(number(17, 2), 59);
  parts.tm_isdst = -1;
  const int hour = parts.tm_hour;
  const std::time_t seconds = std::mktime(&parts);
  if (seconds < 0 || parts.tm_hour != hour) return std::nullopt;
  return std::int64_t{seconds} * 1000;
}

Result<void> set_since(TailConfig& config, std::string_view text) {
  config.since_ago.reset();
  config.stream.since = {};
  if (text == "now") return {};
  if (auto since = wire::parse_since(text)) {
    // "03:54" would be one in the protocol's grammar, but no server makes such an epoch.
    if (since->kind != wire::Since::Kind::position ||
        since->position.epoch.size() == k_epoch_characters) {
      config.stream.since = std::move(*since);
      return {};
    }
  } else if (const auto millis = parse_local_time(text)) {
    config.stream.since = {wire::Since::Kind::time, {}, *millis};
    return {};
  } else if (const auto ago = base::parse_duration(text)) {
    config.since_ago = *ago;
    return {};
  }
  return Error(Errc::usage,
               "must be earliest, now, how long ago (10m), a local time (2026-02-21, "
               "2026-02-21T14:30), an RFC 3339 time (2026-02-21T14:30:00Z) or a position EPOCH:SEQ "
               "(k3f9c2a1:8812, as in \"live at k3f9c2a1:8812\")");
}

// HOST:PORT that can be nothing else: no time of day, no user name with a password.
bool is_host_port(std::string_view text) {
  const auto where = net::parse_host_port(text);
  return where && where->port != 0 &&
         where->host.find_first_not_of("0123456789") != std::string::npos;
}

// No event type: those begin with a letter, have a dot and no hyphen.
bool looks_like_a_host(std::string_view text) {
  if (text.find('*') != std::string_view::npos) return false;
  return text.find('.') == std::string_view::npos || text.find('-') != std::string_view::npos ||
         (text.front() >= '0' && text.front() <= '9');
}

Result<void> set_positional(TailConfig& config, std::string_view text) {
  if (text.find("://") != std::string_view::npos || may_hold_secret(text) || is_host_port(text))
    return set_server_url(config, text, "URL");
  if (base::parse_duration(text)) {
    const std::string duration(text);
    return Error(Errc::usage, config.reconnect.first_connect == ReconnectConfig::FirstConnect::wait
                                  ? "no event type; to wait that long, write --wait=" + duration
                                  : "no event type; a duration stands behind its option, as in "
                                    "--wait=" +
                                        duration + " or --for " + duration);
  }
  if (text.find_first_of(":/") != std::string_view::npos)
    return Error(Errc::usage,
                 "neither a URL (wss://HOST:PORT/ws) nor an event type; for HOST:PORT use --url");
  if (!text.empty() && looks_like_a_host(text))
    return Error(Errc::usage,
                 "no event type (such as session.created or 'session.*'); a server is named by "
                 "--url HOST:PORT or wss://HOST:PORT");
  config.stream.types.emplace_back(text);
  const auto filter = wire::Filter::from_globs({std::string(text)});
  if (!filter) return filter.error();
  return {};
}

// ---- the table --------------------------------------------------------------------------------

void add_reconnecting(std::vector<Flag>& flags, TailConfig& config) {
  auto& reconnect = config.reconnect;
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

void add_stream(std::vector<Flag>& flags, TailConfig& config) {
  flags.push_back(flag(
      "since", 0, "WHEN", k_stream,
      "begin with older events: earliest, 10m (ago), a time (2026-02-21T14:30 is local, with Z "
      "or an offset RFC 3339), a position EPOCH:SEQ; or now",
      "now", [&config](std::string_view v) { return set_since(config, v); }));
  flags.push_back(flag("last", 'n', "N", k_stream, "begin with the N newest events", "0",
                       [&config](std::string_view v) -> Result<void> {
                         config.stream.last.reset();
                         if (v == "0") return {};
                         return count(config.stream.last, 1, 100'000)(v);
                       }));
  flags.push_back(flag("state", 0, "", k_stream,
                       "show what the events add up to (sessions, agents, cron jobs, gateway) and end", "",
                       constant(config.shows_state, true)));
  flags.push_back(flag("follow", 0, "", k_stream, "with --state: keep it up to date until interrupted", "",
                       constant(config.follows, true)));
  flags.push_back(flag("cursor-file", 0, "FILE", k_stream,
                       "keep the place in the stream in FILE and go on there at the next start; "
                       "--since and --last count only while there is no FILE",
                       "", text(config.cursor_file)));
  flags.push_back(flag("on-gap", 0, "WHAT", k_stream,
                       "when events are lost: report it, exit with 7, or ignore it", "report",
                       one_of<TailConfig::OnGap, TailConfig::OnGap>(
                           config.on_gap, {{"report", TailConfig::OnGap::report},
                                           {"exit", TailConfig::OnGap::exit},
                                           {"ignore", TailConfig::OnGap::ignore}})));
}

void add_output(std::vector<Flag>& flags, TailConfig& config) {
  flags.push_back(flag(
      "output", 'o', "FORMAT", k_output, "pretty or ndjson", "pretty on a terminal, else ndjson",
      one_of<decltype(config.format), OutputFormat>(
          config.format, {{"pretty", OutputFormat::pretty}, {"ndjson", OutputFormat::ndjson}})));
  flags.push_back(flag(
      "meta", 0, "WHERE", k_output,
      "inline: records of the stream itself (clawws.gap, clawws.live ...) between "
      "the events, in ndjson; or none",
      "none",
      one_of<TailConfig::Meta, TailConfig::Meta>(
          config.meta, {{"none", TailConfig::Meta::none}, {"inline", TailConfig::Meta::inline_}})));
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
  flags.push_back(flag("until-live", 0, "", k_end,
                       "end with 0 when all that was there at the connect has been shown", "",
                       constant(config.until, TailConfig::End::caught_up)));
  flags.push_back(flag("for", 0, "DUR", k_end, "end with 0 this long after the first connect", "",
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
    "2 usage; 3 could not connect; 4 not accepted; 5 TLS; 6 protocol; 7 events were lost and\n"
    "--on-gap exit; 124 --timeout or --idle-timeout; 130, 143 signal.\n"
    "\n"
    "Examples:\n"
    "  clawws tail                                   the local server's events as they come\n"
    "  clawws tail -n 20 'cron.*'                    the 20 newest cron events, then live ones\n"
    "  clawws tail --since 10m --until-live | jq .   what happened in the last 10 minutes\n"
    "  clawws tail --since k3f9c2a1:8812             what came after that position (\"live at "
    "…\")\n"
    "  clawws tail --state --follow                  who is at work, how the cron jobs ended\n"
    "  clawws tail --cursor-file at --on-gap exit    goes on where the last run ended\n"
    "  clawws tail -u admin --password-file pw wss://panel.example/ws\n";

}  // namespace

base::FlagSpec tail_flags(TailConfig& config) {
  base::FlagSpec spec;
  spec.program = "clawws tail";
  spec.summary =
      "Shows a clawws server's events as they happen; reconnects and resumes without loss.";
  spec.usage = "clawws tail [OPTIONS] [URL] [TYPE...]";
  spec.example_flag = "retry-cap";
  spec.example_value = "30s";
  spec.epilog = k_epilog;
  add_stream(spec.flags, config);
  add_output(spec.flags, config);
  add_end(spec.flags, config);
  add_credential_flags(spec.flags, config);
  add_server_flags(spec.flags, config);
  add_reconnecting(spec.flags, config);
  spec.positionals.push_back({"URL or TYPE", "the server, or a glob over event types; in any order",
                              [&config](std::string_view v) { return set_positional(config, v); }});
  return spec;
}

Result<void> validate(TailConfig& config, const base::FlagOutcome& outcome,
                      const Environment& environment) {
  if (auto approach = validate_approach(config, outcome, environment); !approach) return approach;
  if (outcome.given.contains("since") && outcome.given.contains("last"))
    return Error(Errc::usage, "--since and --last both say where to begin: give one of them");
  if (outcome.given.contains("quiet") && outcome.given.contains("verbose"))
    return Error(Errc::usage, "--quiet and --verbose contradict each other");
  if (config.meta == TailConfig::Meta::inline_) {
    if (config.format.value_or(OutputFormat::ndjson) != OutputFormat::ndjson)
      return Error(Errc::usage,
                   "--meta inline puts JSON records between the events: it needs "
                   "--output ndjson");
    config.format = OutputFormat::ndjson;
  }
  if (config.follows && !config.shows_state)
    return Error(Errc::usage, "--follow belongs to --state; events are followed anyway");
  if (config.shows_state) {
    for (const char* name : {"since", "last", "cursor-file", "on-gap", "meta", "count", "until-live", "for", "idle-timeout"}) {
      if (outcome.given.contains(name))
        return Error(Errc::usage, "--state shows no single events, so --" + std::string(name) + " has no meaning with it");
    }
    if (!config.stream.types.empty())
      return Error(Errc::usage, "--state is made of all events, so it takes no TYPE (" + config.stream.types.front() + ")");
  }
  auto filter = wire::Filter::from_globs(config.stream.types);
  if (!filter) return Error(Errc::usage, filter.error().message());
  config.stream.types = filter->globs();
  return {};
}

}  // namespace clawws::client
