#include "clawws/server/options.hpp"

#include <gtest/gtest.h>

#include <map>

namespace clawws::server {
namespace {

using base::Errc;
using base::Millis;

class ServerOptions : public testing::Test {
 protected:
  // "" when all is well, else the error.
  std::string parse(const std::vector<std::string>& args) {
    options = {};
    const base::FlagSpec spec = serve_flags(options);
    const auto outcome = base::parse_flags(spec, args, [this](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
    if (outcome) return "";
    code = outcome.error().code;
    return outcome.error().message();
  }
  const ServerConfig& config() const { return options.config; }

  std::map<std::string, std::string> variables;
  ServeOptions options;
  Errc code = Errc::internal;
};

TEST_F(ServerOptions, NothingGivenIsTheDefaults) {
  EXPECT_EQ(parse({}), "");
  EXPECT_EQ(options.action, ServeOptions::Action::serve);
  ASSERT_EQ(config().listen.size(), 1U);
  EXPECT_EQ(config().listen[0].host, "127.0.0.1");
  EXPECT_EQ(config().listen[0].port, 8443);
  EXPECT_TRUE(validate(config()).has_value());
}

// What --help says of a default must be what the config holds.
TEST_F(ServerOptions, TheDefaultsInTheTableAreTheConfigs) {
  const ServerConfig defaults;
  const base::FlagSpec spec = serve_flags(options);
  std::map<std::string, std::string> said;
  for (const base::Flag& flag : spec.flags) said[flag.name] = flag.default_text;
  EXPECT_EQ(*base::parse_size(said["max-event"]), defaults.event_rules.max_event_bytes);
  EXPECT_EQ(*base::parse_count(said["max-batch"]), defaults.event_rules.max_batch);
  EXPECT_EQ(*base::parse_size(said["max-body"]), defaults.max_body_bytes);
  EXPECT_EQ(*base::parse_count(said["retain-events"]), defaults.retention.events);
  EXPECT_EQ(base::parse_duration(said["retain-age"])->count(), defaults.retention.age_millis);
  EXPECT_EQ(*base::parse_size(said["retain-bytes"]), defaults.retention.bytes);
  EXPECT_EQ(*base::parse_size(said["log-memory"]), defaults.log_memory_bytes);
  EXPECT_EQ(*base::parse_count(said["max-clients"]), defaults.max_clients);
  EXPECT_EQ(*base::parse_count(said["max-clients-per-ip"]), defaults.max_clients_per_ip);
  EXPECT_EQ(*base::parse_duration(said["max-lag-time"]), defaults.max_lag_time);
  EXPECT_EQ(*base::parse_duration(said["ping-interval"]), defaults.ping_interval);
  EXPECT_EQ(*base::parse_duration(said["drain"]), defaults.drain);
  EXPECT_EQ(*base::parse_duration(said["handshake-timeout"]), defaults.handshake_timeout);
  EXPECT_EQ(*base::parse_duration(said["header-timeout"]), defaults.header_timeout);
  EXPECT_EQ(*base::parse_duration(said["body-timeout"]), defaults.body_timeout);
  EXPECT_EQ(*base::parse_duration(said["upstream-timeout"]), defaults.upstream_timeout);
  EXPECT_EQ(*base::parse_count(said["message-rate"]), defaults.message_rate);
  EXPECT_EQ(*base::parse_count(said["replay-rate"]), defaults.replay_rate);
  EXPECT_EQ(defaults.accept_rate, 0U);
  EXPECT_EQ(said["accept-rate"], "off");
}

TEST_F(ServerOptions, TheFirstListenReplacesTheDefault) {
  EXPECT_EQ(parse({"--listen", "[::1]:0"}), "");
  ASSERT_EQ(config().listen.size(), 1U);
  EXPECT_EQ(config().listen[0].host, "::1");
  EXPECT_EQ(config().listen[0].port, 0);
  EXPECT_EQ(parse({"--listen", "127.0.0.1:1", "--listen=localhost:2"}), "");
  ASSERT_EQ(config().listen.size(), 2U);
  EXPECT_EQ(config().listen[1].host, "localhost");
  EXPECT_EQ(config().listen[1].port, 2);
  variables["CLAWWS_LISTEN"] = "127.0.0.1:9";
  EXPECT_EQ(parse({}), "");
  ASSERT_EQ(config().listen.size(), 1U);
  EXPECT_EQ(config().listen[0].port, 9);
  EXPECT_EQ(parse({"--listen", "127.0.0.1:1"}), "");
  ASSERT_EQ(config().listen.size(), 1U) << "a flag is before the environment";
  EXPECT_EQ(config().listen[0].port, 1);
}

TEST_F(ServerOptions, EachFlagSetsWhatItSays) {
  EXPECT_EQ(parse({"--cert", "c.pem", "--key", "k.pem", "--hsts", "--threads", "3"}), "");
  EXPECT_EQ(config().cert_file, "c.pem");
  EXPECT_EQ(config().key_file, "k.pem");
  EXPECT_EQ(config().hsts, ServerConfig::Hsts::on);
  EXPECT_EQ(config().threads, 3U);

  EXPECT_EQ(
      parse({"--users", "u", "--env-file", "e", "--publisher", "ann", "--publisher", "bob",
             "--origin", "https://a", "--origin", "https://b", "--trusted-proxy", "10.0.0.0/8"}),
      "");
  EXPECT_EQ(config().users_file, "u");
  EXPECT_EQ(config().env_file, "e");
  EXPECT_EQ(config().publishers, (std::vector<std::string>{"ann", "bob"}));
  EXPECT_EQ(config().origins, (std::vector<std::string>{"https://a", "https://b"}));
  EXPECT_EQ(config().trusted_proxies, std::vector<std::string>{"10.0.0.0/8"});

  EXPECT_EQ(parse({"--upstream", "https://app.example:3000", "--upstream-cacert", "ca.pem", "--upstream-timeout", "90s", "--auth-upstream", "/check"}), "");
  EXPECT_EQ(config().auth_upstream, "/check");
  ASSERT_TRUE(config().upstream);
  EXPECT_EQ(config().upstream->authority(), "app.example:3000");
  EXPECT_EQ(config().upstream_cacert, "ca.pem");
  EXPECT_EQ(config().upstream_timeout, std::chrono::seconds(90));

  EXPECT_EQ(parse({"--stdin", "--allow-type", "deploy.*", "--allow-type", "build.done",
                   "--max-event", "128KiB", "--max-batch", "2k", "--max-body", "2MiB"}),
            "");
  EXPECT_EQ(config().stdin_use, ServerConfig::Stdin::events);
  EXPECT_EQ(config().event_rules.allowed_globs,
            (std::vector<std::string>{"deploy.*", "build.done"}));
  EXPECT_EQ(config().event_rules.max_event_bytes, 128U * 1024);
  EXPECT_EQ(config().event_rules.max_batch, 2'000U);
  EXPECT_EQ(config().max_body_bytes, 2U << 20);

  EXPECT_EQ(parse({"--state-dir", "/x/y", "--store", "memory", "--retain-events", "5",
                   "--retain-age", "2h", "--retain-bytes", "3MiB", "--log-memory", "4MiB", "--durability", "fsync"}),
            "");
  EXPECT_EQ(config().durability, hub::Durability::fsync);
  EXPECT_EQ(config().state_dir, "/x/y");
  EXPECT_EQ(config().store, ServerConfig::Store::memory);
  EXPECT_EQ(config().retention.events, 5U);
  EXPECT_EQ(config().retention.age_millis, 7'200'000);
  EXPECT_EQ(config().retention.bytes, 3U << 20);
  EXPECT_EQ(config().log_memory_bytes, 4U << 20);

  EXPECT_EQ(parse({"--max-clients", "7", "--max-lag-time", "1s", "--ping-interval", "2s", "--drain",
                   "3s", "--handshake-timeout", "4s", "--header-timeout", "6s", "--body-timeout",
                   "8s", "--accept-rate", "9", "--message-rate", "11", "--replay-rate", "12"}),
            "");
  EXPECT_EQ(config().max_clients, 7U);
  EXPECT_EQ(config().max_lag_time, Millis(1'000));
  EXPECT_EQ(config().ping_interval, Millis(2'000));
  EXPECT_EQ(config().drain, Millis(3'000));
  EXPECT_EQ(config().handshake_timeout, Millis(4'000));
  EXPECT_EQ(config().header_timeout, Millis(6'000));
  EXPECT_EQ(config().body_timeout, Millis(8'000));
  EXPECT_EQ(config().accept_rate, 9U);
  EXPECT_EQ(config().message_rate, 11U);
}

TEST_F(ServerOptions, ALimitPerAddressHoldsOnLoopbackOnlyWhenItIsGiven) {
  EXPECT_EQ(parse({}), "");
  EXPECT_EQ(config().loopback_limit, ServerConfig::LoopbackLimit::none);
  EXPECT_EQ(parse({"--max-clients-per-ip", "5"}), "");
  EXPECT_EQ(config().max_clients_per_ip, 5U);
  EXPECT_EQ(config().loopback_limit, ServerConfig::LoopbackLimit::as_others);
}

TEST_F(ServerOptions, TheMemoryStoreKeepsLessUnlessItIsTold) {
  EXPECT_EQ(parse({}), "");
  EXPECT_EQ(config().store, ServerConfig::Store::sqlite);
  EXPECT_EQ(effective_retention(config()).bytes, 1U << 30);
  EXPECT_EQ(parse({"--store", "memory"}), "");
  EXPECT_EQ(effective_retention(config()).bytes, 64U << 20);
  EXPECT_EQ(parse({"--store", "memory", "--retain-bytes", "1GiB"}), "");
  EXPECT_EQ(effective_retention(config()).bytes, 1U << 30);
}

TEST_F(ServerOptions, HowItRuns) {
  EXPECT_EQ(parse({"--check"}), "");
  EXPECT_EQ(options.action, ServeOptions::Action::check);
  const std::pair<const char*, ServerConfig::LogFormat> formats[] = {
      {"auto", ServerConfig::LogFormat::automatic},
      {"text", ServerConfig::LogFormat::text},
      {"logfmt", ServerConfig::LogFormat::logfmt},
      {"json", ServerConfig::LogFormat::json}};
  for (const auto& [word, format] : formats) {
    EXPECT_EQ(parse({"--log-format", word}), "");
    EXPECT_EQ(config().log_format, format);
  }
  EXPECT_EQ(parse({"-v"}), "");
  EXPECT_EQ(config().log_level, base::LogLevel::debug);
  EXPECT_EQ(parse({"--quiet"}), "");
  EXPECT_EQ(config().log_level, base::LogLevel::warning);
}

TEST_F(ServerOptions, BadValuesAreNamedWithTheirFlag) {
  const std::vector<std::string> cases[] = {{"--listen", "8443"},
                                            {"--listen", "host"},
                                            {"--listen", "host:65536"},
                                            {"--listen", ":1"},
                                            {"--threads", "two"},
                                            {"--threads", "-1"},
                                            {"--max-event", "64XB"},
                                            {"--max-batch", "1.5"},
                                            {"--retain-age", "5"},
                                            {"--retain-age", "-5s"},
                                            {"--ping-interval", "soon"},
                                            {"--store", "sqlite3"},
                                            {"--durability", "fsynced"},
                                            {"--log-format", "xml"},
                                            {"--message-rate", "5000m"},
                                            {"--cert", ""},
                                            {"--state-dir", ""},
                                            {"--publisher", ""},
                                            {"--upstream", ""},
                                            {"--upstream", "127.0.0.1:3000"},
                                            {"--upstream", "wss://localhost:3000"},
                                            {"--upstream", "http://localhost:3000/api"},
                                            {"--upstream", "http://localhost:3000/?a"},
                                            {"--upstream", "http://localhost:99999"},
                                            {"--upstream-timeout", "60"},
                                            {"--allow-type", ""},
                                            {"--allow-type", "Deploy.*"},
                                            {"--allow-type", "a b"},
                                            {"--allow-type", "deploy"},
                                            {"--allow-type", "deploy.done."},
                                            {"--allow-type", "auth.*"},
                                            {"--allow-type", "auth.success"},
                                            {"--allow-type", std::string(65, 'a')}};
  for (const auto& args : cases) {
    const std::string error = parse(args);
    EXPECT_NE(error.find(args[0]), std::string::npos) << args[0] << " " << args[1] << ": " << error;
    EXPECT_EQ(code, Errc::usage) << args[0] << " " << args[1];
  }
  EXPECT_NE(parse({"--log-format", "xml"}).find("auto, text, logfmt, json"), std::string::npos);
  EXPECT_EQ(parse({"--upstream", "http://user:pass@localhost:3000"}), "");
  const auto credentials = validate(config());
  ASSERT_FALSE(credentials);
  EXPECT_NE(credentials.error().message().find("--upstream takes no user or password"), std::string::npos);
  EXPECT_EQ(credentials.error().message().find("pass@"), std::string::npos);
  EXPECT_NE(parse({"--max-clints", "5"}).find("--max-clients"), std::string::npos);
}

TEST_F(ServerOptions, CheckIsForTheCommandLineAlone) {
  variables["CLAWWS_CHECK"] = "true";
  EXPECT_EQ(parse({}), "");
  EXPECT_EQ(options.action, ServeOptions::Action::serve);
}

}  // namespace
}  // namespace clawws::server
