#include "clawws/bench/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "clawws/base/posix.hpp"

namespace clawws::bench {

using base::Errc;
using base::Error;

base::Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) return {};
    if (written < 0) return Error(Errc::io, "cannot write the report: " + base::errno_text(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

base::Result<void> write_report(const std::string& place, const std::string& text) {
  if (place == "-") return write_all(STDOUT_FILENO, text);
  return base::write_file_atomic(place, text, 0644);
}

base::Result<void> append_report(const std::string& path, const std::string& text) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return Error(Errc::io, path + ": " + base::errno_text(errno));
  return write_all(file.get(), text);
}

void say(const std::string& text) {
  // Without a stderr the exit code is all that is left.
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, "clawws bench: " + text + "\n");
}

}  // namespace clawws::bench
