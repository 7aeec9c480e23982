#include "clawws/client/local_server.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"

namespace clawws::client {
namespace {

// A process of another user counts as alive: it cannot be signalled, but it is there.
bool is_alive(pid_t pid) {
  return ::kill(pid, 0) == 0 || errno == EPERM;
}

}  // namespace

std::vector<std::filesystem::path> state_directories(
    const std::optional<std::filesystem::path>& flag, const Environment& environment) {
  if (flag) return {*flag};
  std::vector<std::filesystem::path> places;
  const auto add = [&](std::filesystem::path place) {
    if (!place.empty() && std::find(places.begin(), places.end(), place) == places.end())
      places.push_back(std::move(place));
  };
  add(environment("CLAWWS_STATE_DIR"));
  const std::string xdg = environment("XDG_STATE_HOME");
  add(xdg.starts_with('/') ? std::filesystem::path(xdg) / "clawws"
                           : base::home_directory() / ".local/state/clawws");
  add("/var/lib/clawws");
  return places;
}

LocalSearch find_local_server(const std::vector<std::filesystem::path>& directories) {
  LocalSearch search;
  for (const auto& directory : directories) {
    auto record = net::read_server_record(directory);
    std::string failure;
    if (!record) {
      failure = record.error().message();
    } else if (!is_alive(record->pid)) {
      failure = "its server (process " + std::to_string(record->pid) + ") is gone";
    } else {
      search.found = LocalServer{std::move(*record), directory};
      return search;
    }
    search.tried += (search.tried.empty() ? "" : "; ") +
                    base::escape_terminal(net::server_record_path(directory).string()) + ": " +
                    failure;
  }
  return search;
}

bool is_local_server(const net::ServerRecord& record, const net::Url& url) {
  if (url.port != record.port) return false;
  const auto recorded = net::parse_url(record.url);
  return url.host == record.host || (recorded && base::iequals(url.host, recorded->host));
}

}  // namespace clawws::client
