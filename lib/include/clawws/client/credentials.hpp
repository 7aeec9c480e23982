// Who we are to the server: the places a user name and a password or token may come from, in their
// order, none of which is argv. Read anew for each attempt, so a rotated secret is picked up; what
// can be read only once (stdin, a descriptor, a person) is kept. Blocking: run it in the
// background. No secret in any error text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/client/local_server.hpp"
#include "clawws/client/secret.hpp"

namespace clawws::client {

// One place that options, the environment or the config file name.
struct SecretPlace {
  enum class Kind : std::uint8_t { password_file, token_file, password_command, password_variable };
  Kind kind;
  std::string value;  // a path, "-", "fd:N", a command, or the name of an environment variable
  std::string name;   // for people: "--password-file", "CLAWWS_PASSWORD"
};

struct CredentialConfig {
  enum class Netrc : std::uint8_t { off, on };
  enum class Prompt : std::uint8_t { no, yes };

  std::optional<std::string> user;
  std::vector<SecretPlace> places;  // what is explicitly there, first one wins
  Netrc netrc = Netrc::off;
  std::filesystem::path netrc_file;       // empty: ~/.netrc
  std::vector<SecretPlace> later_places;  // from the config file: after the environment
  Prompt prompt = Prompt::yes;            // only when a user is given and nothing else
};

// The places that the environment names, in order: $CREDENTIALS_DIRECTORY/clawws.password,
// CLAWWS_PASSWORD_FILE, CLAWWS_PASSWORD, CLAWWS_TOKEN_FILE.
std::vector<SecretPlace> environment_places(const Environment& environment);

struct Credentials {
  enum class Kind : std::uint8_t { none, basic, bearer };
  Kind kind = Kind::none;
  std::string user;  // basic
  Secret secret;
  std::string source;  // for people: "--password-file /run/secrets/x"
};

class CLAWWS_API CredentialReader {
 public:
  CredentialReader(CredentialConfig config, Environment environment);

  // `host` is the server's, for netrc and the prompt. `local` is the local server's record when the
  // connection goes to it *and* is pinned to its certificate; else null. Not re-entrant.
  // Errc::usage: a password without a user, or a user without any way to a password. Errc::config,
  // Errc::io: the place that was named is no good.
  base::Result<Credentials> read(const std::string& host, const net::ServerRecord* local);

  // True when read() would ask a person: to be done before signals are handled elsewhere.
  bool would_ask(const net::ServerRecord* local) const;
  // From now on it is an error where a person would be asked.
  void ask_no_more() { config_.prompt = CredentialConfig::Prompt::no; }

 private:
  base::Result<Secret> read_place(const SecretPlace& place);
  base::Result<Credentials> from_place(const SecretPlace& place);
  base::Result<std::optional<Credentials>> from_netrc(const std::string& host) const;
  bool uses_local(const net::ServerRecord* local) const;

  CredentialConfig config_;
  Environment environment_;
  std::optional<Secret> read_once_;  // from stdin, a descriptor or a person
};

// The value of the Authorization field; to be wiped by whoever gets it.
std::string authorization_header(const Credentials& credentials);

}  // namespace clawws::client
