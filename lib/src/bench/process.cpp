#include "clawws/bench/process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <thread>
#include <vector>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/net/server_record.hpp"

extern char** environ;

namespace clawws::bench {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::Error;

// Enough for a server's last words, little enough to be read.
constexpr std::size_t k_log_tail_bytes = 2000;
constexpr std::chrono::milliseconds k_poll{5};

// The number behind `name` in /proc/PID/status, which counts in KiB.
std::uint64_t status_bytes(std::string_view status, std::string_view name) {
  const std::size_t at = status.find(name);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = base::trim(status.substr(at + name.size()));
  std::uint64_t kib = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), kib);
  return kib * 1024;
}

// fork() copies a process with perhaps many threads: what the child calls before exec must be
// async-signal-safe, so everything is made before.
struct Exec {
  std::vector<std::string> arguments, variables;
  std::vector<char*> argv, envp;
  base::UniqueFd log, null;

  void make() {
    for (auto& text : arguments) argv.push_back(text.data());
    argv.push_back(nullptr);
    for (auto& text : variables) envp.push_back(text.data());
    envp.push_back(nullptr);
  }
  [[noreturn]] void become() {
    ::setpgid(0, 0);  // a Ctrl-C is for us: we end the server when the clients have gone
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
      ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(null.get(), STDIN_FILENO);
    ::dup2(log.get(), STDOUT_FILENO);
    ::dup2(log.get(), STDERR_FILENO);
    ::close_range(3, ~0U, 0);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
};

enum class Settings : std::uint8_t { kept, own };

// A command of --spawn keeps the caller's settings, which may be part of what is measured; the own
// server is the same wherever it is started. Both find the tools beside this one.
std::vector<std::string> environment_for(const fs::path& state_dir, const std::string& listen,
                                         Settings settings) {
  std::vector<std::string> variables;
  std::string path = "/usr/bin:/bin";
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (variable.starts_with("CLAWWS_STATE_DIR=") || variable.starts_with("CLAWWS_LISTEN="))
      continue;
    if (settings == Settings::own &&
        (variable.starts_with("CLAWWS_") || variable.starts_with("DASHBOARD_")))
      continue;
    if (variable.starts_with("PATH="))
      path = variable.substr(5);
    else
      variables.emplace_back(variable);
  }
  std::error_code ignored;  // without it the command must be found by its own path
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  variables.push_back("PATH=" + path + ":" + here.string());
  variables.push_back("CLAWWS_STATE_DIR=" + state_dir.string());
  variables.push_back("CLAWWS_LISTEN=" + listen);
  return variables;
}

}  // namespace

std::optional<ProcessUse> process_use(pid_t pid) {
  const auto status = base::read_file(fs::path("/proc") / std::to_string(pid) / "status");
  clockid_t clock{};
  timespec used{};
  if (!status || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0)
    return std::nullopt;
  ProcessUse use;
  use.cpu = std::chrono::seconds(used.tv_sec) + Nanos(used.tv_nsec);
  use.rss_bytes = status_bytes(*status, "VmRSS:");
  use.peak_rss_bytes = status_bytes(*status, "VmHWM:");
  return use;
}

std::optional<std::uint64_t> open_files(pid_t pid) {
  std::error_code failed;
  std::uint64_t count = 0;
  for (fs::directory_iterator entry(fs::path("/proc") / std::to_string(pid) / "fd", failed);
       !failed && entry != fs::directory_iterator(); entry.increment(failed))
    ++count;
  return failed ? std::nullopt : std::optional(count);
}

base::Result<fs::path> find_server() {
  std::vector<fs::path> directories;
  const std::string given = base::environment("CLAWWS_EXEC_PATH");
  if (!given.empty()) directories.emplace_back(given);
  std::error_code ignored;  // what cannot be looked at is not there
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  if (!self.empty()) directories.push_back(self.parent_path());
  std::string tried;
  for (const fs::path& directory : directories) {
    fs::path candidate = directory / "clawws-serve";
    if (fs::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    tried += " " + directory.string();
  }
  return Error(Errc::io,
               "no clawws-serve in" + tried +
                   "; name its directory in CLAWWS_EXEC_PATH, or give the URL of a running server");
}

base::Result<std::unique_ptr<ServerProcess>> ServerProcess::start(const std::string& command) {
  std::unique_ptr<ServerProcess> process(new ServerProcess(command));
  const std::string temporary = base::environment("TMPDIR");
  std::string name = (temporary.empty() ? "/tmp" : temporary) + "/clawws-bench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    return Error(Errc::io, "cannot make a directory " + name + ": " + base::errno_text(errno));
  process->state_dir_ = name;
  if (auto launched = process->launch(0); !launched) return launched.error();
  return process;
}

base::Result<void> ServerProcess::start_again(std::uint16_t port) {
  return launch(port);
}

base::Result<void> ServerProcess::launch(std::uint16_t port) {
  const std::string listen = "127.0.0.1:" + std::to_string(port);
  Exec exec;
  if (command_.empty()) {
    const auto server = find_server();
    if (!server) return server.error();
    exec.arguments = {server->string(), "--listen", listen, "--state-dir", state_dir_.string()};
  } else {
    exec.arguments = {"/bin/sh", "-c", command_};
  }
  exec.variables =
      environment_for(state_dir_, listen, command_.empty() ? Settings::own : Settings::kept);
  const fs::path log = state_dir_ / "bench-server.log";
  exec.log.reset(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  exec.null.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!exec.log || !exec.null)
    return Error(Errc::io, "cannot open " + log.string() + ": " + base::errno_text(errno));
  exec.make();
  // A command's own children come to this process when the command ends before them.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_ = ::fork();
  if (pid_ == 0) exec.become();
  if (pid_ < 0) return Error(Errc::io, "cannot start the server: " + base::errno_text(errno));
  ::setpgid(pid_, pid_);  // here too: a signal must not come before the child's own
  running_ = true;
  return {};
}

ServerProcess::~ServerProcess() {
  stop(std::chrono::seconds(5));
  std::error_code ignored;  // a directory in /tmp is left behind, nothing worse
  if (!state_dir_.empty()) fs::remove_all(state_dir_, ignored);
}

pid_t ServerProcess::pid() const {
  const auto record = net::read_server_record(state_dir_);
  return record ? record->pid : pid_;
}

bool ServerProcess::is_running() {
  while (running_) {
    const pid_t ended = ::waitpid(-pid_, nullptr, WNOHANG);
    if (ended == 0) break;
    if (ended < 0 && errno != EINTR) running_ = false;
  }
  return running_;
}

std::string ServerProcess::log_tail() const {
  const auto log = base::read_file(state_dir_ / "bench-server.log");
  if (!log) return {};
  const std::string_view whole = *log;
  const std::string_view tail =
      whole.substr(whole.size() - std::min(whole.size(), k_log_tail_bytes));
  return std::string(base::trim(tail));
}

void ServerProcess::send(int signal) {
  if (is_running()) ::kill(-pid_, signal);
}

void ServerProcess::stop(std::chrono::milliseconds limit) {
  if (!is_running()) return;
  ::kill(-pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (is_running()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      ::kill(-pid_, SIGKILL);
      while (::waitpid(-pid_, nullptr, 0) > 0 || errno == EINTR) continue;
      running_ = false;
      return;
    }
    std::this_thread::sleep_for(k_poll);
  }
}

}  // namespace clawws::bench
