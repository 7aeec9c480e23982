// Processes as the load generator needs them: a server that it starts itself and ends again, and
// what /proc says about one. The controller's thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "clawws/base/error.hpp"
#include "clawws/bench/histogram.hpp"

namespace clawws::bench {

struct ProcessUse {
  Nanos cpu{0};
  std::uint64_t rss_bytes = 0;
  std::uint64_t peak_rss_bytes = 0;
};
// Nothing when there is no such process.
std::optional<ProcessUse> process_use(pid_t pid);

// Descriptors that it has open; nothing when there is no such process or it is another user's.
std::optional<std::uint64_t> open_files(pid_t pid);

// A server in a process group of its own, with a state directory that goes with it. It ends when
// this object goes, and when this process dies. Makes this process the reaper of its orphans.
class ServerProcess {
 public:
  // `command` for sh, or, empty, this installation's own clawws-serve on a free port of 127.0.0.1.
  // Both get CLAWWS_STATE_DIR and CLAWWS_LISTEN=127.0.0.1:0 in their environment; the own server
  // gets none of the caller's settings (CLAWWS_*, DASHBOARD_*).
  static base::Result<std::unique_ptr<ServerProcess>> start(const std::string& command);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::filesystem::path& state_dir() const noexcept { return state_dir_; }
  // Of the server: what its record says, else of the command.
  pid_t pid() const;
  // False once the command and everything that it started has ended.
  bool is_running();
  // The last lines of what it said.
  std::string log_tail() const;
  // To it and all that it started; does not wait.
  void send(int signal);
  // After it has ended: the same command with the same state directory, and with
  // CLAWWS_LISTEN=127.0.0.1:`port`.
  base::Result<void> start_again(std::uint16_t port);
  // SIGTERM, and SIGKILL when it is still there after `limit`.
  void stop(std::chrono::milliseconds limit);

 private:
  explicit ServerProcess(std::string command) : command_(std::move(command)) {}
  base::Result<void> launch(std::uint16_t port);

  const std::string command_;
  std::filesystem::path state_dir_;
  pid_t pid_ = -1;
  bool running_ = false;
};

// "clawws-serve" in $CLAWWS_EXEC_PATH, else beside this executable; as the launcher finds it.
base::Result<std::filesystem::path> find_server();

}  // namespace clawws::bench
