#include "clawws/base/posix.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "clawws/base/assert.hpp"
#include "clawws/base/text.hpp"

namespace clawws::base {
namespace {

namespace fs = std::filesystem;

// "cannot read /etc/x: Permission denied"
Error failed(std::string_view what, const fs::path& path, int error_number, Errc code = Errc::io) {
  return Error(
      code, "cannot " + std::string(what) + ' ' + path.string() + ": " + errno_text(error_number));
}

// Reads to the end of input, or fails with E2BIG behind `limit_bytes`; errno value or 0.
int read_all(int fd, std::size_t limit_bytes, std::string& out) {
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return 0;
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (out.size() + static_cast<std::size_t>(got) > limit_bytes) return E2BIG;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string larger_than(std::size_t limit_bytes) {
  return "is larger than " + std::to_string(limit_bytes) + " bytes";
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

// Content and mode of the new file, on disk when this returns 0.
int fill_file(int fd, std::string_view bytes, mode_t mode) {
  if (::fchmod(fd, mode) != 0) return errno;
  if (const int error_number = write_all(fd, bytes)) return error_number;
  return ::fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

void UniqueFd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<std::string> read_file(const fs::path& path, std::size_t limit_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return failed("read", path, errno);
  std::string content;
  const int error_number = read_all(fd.get(), limit_bytes, content);
  if (error_number == E2BIG) {
    return Error(Errc::io, "cannot read " + path.string() + ": it " + larger_than(limit_bytes));
  }
  if (error_number != 0) return failed("read", path, error_number);
  return content;
}

Result<std::string> read_fd(int fd, std::size_t limit_bytes) {
  std::string content;
  const int error_number = read_all(fd, limit_bytes, content);
  if (error_number == E2BIG) return Error(Errc::io, "the input " + larger_than(limit_bytes));
  if (error_number != 0) {
    return Error(Errc::io,
                 "cannot read descriptor " + std::to_string(fd) + ": " + errno_text(error_number));
  }
  return content;
}

Result<void> write_file_atomic(const fs::path& path, std::string_view bytes, mode_t mode) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path beside =
      directory / ("." + path.filename().string() + "." + hex_encode(random_bytes(8)));
  UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return failed("write", path, errno);
  int error_number = fill_file(fd.get(), bytes, mode);
  if (error_number == 0 && ::rename(beside.c_str(), path.c_str()) != 0) error_number = errno;
  if (error_number != 0) {
    ::unlink(beside.c_str());
    return failed("write", path, error_number);
  }
  // The rename itself is on disk only after this.
  const UniqueFd dir(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir && ::fsync(dir.get()) != 0 && errno != EINVAL) return failed("sync", directory, errno);
  return {};
}

Result<void> make_private_directory(const fs::path& path) {
  fs::path made;
  for (const fs::path& part : fs::absolute(path).lexically_normal()) {
    made /= part;
    if (part.empty()) continue;
    if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST) {
      // A parent that exists may also answer EROFS or EACCES.
      const int error_number = errno;
      struct stat there {};
      if (::stat(made.c_str(), &there) != 0) return failed("make directory", made, error_number);
    }
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return failed("use directory", path, errno);
  if (!S_ISDIR(info.st_mode)) return failed("use directory", path, ENOTDIR);
  if (info.st_uid != ::geteuid()) {
    return Error(Errc::io, "cannot use directory " + path.string() + ": it belongs to uid " +
                               std::to_string(info.st_uid) + ", not to this process (uid " +
                               std::to_string(::geteuid()) + ")");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error(Errc::io, "cannot use directory " + path.string() +
                               ": others may write to it; try chmod 700 " + path.string());
  }
  return {};
}

Result<UniqueFd> lock_file(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return failed("open lock", path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("lock", path, errno);
    std::string holder;
    read_all(fd.get(), 64, holder);
    const std::string pid(trim(std::string_view(holder).substr(0, holder.find('\n'))));
    return Error(Errc::locked, path.string() + " is held by " +
                                   (pid.empty() ? "another process" : "process " + pid));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  int error_number = ::ftruncate(fd.get(), 0) == 0 ? 0 : errno;
  if (error_number == 0) error_number = write_all(fd.get(), pid);
  if (error_number != 0) return failed("write", path, error_number);
  return fd;
}

std::size_t raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<std::size_t>(limit.rlim_cur);
}

// Tried, not computed: what was inherited counts against the limit too.
Result<void> check_free_files(std::size_t count) {
  std::vector<UniqueFd> files;
  while (files.size() < count) {
    UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!file)
      return Error(Errc::io, "only " + std::to_string(files.size()) + " of the " +
                                 std::to_string(count) + " files needed can be opened (" +
                                 errno_text(errno) +
                                 "); raise the limit, for example with 'ulimit -n 256'");
    files.push_back(std::move(file));
  }
  return {};
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = ::getrandom(bytes.data() + have, count - have, 0);
    CLAWWS_ASSERT(got > 0 || (got < 0 && errno == EINTR));
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

fs::path home_directory() {
  const std::string home = environment("HOME");
  if (!home.empty()) return home;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16 * 1024);
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr && found->pw_dir != nullptr) {
    return found->pw_dir;
  }
  return "/";
}

fs::path default_state_directory() {
  const std::string given = environment("STATE_DIRECTORY");
  if (!given.empty()) return given.substr(0, given.find(':'));
  // The XDG specification says that a relative path is to be ignored.
  const fs::path xdg = environment("XDG_STATE_HOME");
  if (xdg.is_absolute()) return xdg / "clawws";
  return home_directory() / ".local" / "state" / "clawws";
}

}  // namespace clawws::base
