#include "clawws/client/approach_options.hpp"

#include <string>

#include "clawws/base/flag_setters.hpp"
#include "clawws/base/text.hpp"

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
constexpr const char* k_who = "Who you are";

// An error whose text may be shown, for a value that may not.
Result<void> refuse(ApproachOptions& options, const Error& error) {
  if (!options.refused) options.refused = error;
  return {};
}

Result<void> set_user(ApproachOptions& options, std::string_view text) {
  if (text.find(':') != std::string_view::npos)
    return refuse(
        options,
        Error(Errc::usage,
              "--user takes a name only: what stands in argv can be read by every user of this "
              "machine. Give the password by --password-file FILE, --password-command CMD, "
              "CLAWWS_PASSWORD, --netrc or the prompt"));
  if (text.empty()) return Error(Errc::usage, "must not be empty");
  options.approach.credentials.user = std::string(text);
  return {};
}

Result<void> set_pin(ApproachOptions& options, std::string_view pins) {
  for (const auto pin : base::split(pins, ';')) {
    const auto digest =
        pin.starts_with("sha256//") ? base::base64_decode(pin.substr(8)) : std::nullopt;
    if (!digest || digest->size() != 32)
      return Error(Errc::usage,
                   "sha256// and the base64 of 32 bytes, as in an error about the certificate");
    options.approach.tls.pins.push_back("sha256//" + base::base64_encode(*digest));
  }
  return {};
}

}  // namespace

bool may_hold_secret(std::string_view url) {
  return url.find('@') != std::string_view::npos;
}

Result<void> set_server_url(ApproachOptions& options, std::string_view text,
                            std::string_view name) {
  auto url = parse_url_or_host_port(text);
  if (url) {
    options.approach.url = std::move(*url);
    return {};
  }
  if (may_hold_secret(text) || text.find('?') != std::string_view::npos)
    return refuse(options, Error(Errc::usage, std::string(name) + ": " + url.error().message()));
  return url.error();
}

void add_server_flags(std::vector<Flag>& flags, ApproachOptions& options) {
  auto& tls = options.approach.tls;
  flags.push_back(
      flag("url", 0, "URL|HOST:PORT", k_connection, "the server",
           "the local server's, else wss://localhost:8443/ws",
           [&options](std::string_view v) { return set_server_url(options, v, "--url"); }));
  flags.push_back(
      flag("state-dir", 0, "DIR", k_connection,
           "where the local server keeps its state (else CLAWWS_STATE_DIR and the usual places)",
           "", text(options.approach.state_dir)));
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
                       [&options](std::string_view v) { return set_pin(options, v); }));
  flags.push_back(flag("resolve", 0, "HOST:PORT:ADDRESS", k_connection,
                       "use this address for HOST:PORT", "",
                       [&options](std::string_view v) -> Result<void> {
                         auto entry = net::parse_resolve_entry(v);
                         if (!entry) return entry.error();
                         options.approach.resolve.push_back(std::move(*entry));
                         return {};
                       }));
  flags.back().kind = FlagKind::repeat;
  flags.push_back(flag("insecure", 'k', "", k_connection,
                       "do not verify the server's certificate (a pin still counts)", "",
                       constant(tls.verify, net::ClientTlsConfig::Verify::none)));
  flags.push_back(flag("connect-timeout", 0, "DUR", k_connection,
                       "give up one attempt (DNS, TCP, TLS, upgrade) after this", "2.5s",
                       duration(options.approach.connect_timeout, Millis(10))));
}

void add_credential_flags(std::vector<Flag>& flags, ApproachOptions& options) {
  auto& who = options.approach.credentials;
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
                       [&options](std::string_view v) { return set_user(options, v); }));
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

Result<void> validate_approach(ApproachOptions& options, const base::FlagOutcome& outcome,
                               const Environment& environment) {
  if (options.refused) return *options.refused;
  if (!options.approach.tls.key_file.empty() && options.approach.tls.cert_file.empty())
    return Error(Errc::usage, "--key needs --cert");
  using Kind = SecretPlace::Kind;
  auto& who = options.approach.credentials;
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
