#include "clawws/client/password_sources.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "clawws/base/posix.hpp"

namespace clawws::client {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::UniqueFd;

constexpr std::size_t k_limit_bytes = 64 * 1024;

// Between fork and exec of a threaded process: async-signal-safe calls only.
[[noreturn]] void become_shell(const char* command, int output, int input, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0) ::_exit(127);
  ::close_range(3, ~0U, 0);
  ::execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
  ::_exit(127);
}

std::string ending_text(int status) {
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) == 127) return "was not found (exit 127)";
  return "failed with exit " + std::to_string(WEXITSTATUS(status));
}

// The terminal without echo, set right again at the end.
class QuietTerminal {
 public:
  explicit QuietTerminal(int fd) : fd_(fd), good_(::tcgetattr(fd, &before_) == 0) {
    if (!good_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ICANON | ECHONL;
    ::tcsetattr(fd_, TCSAFLUSH, &quiet);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    if (good_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }

 private:
  int fd_;
  termios before_{};
  bool good_;
};

// The signals that would end or stop us, held back while the terminal is quiet.
class HeldSignals {
 public:
  HeldSignals() {
    ::sigemptyset(&held_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
      ::sigaddset(&held_, number);
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
    fd_.reset(::signalfd(-1, &held_, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  int fd() const noexcept { return fd_.get(); }
  // The number of the signal that came; 0 for none.
  int take() const noexcept {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                                : 0;
  }

 private:
  sigset_t held_{}, before_{};
  UniqueFd fd_;
};

// One line, or the signal that ended the wait.
struct Typed {
  std::string line;
  int signal = 0;
};
Typed read_line(int terminal, const HeldSignals& signals) {
  Typed typed;
  for (;;) {
    pollfd waits[] = {{terminal, POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) return typed;
    if ((waits[1].revents & POLLIN) != 0 && (typed.signal = signals.take()) != 0) return typed;
    if (waits[0].revents == 0) continue;
    char byte = 0;
    const ssize_t count = ::read(terminal, &byte, 1);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0 || byte == '\n' || typed.line.size() >= k_limit_bytes) return typed;
    typed.line.push_back(byte);
  }
}

}  // namespace

Result<Secret> run_password_command(const std::string& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error(Errc::io, base::errno_text(errno));
  UniqueFd reading(ends[0]), writing(ends[1]);
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return Error(Errc::io, "cannot start it: " + base::errno_text(errno));
  if (child == 0) become_shell(command.c_str(), writing.get(), nothing.get(), parent);
  writing.reset();
  auto text = base::read_fd(reading.get(), k_limit_bytes);
  reading.reset();  // one that writes more is ended by SIGPIPE
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!text) return text.error();
  Secret secret(std::move(*text));
  if (status != 0) return Error(Errc::config, "it " + ending_text(status));
  return secret;
}

Result<Secret> ask_for_password(const std::string& prompt) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal) return Error(Errc::usage, "no terminal to ask on");
  Typed typed;
  do {
    const HeldSignals signals;
    {
      const QuietTerminal quiet(terminal.get());
      if (::write(terminal.get(), prompt.data(), prompt.size()) < 0)
        return Error(Errc::usage, "no terminal to ask on");
      typed = read_line(terminal.get(), signals);
    }
    // Taken from the signalfd, so it has to be sent again to have its effect when it is let
    // through.
    if (typed.signal != 0) ::raise(typed.signal);
  } while (typed.signal == SIGTSTP);  // continued: ask again
  if (typed.signal != 0) return Error(Errc::interrupted, "interrupted");
  if (typed.line.empty()) return Error(Errc::usage, "no password was typed");
  return Secret(std::move(typed.line));
}

}  // namespace clawws::client
