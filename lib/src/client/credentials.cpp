#include "clawws/client/credentials.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/client/netrc.hpp"
#include "clawws/client/password_sources.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr std::size_t k_limit_bytes = 64 * 1024;
constexpr std::string_view k_safe_ways =
    "use --password-file FILE, --password-command CMD, CLAWWS_PASSWORD or a terminal to be asked "
    "on";

Error at(const SecretPlace& place, const Error& error) {
  return Error(error.code == Errc::io ? Errc::config : error.code,
               place.name + ": " + error.message());
}

// A file's or command's last line end is not part of the secret.
Result<Secret> as_one_line(const SecretPlace& place, const Secret& raw) {
  std::string_view text = raw.reveal();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return Error(Errc::config, place.name + ": it is empty");
  if (text.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos)
    return Error(Errc::config, place.name + ": more than one line, or a NUL byte");
  return Secret(std::string(text));
}

std::optional<int> descriptor_of(const std::string& value) {
  if (value == "-") return 0;
  if (!value.starts_with("fd:")) return std::nullopt;
  int number = -1;
  const char* const end = value.data() + value.size();
  const auto [rest, failed] = std::from_chars(value.data() + 3, end, number);
  return failed == std::errc() && rest == end && number >= 0 ? std::optional(number)
                                                             : std::optional(-1);
}

bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::vector<SecretPlace> environment_places(const Environment& environment) {
  using Kind = SecretPlace::Kind;
  std::vector<SecretPlace> places;
  const std::string directory = environment("CREDENTIALS_DIRECTORY");
  if (!directory.empty()) {
    // systemd sets the variable for any credential; ours is there only when it was asked for.
    const auto file = std::filesystem::path(directory) / "clawws.password";
    if (::access(file.c_str(), F_OK) == 0)
      places.push_back(
          {Kind::password_file, file.string(), "$CREDENTIALS_DIRECTORY/clawws.password"});
  }
  const std::string password_file = environment("CLAWWS_PASSWORD_FILE");
  if (!password_file.empty())
    places.push_back({Kind::password_file, password_file, "CLAWWS_PASSWORD_FILE"});
  if (!environment("CLAWWS_PASSWORD").empty())
    places.push_back({Kind::password_variable, "CLAWWS_PASSWORD", "CLAWWS_PASSWORD"});
  const std::string token_file = environment("CLAWWS_TOKEN_FILE");
  if (!token_file.empty()) places.push_back({Kind::token_file, token_file, "CLAWWS_TOKEN_FILE"});
  return places;
}

CredentialReader::CredentialReader(CredentialConfig config, Environment environment)
    : config_(std::move(config)), environment_(std::move(environment)) {}

Result<Secret> CredentialReader::read_place(const SecretPlace& place) {
  if (place.kind == SecretPlace::Kind::password_command) return run_password_command(place.value);
  if (place.kind == SecretPlace::Kind::password_variable)
    return Secret(environment_(place.value.c_str()));
  if (const auto descriptor = descriptor_of(place.value)) {
    if (!read_once_) {
      auto text = base::read_fd(*descriptor, k_limit_bytes);
      if (!text) return text.error();
      read_once_ = Secret(std::move(*text));
    }
    return read_once_->copy();
  }
  // A pipe (`--password-file <(…)`) says its content once.
  std::error_code missing;
  const bool says_once = !std::filesystem::is_regular_file(place.value, missing) && !missing;
  if (says_once && read_once_) return read_once_->copy();
  auto text = base::read_file(place.value, k_limit_bytes);
  if (!text) return text.error();
  Secret secret(std::move(*text));
  if (says_once) read_once_ = secret.copy();
  return secret;
}

Result<Credentials> CredentialReader::from_place(const SecretPlace& place) {
  const bool is_bearer = place.kind == SecretPlace::Kind::token_file;
  if (!is_bearer && !config_.user)
    return Error(Errc::usage, place.name + " gives a password, but no user name: add --user NAME");
  auto raw = read_place(place);
  if (!raw) return at(place, raw.error());
  auto secret = as_one_line(place, *raw);
  if (!secret) return secret.error();
  if (is_bearer && !is_token(secret->reveal()))
    return Error(Errc::config, place.name + ": a token has only visible ASCII characters");
  Credentials credentials;
  credentials.kind = is_bearer ? Credentials::Kind::bearer : Credentials::Kind::basic;
  if (!is_bearer) credentials.user = *config_.user;
  credentials.secret = std::move(*secret);
  credentials.source = place.name;
  return credentials;
}

Result<std::optional<Credentials>> CredentialReader::from_netrc(const std::string& host) const {
  const auto path =
      config_.netrc_file.empty() ? base::home_directory() / ".netrc" : config_.netrc_file;
  const std::string shown = base::escape_terminal(path.string());
  auto text = base::read_file(path);
  if (!text) return Error(Errc::config, "--netrc: " + text.error().message());
  const Secret owner(std::move(*text));
  auto entry = find_in_netrc(owner.reveal(), host, config_.user);
  if (!entry) return Error(Errc::config, shown + ", " + entry.error().message());
  if (!*entry) return std::optional<Credentials>();
  Credentials credentials;
  credentials.kind = Credentials::Kind::basic;
  credentials.user = config_.user.value_or((*entry)->login);
  credentials.secret = std::move((*entry)->password);
  credentials.source = shown;
  if (credentials.user.empty())
    return Error(Errc::config,
                 shown + ": the entry for " + host + " has no login: add --user NAME");
  return std::optional<Credentials>(std::move(credentials));
}

bool CredentialReader::uses_local(const net::ServerRecord* local) const {
  return local != nullptr && local->password_file && local->user &&
         (!config_.user || *config_.user == *local->user);
}

bool CredentialReader::would_ask(const net::ServerRecord* local) const {
  return config_.prompt == CredentialConfig::Prompt::yes && config_.user && !read_once_ &&
         config_.places.empty() && config_.later_places.empty() &&
         config_.netrc == CredentialConfig::Netrc::off && !uses_local(local);
}

Result<Credentials> CredentialReader::read(const std::string& host,
                                           const net::ServerRecord* local) {
  if (!config_.places.empty()) return from_place(config_.places.front());
  if (!config_.later_places.empty()) return from_place(config_.later_places.front());
  if (config_.netrc == CredentialConfig::Netrc::on) {
    auto found = from_netrc(host);
    if (!found) return found.error();
    if (*found) return std::move(**found);
  }
  Credentials credentials;
  if (uses_local(local)) {
    const SecretPlace place{SecretPlace::Kind::password_file, local->password_file->string(),
                            "the local server's password file " +
                                base::escape_terminal(local->password_file->string())};
    auto raw = read_place(place);
    if (!raw) return at(place, raw.error());
    auto secret = as_one_line(place, *raw);
    if (!secret) return secret.error();
    credentials.kind = Credentials::Kind::basic;
    credentials.user = *local->user;
    credentials.secret = std::move(*secret);
    credentials.source = place.name;
    return credentials;
  }
  if (!config_.user) return credentials;
  if (!read_once_) {
    const std::string who = base::escape_terminal(*config_.user);
    if (config_.prompt == CredentialConfig::Prompt::no)
      return Error(Errc::usage, "no password for user '" + who + "': " + std::string(k_safe_ways));
    auto typed =
        ask_for_password("Password for " + who + " at " + base::escape_terminal(host) + ": ");
    if (!typed)
      return Error(typed.error().code, "no password for user '" + who + "' (" +
                                           typed.error().message() +
                                           "): " + std::string(k_safe_ways));
    read_once_ = std::move(*typed);
  }
  credentials.kind = Credentials::Kind::basic;
  credentials.user = *config_.user;
  credentials.secret = read_once_->copy();
  credentials.source = "the terminal";
  return credentials;
}

std::string authorization_header(const Credentials& credentials) {
  if (credentials.kind == Credentials::Kind::bearer)
    return "Bearer " + std::string(credentials.secret.reveal());
  if (credentials.kind == Credentials::Kind::none) return {};
  const Secret pair(credentials.user + ":" + std::string(credentials.secret.reveal()));
  return "Basic " + base::base64_encode(pair.reveal());
}

}  // namespace clawws::client
