// Finding the `clawws serve` that runs on this host, by the record in its state directory. Blocking
// file I/O; stateless, read anew each time, so a server that came back elsewhere is found.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/net/server_record.hpp"
#include "clawws/net/url.hpp"

namespace clawws::client {

using Environment = std::function<std::string(const char* name)>;  // "" when unset

// `flag` (--state-dir) alone when given; else $CLAWWS_STATE_DIR, the XDG place, /var/lib/clawws.
std::vector<std::filesystem::path> state_directories(
    const std::optional<std::filesystem::path>& flag, const Environment& environment);

struct LocalServer {
  net::ServerRecord record;
  std::filesystem::path directory;
};
struct LocalSearch {
  std::optional<LocalServer> found;
  // "/home/a/.local/state/clawws: No such file or directory; …": each tried place and why it
  // failed.
  std::string tried;
};
// The first record whose process is alive.
LocalSearch find_local_server(const std::vector<std::filesystem::path>& directories);

// True when `url` is where the recorded server listens: the same port, and the recorded host or the
// name in the recorded URL. Only there may its password go.
bool is_local_server(const net::ServerRecord& record, const net::Url& url);

}  // namespace clawws::client
