// Room on the disk of a store. Below 64 MiB free nothing is taken any more. A reserve of 8 MiB, a
// file of its own, is given up when the disk is about to be full, since a full disk cannot even
// delete rows or bring the write-ahead log into the database; it is made again when there is room.
// room() from any thread; the reserve from one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "clawws/base/error.hpp"

namespace clawws::hub {

inline constexpr std::uint64_t k_least_free_bytes = 64ull << 20;
inline constexpr std::uint64_t k_reserve_bytes = 8ull << 20;

class DiskSpace {
 public:
  using FreeBytes = std::function<base::Result<std::uint64_t>()>;

  // `free_bytes` says how much an ordinary process may still write; empty: asks the file system.
  DiskSpace(std::filesystem::path reserve_file, FreeBytes free_bytes);

  // Errc::store_full with the numbers; unavailable when the file system does not answer.
  base::Result<void> room() const;
  // Makes the reserve, keeps it or gives it up, as the free space asks for.
  void tend_reserve();
  void give_up_reserve() noexcept;

 private:
  const std::filesystem::path reserve_;
  const FreeBytes free_bytes_;
};

}  // namespace clawws::hub
