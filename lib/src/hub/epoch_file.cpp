#include "clawws/hub/epoch_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "clawws/base/crc32c.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;
namespace fs = std::filesystem;

// One page, written whole at first. What changes later are single words, each of which is old or
// new; the checksum is over what does not change.
struct EpochFile::Page {
  static constexpr char k_magic[16] = "clawws epoch 1\n";

  char magic[16];
  char epoch[16];
  char boot_id[64];
  std::uint64_t device;
  std::uint64_t inode;
  std::uint32_t durability;
  std::uint32_t checksum;  // of everything before it
  std::uint64_t acknowledged;
  std::uint64_t clean;
  char rest[3960];

  std::uint32_t expected_checksum() const noexcept {
    return base::crc32c({reinterpret_cast<const char*>(this), offsetof(Page, checksum)});
  }
};

namespace {

constexpr std::size_t k_page_bytes = 4096;

template <std::size_t N>
void put(char (&field)[N], std::string_view text) {
  std::memcpy(field, text.data(), std::min(text.size(), N - 1));
}

template <std::size_t N>
std::string get(const char (&field)[N]) {
  return std::string(field, ::strnlen(field, N));
}

}  // namespace

Result<std::optional<EpochFacts>> EpochFile::read(const fs::path& path) {
  static_assert(sizeof(Page) == k_page_bytes);
  std::error_code unseen;
  if (!fs::exists(path, unseen)) {
    if (unseen) return Error(Errc::io, "cannot read " + path.string() + ": " + unseen.message());
    return std::optional<EpochFacts>();
  }
  const Result<std::string> bytes = base::read_file(path, 2 * k_page_bytes);
  if (!bytes) return bytes.error();
  if (bytes->size() != k_page_bytes) return std::optional<EpochFacts>();
  auto page = std::make_unique<Page>();
  std::memcpy(static_cast<void*>(page.get()), bytes->data(), k_page_bytes);
  if (std::memcmp(page->magic, Page::k_magic, sizeof page->magic) != 0 ||
      page->checksum != page->expected_checksum() || page->durability > 1) {
    return std::optional<EpochFacts>();
  }
  EpochFacts facts;
  facts.epoch = get(page->epoch);
  facts.boot_id = get(page->boot_id);
  facts.device = page->device;
  facts.inode = page->inode;
  facts.durability = page->durability == 1 ? Durability::fsync : Durability::written;
  facts.acknowledged = page->acknowledged;
  facts.ending = page->clean == 1 ? EpochFacts::Ending::clean : EpochFacts::Ending::none;
  return std::optional(std::move(facts));
}

Result<EpochFile> EpochFile::create(const fs::path& path, const EpochFacts& facts) {
  auto fresh = std::make_unique<Page>();
  std::memset(static_cast<void*>(fresh.get()), 0, k_page_bytes);
  std::memcpy(fresh->magic, Page::k_magic, sizeof fresh->magic);
  put(fresh->epoch, facts.epoch);
  put(fresh->boot_id, facts.boot_id);
  fresh->device = facts.device;
  fresh->inode = facts.inode;
  fresh->durability = facts.durability == Durability::fsync ? 1 : 0;
  fresh->checksum = fresh->expected_checksum();
  fresh->acknowledged = facts.acknowledged;
  fresh->clean = facts.ending == EpochFacts::Ending::clean ? 1 : 0;
  const std::string_view bytes(reinterpret_cast<const char*>(fresh.get()), k_page_bytes);
  if (const Result<void> wrote = base::write_file_atomic(path, bytes, 0600); !wrote)
    return wrote.error();

  EpochFile file;
  file.fd_ = base::UniqueFd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.fd_) return Error(Errc::io, "cannot open " + path.string() + ": " + base::errno_text(errno));
  return file;
}

// Written rather than mapped: a file that was cut short, or a disk that fails, is an error here and
// a signal there.
Result<void> EpochFile::write_word(std::size_t at, std::uint64_t word) {
  const ssize_t wrote = ::pwrite(fd_.get(), &word, sizeof word, static_cast<off_t>(at));
  if (wrote == static_cast<ssize_t>(sizeof word)) return {};
  return Error(Errc::io, "cannot write the epoch file: " + base::errno_text(wrote < 0 ? errno : ENOSPC));
}

Result<void> EpochFile::note(std::uint64_t seq) {
  return write_word(offsetof(Page, acknowledged), seq);
}

Result<void> EpochFile::mark_clean() {
  if (const Result<void> wrote = write_word(offsetof(Page, clean), 1); !wrote) return wrote;
  if (::fdatasync(fd_.get()) != 0)
    return Error(Errc::io, "cannot write the epoch file: " + base::errno_text(errno));
  return {};
}

std::optional<std::string> why_new_epoch(const std::optional<EpochFacts>& before,
                                         const EpochNow& now) {
  if (now.epoch.empty()) {
    if (!before || before->acknowledged == 0) return "the event store is new";
    return "acknowledged events are missing: the last was " + std::to_string(before->acknowledged) +
           ", and the event store is new or was emptied";
  }
  if (!before) return "there is no epoch file that tells what was acknowledged";
  if (before->epoch != now.epoch) return "the epoch file belongs to another event store";
  // Some file systems get another device number at each boot, so it counts within one boot alone.
  const bool same_boot = !now.boot_id.empty() && before->boot_id == now.boot_id;
  if (before->inode != now.inode || (same_boot && before->device != now.device)) {
    return "the database file is not the one that was written to";
  }
  if (now.newest < before->acknowledged) {
    return "acknowledged events are missing: the last was " + std::to_string(before->acknowledged) +
           ", the store ends at " + std::to_string(now.newest);
  }
  if (!same_boot && before->ending == EpochFacts::Ending::none &&
      before->durability == Durability::written) {
    return "the machine went down without a clean end of the server, which may have taken the "
           "newest events";
  }
  return std::nullopt;
}

std::string current_boot_id() {
  const Result<std::string> text = base::read_file("/proc/sys/kernel/random/boot_id", 4096);
  return text ? std::string(base::trim(text->substr(0, text->find('\n')))) : std::string();
}

}  // namespace clawws::hub
