// RAII for descriptors and the few file operations with their safety rules. Errors are values that
// name the path and the reason. Thread-safe where not said otherwise.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "clawws/base/error.hpp"

namespace clawws::base {

// Owns a descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }
  CLAWWS_API void reset(int fd = -1) noexcept;
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// The whole file; Errc::io when it cannot be read or is larger than `limit_bytes`.
CLAWWS_API Result<std::string> read_file(const std::filesystem::path& path,
                                         std::size_t limit_bytes = 16u << 20);
// Everything up to end of input or `limit_bytes` (more is Errc::io).
CLAWWS_API Result<std::string> read_fd(int fd, std::size_t limit_bytes);
// Written beside, fsynced, renamed over: readers see the old or the new content, never a part.
CLAWWS_API Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view bytes,
                                          mode_t mode);
// Made with mode 0700 when missing, parents included; refused when it belongs to another user or
// others may write to it.
CLAWWS_API Result<void> make_private_directory(const std::filesystem::path& path);
// An exclusive flock on `path` (made 0600); Errc::locked when another process has it, naming its pid.
CLAWWS_API Result<UniqueFd> lock_file(const std::filesystem::path& path);

// Raises RLIMIT_NOFILE to its hard limit and returns the number of files now allowed.
CLAWWS_API std::size_t raise_file_limit() noexcept;
// Whether this process may open `count` more files now; Errc::io, with advice, when it may not.
CLAWWS_API Result<void> check_free_files(std::size_t count);
// The kernel's random bytes; never fails (aborts where the kernel has none).
CLAWWS_API std::string random_bytes(std::size_t count);
// A value of the environment, empty when unset.
CLAWWS_API std::string environment(const char* name);

// $HOME, else the password database's entry.
CLAWWS_API std::filesystem::path home_directory();
// Where `serve` keeps its state when no --state-dir is given: $STATE_DIRECTORY (first of the
// list), else $XDG_STATE_HOME/clawws, else ~/.local/state/clawws.
CLAWWS_API std::filesystem::path default_state_directory();

}  // namespace clawws::base
