#include "clawws/hub/disk_space.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "clawws/base/posix.hpp"
#include "clawws/base/time.hpp"

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;
namespace fs = std::filesystem;

namespace {

Result<std::uint64_t> ask_file_system(const fs::path& directory) {
  struct statvfs facts {};
  if (::statvfs(directory.c_str(), &facts) != 0) {
    return Error(Errc::unavailable,
                 "cannot look at " + directory.string() + ": " + base::errno_text(errno));
  }
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

}  // namespace

DiskSpace::DiskSpace(fs::path reserve_file, FreeBytes free_bytes)
    : reserve_(std::move(reserve_file)),
      free_bytes_(free_bytes ? std::move(free_bytes) : [directory = reserve_.parent_path()] {
        return ask_file_system(directory);
      }) {}

Result<void> DiskSpace::room() const {
  const Result<std::uint64_t> left = free_bytes_();
  if (!left) return left.error();
  if (*left < k_least_free_bytes) {
    return Error(Errc::store_full, "the disk of " + reserve_.parent_path().string() + " has " +
                                       base::format_size(*left) + " free; publishing needs " +
                                       base::format_size(k_least_free_bytes));
  }
  return {};
}

void DiskSpace::tend_reserve() {
  const Result<std::uint64_t> left = free_bytes_();
  if (!left) return;
  if (*left < 2 * k_reserve_bytes) return give_up_reserve();
  std::error_code unseen;
  if (*left < k_least_free_bytes + 2 * k_reserve_bytes || fs::exists(reserve_, unseen) || unseen)
    return;
  const base::UniqueFd fd(::open(reserve_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  // Blocks that are really there: a file with holes would give nothing back.
  if (!fd || ::posix_fallocate(fd.get(), 0, static_cast<off_t>(k_reserve_bytes)) != 0)
    give_up_reserve();
}

void DiskSpace::give_up_reserve() noexcept {
  ::unlink(reserve_.c_str());
}

}  // namespace clawws::hub
