// The file beside a store's database that tells whether all acknowledged events are still there:
// the epoch, the highest acknowledged seq, this boot of the machine, the database file's identity,
// and whether the last server ended cleanly. What is noted after each commit is eight bytes that
// survive kill -9, as the kernel has them.
//
// note() is the writer thread's; the rest is called at start and end. Knows no SQLite.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "clawws/base/error.hpp"
#include "clawws/base/posix.hpp"

namespace clawws::hub {

// What commits survive: `written` the end of the process, `fsync` the loss of power.
enum class Durability : std::uint8_t { written, fsync };

struct EpochFacts {
  std::string epoch;
  std::string boot_id;
  std::uint64_t device = 0;  // of the database file
  std::uint64_t inode = 0;
  Durability durability = Durability::written;
  std::uint64_t acknowledged = 0;
  enum class Ending : std::uint8_t { none, clean } ending = Ending::none;
};

// What a start finds.
struct EpochNow {
  std::string epoch;  // the database's newest; empty: a new database
  std::string boot_id;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t newest = 0;
};

// Why a new epoch begins, for people; nothing when the old one goes on. `before` is the epoch
// file's content, nothing when there is none that can be read.
std::optional<std::string> why_new_epoch(const std::optional<EpochFacts>& before,
                                         const EpochNow& now);

class EpochFile {
 public:
  EpochFile() = default;
  // The content of `path`; nothing when there is no such file or it holds something else. Errc::io
  // when it cannot be read.
  static base::Result<std::optional<EpochFacts>> read(const std::filesystem::path& path);
  // Writes a new one in place of what is there, on disk when this returns, and keeps it open.
  static base::Result<EpochFile> create(const std::filesystem::path& path, const EpochFacts& facts);

  // Everything up to `seq` may now be acknowledged.
  base::Result<void> note(std::uint64_t seq);
  // Nothing was lost and all is on disk; the last call.
  base::Result<void> mark_clean();
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

 private:
  struct Page;
  base::Result<void> write_word(std::size_t at, std::uint64_t word);
  base::UniqueFd fd_;
};

// The kernel's name for this boot; empty when it has none.
std::string current_boot_id();

}  // namespace clawws::hub
