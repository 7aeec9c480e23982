// From options to an attempt: which server, how its certificate is judged, and as whom. This is
// where the local server's rules live: found by its record, trusted by its pin, and sent its own
// password only when both hold. One per tool; `prepare` is called for each attempt, one at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clawws/base/time.hpp"
#include "clawws/client/attempt.hpp"
#include "clawws/client/credentials.hpp"
#include "clawws/client/local_server.hpp"
#include "clawws/net/resolve_entry.hpp"
#include "clawws/net/tls_context.hpp"

namespace clawws::client {

struct ApproachConfig {
  std::optional<net::Url> url;  // nothing: the local server, else wss://localhost:8443/ws
  net::ClientTlsConfig tls;     // as given; full verification unless -k
  std::vector<net::ResolveEntry> resolve;
  base::Millis connect_timeout{2'500};
  std::optional<std::filesystem::path> state_dir;
  CredentialConfig credentials;
};

class CLAWWS_API Approach {
 public:
  Approach(ApproachConfig config, Environment environment);

  // Blocking. Errors as of CredentialReader::read and make_ws_target.
  base::Result<Attempt> prepare();
  // Asks for the password now when prepare() would, while the terminal and the signals are main's;
  // prepare() asks nobody after that.
  base::Result<void> ask_now();
  // What a failed connect to the default URL has to add: where a local server was looked for.
  std::string search_note() const;

 private:
  struct Place {
    net::Url url;
    std::optional<net::ServerRecord> local;  // set when it is the recorded server, and pinned
    std::string note;
  };
  Place find();
  bool judges_itself() const;

  ApproachConfig config_;
  Environment environment_;
  std::vector<std::filesystem::path> directories_;
  CredentialReader reader_;
  // The one that was found last. While it restarts there is no record, but it is still where to go.
  std::optional<LocalServer> last_found_;
};

// "wss://HOST[:PORT][/PATH]" or, for --url, HOST:PORT. https is taken as wss; no path means /ws.
// Errc::usage: ws://, a secret inside, a query (the options say it), no such form.
base::Result<net::Url> parse_server_url(std::string_view text);
base::Result<net::Url> parse_url_or_host_port(std::string_view text);

}  // namespace clawws::client
