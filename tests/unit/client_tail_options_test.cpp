#include "clawws/client/tail_options.hpp"

#include <gtest/gtest.h>

#include <map>

#include "support/temp_dir.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using base::Millis;

class ClientTailOptions : public testing::Test {
 protected:
  // "" when all is well, else the error.
  std::string parse(std::vector<std::string> args) {
    config = {};
    spec = tail_flags(config);
    const auto outcome = base::parse_flags(spec, args, [this](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
    if (!outcome) {
      code = outcome.error().code;
      return outcome.error().message();
    }
    printed = base::print_config(spec, *outcome);
    const auto checked =
        validate(config, *outcome, [this](const char* name) { return variables[name]; });
    if (checked) return "";
    code = checked.error().code;
    return checked.error().message();
  }
  void expect_refused(std::vector<std::string> args, const std::string& says) {
    const std::string error = parse(args);
    EXPECT_NE(error.find(says), std::string::npos) << error;
    EXPECT_EQ(code, Errc::usage) << error;
  }

  std::map<std::string, std::string> variables;
  base::FlagSpec spec;
  TailConfig config;
  Errc code = Errc::internal;
  std::string printed;
};

TEST_F(ClientTailOptions, NeedsNothing) {
  EXPECT_EQ(parse({}), "");
  EXPECT_FALSE(config.approach.url);
  EXPECT_TRUE(config.stream.types.empty());
  EXPECT_EQ(config.reconnect.backoff.base, Millis(250));
  EXPECT_EQ(config.reconnect.backoff.cap, Millis(30'000));
  EXPECT_EQ(config.approach.connect_timeout, Millis(2'500));
}

TEST_F(ClientTailOptions, TellsUrlFromTypes) {
  EXPECT_EQ(parse({"session.*", "wss://panel.example:1", "agent.status_changed"}), "");
  EXPECT_EQ(config.approach.url->text(), "wss://panel.example:1/ws");
  EXPECT_EQ(config.stream.types, (std::vector<std::string>{"session.*", "agent.status"}));
  EXPECT_EQ(parse({"localhost:8443", "cron.*"}), "");
  EXPECT_EQ(config.approach.url->text(), "wss://localhost:8443/ws");
  EXPECT_EQ(parse({"[::1]:8443"}), "");
  expect_refused({"localhost"}, "--url");
  expect_refused({"127.0.0.1"}, "--url");
  expect_refused({"my-panel.example"}, "--url");
  expect_refused({"03:54"}, "--url");
  expect_refused({"localhost:0"}, "--url");
  expect_refused({"--wait", "2s"}, "--wait=2s");
  expect_refused({"1.5s"}, "--for 1.5s");
  expect_refused({"Session"}, "Session");
  expect_refused({"Session.*"}, "a-z");
  expect_refused({"ws://h"}, "wss://");
}

TEST_F(ClientTailOptions, RefusesSecretsAndDoesNotRepeatThem) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"-u", "admin:s3cret"},
                                               {"--user=admin:s3cret"},
                                               {"wss://admin:s3cret@h/ws"},
                                               {"--url", "wss://admin:s3cret@h/ws"},
                                               {"admin:s3cret@h:8443"},
                                               {"--url=admin:s3cret@h:8443"},
                                               {"wss://h/ws?ticket=s3cret"}}) {
    const std::string error = parse(args);
    EXPECT_EQ(code, Errc::usage);
    EXPECT_EQ(error.find("s3cret"), std::string::npos) << error;
    EXPECT_NE(error.find("--password-file"), std::string::npos) << error;
  }
  expect_refused({"--password", "s3cret"}, "unknown flag --password");
}

TEST_F(ClientTailOptions, ReadsWhereToBegin) {
  EXPECT_EQ(parse({"--since", "earliest"}), "");
  EXPECT_EQ(config.stream.since.kind, wire::Since::Kind::earliest);
  EXPECT_EQ(parse({"--since", "k3f9c2a1:5"}), "");
  EXPECT_EQ(config.stream.since.position, (wire::Position{"k3f9c2a1", 5}));
  EXPECT_EQ(parse({"--since", "2026-02-21T14:30:00Z"}), "");
  EXPECT_EQ(config.stream.since.kind, wire::Since::Kind::time);
  EXPECT_EQ(parse({"--since", "10m"}), "");
  EXPECT_EQ(config.since_ago, Millis(600'000));
  expect_refused({"--since", "yesterday"}, "10m");
  expect_refused({"--since", "03:54"}, "a position EPOCH:SEQ");
  expect_refused({"--since", "k3f9c2a:5"}, "a position EPOCH:SEQ");
  EXPECT_EQ(parse({"--since", "now"}), "");
  EXPECT_EQ(config.stream.since.kind, wire::Since::Kind::none);
  EXPECT_EQ(parse({"--last", "0"}), "");
  EXPECT_FALSE(config.stream.last);
  EXPECT_EQ(parse({"-n", "20"}), "");
  EXPECT_EQ(config.stream.last, 20u);
  expect_refused({"-n", "-1"}, "--last");
  expect_refused({"-n", "5", "--since", "10m"}, "one of them");
}

TEST_F(ClientTailOptions, ReadsLocalTimes) {
  ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  ::tzset();
  for (const auto& [text, time] : {std::pair{"2026-11-23", "2026-11-22T23:00:00Z"},
                                   {"2026-11-23T03:54", "2026-11-23T02:54:00Z"},
                                   {"2026-11-23 03:54:05", "2026-11-23T02:54:05Z"},
                                   {"2026-07-01T12:00", "2026-07-01T10:00:00Z"}}) {
    EXPECT_EQ(parse({"--since", text}), "");
    EXPECT_EQ(config.stream.since.kind, wire::Since::Kind::time);
    EXPECT_EQ(base::format_rfc3339(config.stream.since.unix_millis),
              std::string(time).insert(19, ".000"));
  }
  // The last one was skipped when the clocks went forward.
  for (const char* none :
       {"2026-02-30", "2026-11-23T25:00", "2026-11-23T03:5", "2026-11", "2026-03-29T02:30"})
    expect_refused({"--since", none}, "a local time");
  ::setenv("TZ", "UTC", 1);
  ::tzset();
}

TEST_F(ClientTailOptions, HelpExplainsItselfByItsOwnOptions) {
  EXPECT_EQ(parse({}), "");
  const std::string help = base::help_text(spec);
  EXPECT_NE(help.find("CLAWWS_RETRY_CAP for --retry-cap"), std::string::npos) << help;
  EXPECT_NE(help.find("`retry-cap = 30s`"), std::string::npos) << help;
  EXPECT_EQ(help.find("PING"), std::string::npos);
}

TEST_F(ClientTailOptions, ReadsReconnecting) {
  EXPECT_EQ(parse({"--wait", "--max-retries=3", "--max-outage", "5m", "--retry-base", "1s",
                   "--retry-cap", "10s", "--connect-timeout", "500ms", "--no-reconnect"}),
            "");
  EXPECT_EQ(config.reconnect.first_connect, ReconnectConfig::FirstConnect::wait);
  EXPECT_FALSE(config.reconnect.wait_limit);
  EXPECT_EQ(config.reconnect.max_retries, 3u);
  EXPECT_EQ(config.reconnect.max_outage, Millis(300'000));
  EXPECT_EQ(config.reconnect.backoff.base, Millis(1'000));
  EXPECT_EQ(config.reconnect.backoff.cap, Millis(10'000));
  EXPECT_EQ(config.approach.connect_timeout, Millis(500));
  EXPECT_EQ(config.reconnect.afterwards, ReconnectConfig::Afterwards::end);
  EXPECT_EQ(parse({"--wait=10s"}), "");
  EXPECT_EQ(config.reconnect.wait_limit, Millis(10'000));
  expect_refused({"--retry-base", "0"}, "--retry-base");
  expect_refused({"--connect-timeout", "5"}, "--connect-timeout");
}

TEST_F(ClientTailOptions, ReadsOutputAndEnds) {
  EXPECT_EQ(parse({"-o", "ndjson", "--time", "iso", "--color=never", "--status", "always",
                   "--queue", "1MiB", "--count", "2k", "--for", "1h", "--timeout", "2h",
                   "--idle-timeout", "1m", "--until-live", "-q"}),
            "");
  EXPECT_EQ(config.format, OutputFormat::ndjson);
  EXPECT_EQ(config.time, TimeFormat::iso);
  EXPECT_EQ(config.color, ColorChoice::never);
  EXPECT_EQ(config.status, StatusChoice::always);
  EXPECT_EQ(config.queue_bytes, 1u << 20);
  EXPECT_EQ(config.count, 2'000u);
  EXPECT_EQ(config.run_for, Millis(3'600'000));
  EXPECT_EQ(config.timeout, Millis(7'200'000));
  EXPECT_EQ(config.idle_timeout, Millis(60'000));
  EXPECT_EQ(config.until, TailConfig::End::caught_up);
  EXPECT_EQ(config.verbosity, Verbosity::quiet);
  expect_refused({"-o", "yaml"}, "pretty, ndjson");
  expect_refused({"-o", "json"}, "did you mean ndjson?");
  expect_refused({"--count", "0"}, "--count");
  expect_refused({"-q", "-v"}, "contradict");
  expect_refused({"--queue", "1k"}, "64KiB");
}

TEST_F(ClientTailOptions, ReadsTlsOptions) {
  const std::string pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  EXPECT_EQ(parse({"--cacert", "ca", "--cert", "c", "--key", "k", "--pinnedpubkey", pin,
                   "--resolve", "h:1:127.0.0.1", "-k"}),
            "");
  EXPECT_EQ(config.approach.tls.ca_file, "ca");
  EXPECT_EQ(config.approach.tls.pins, std::vector<std::string>{pin});
  EXPECT_EQ(config.approach.tls.verify, net::ClientTlsConfig::Verify::none);
  EXPECT_EQ(config.approach.resolve.size(), 1u);
  expect_refused({"--pinnedpubkey", "sha1//x"}, "sha256//");
  expect_refused({"--pinnedpubkey", "sha256//AAAA"}, "32 bytes");
  expect_refused({"--key", "k"}, "--cert");
}

TEST_F(ClientTailOptions, OrdersThePlacesOfAPassword) {
  const test::TempDir dir;
  variables = {{"CLAWWS_PASSWORD", "p"}, {"CLAWWS_PASSWORD_FILE", "/env"}};
  const auto order = [this] {
    std::string text;
    for (const auto& place : config.approach.credentials.places) text += place.name + " ";
    text += "| ";
    for (const auto& place : config.approach.credentials.later_places) text += place.name + " ";
    return text;
  };
  EXPECT_EQ(parse({"--token-file", "/t", "--password-file", "/p", "--password-command", "c"}), "");
  EXPECT_EQ(
      order(),
      "--password-file --token-file --password-command CLAWWS_PASSWORD_FILE CLAWWS_PASSWORD | ");
  // What the config file says comes after the environment.
  const std::string file = dir.write("conf", "password-file = /conf\n");
  EXPECT_EQ(parse({"--config", file}), "");
  EXPECT_EQ(order(), "CLAWWS_PASSWORD_FILE CLAWWS_PASSWORD | --password-file ");
}

TEST_F(ClientTailOptions, PrintsNoSecret) {
  variables = {{"CLAWWS_PASSWORD", "s3cret"}};
  EXPECT_EQ(parse({"-u", "admin"}), "");
  EXPECT_EQ(printed.find("s3cret"), std::string::npos);
  EXPECT_NE(printed.find("admin"), std::string::npos);
}

TEST_F(ClientTailOptions, TakesTheEnvironmentAndNamesTheNearestFlag) {
  variables = {{"CLAWWS_URL", "h:7"}, {"CLAWWS_USER", "me"}};
  EXPECT_EQ(parse({}), "");
  EXPECT_EQ(config.approach.url->text(), "wss://h:7/ws");
  EXPECT_EQ(config.approach.credentials.user, "me");
  expect_refused({"--idle-timout", "1s"}, "--idle-timeout");
}

TEST_F(ClientTailOptions, KeepsAPlaceAndSaysWhatAGapMeans) {
  EXPECT_EQ(parse({}), "");
  EXPECT_FALSE(config.cursor_file);
  EXPECT_EQ(config.on_gap, TailConfig::OnGap::report);
  EXPECT_EQ(config.meta, TailConfig::Meta::none);
  EXPECT_EQ(parse({"--cursor-file", "at", "--on-gap", "exit", "--since", "earliest"}), "");
  EXPECT_EQ(config.cursor_file, "at");
  EXPECT_EQ(config.on_gap, TailConfig::OnGap::exit);
  EXPECT_EQ(parse({"--on-gap=ignore"}), "");
  EXPECT_EQ(config.on_gap, TailConfig::OnGap::ignore);
  expect_refused({"--on-gap", "die"}, "report, exit, ignore");
  expect_refused({"--cursor-file", ""}, "empty");
}

TEST_F(ClientTailOptions, RecordsNeedJsonLines) {
  EXPECT_EQ(parse({"--meta", "inline"}), "");
  EXPECT_EQ(config.format, OutputFormat::ndjson);
  EXPECT_EQ(parse({"--meta", "inline", "-o", "ndjson"}), "");
  EXPECT_EQ(parse({"--meta", "none", "-o", "pretty"}), "");
  expect_refused({"--meta", "inline", "-o", "pretty"}, "--output ndjson");
}

}  // namespace
}  // namespace clawws::client
