#include "clawws/client/cursor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "clawws/base/text.hpp"

namespace clawws::client {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::Error;
using base::Result;

// Far more than a reader that keeps up leaves waiting; beyond, places are coarser, never wrong.
constexpr std::size_t k_most_waiting = 4096;
constexpr std::size_t k_shown_bytes = 40;
constexpr std::size_t k_file_limit = 4096;

Error refused(const fs::path& path, const std::string& why) {
  return Error(Errc::config,
               "cannot keep the place in the stream in " + path.string() + ": " + why);
}

}  // namespace

Result<Cursor> Cursor::open(const fs::path& path) {
  std::error_code failed;
  const fs::path real = fs::weakly_canonical(path, failed);
  if (failed) return refused(path, failed.message());
  const fs::file_status status = fs::status(real, failed);
  if (fs::exists(status) && !fs::is_regular_file(status))
    return refused(path, "it is no regular file");
  auto lock = base::lock_file(real.string() + ".lock");
  if (!lock) {
    if (lock.error().code == Errc::locked)
      return Error(Errc::locked, lock.error().message() +
                                     ": another clawws tail keeps its place in " + path.string() +
                                     "; give each a file of its own");
    return refused(path, lock.error().message());
  }
  Cursor cursor(real, std::move(*lock));
  if (fs::exists(status))
    if (const auto read = cursor.read(); !read) return read.error();
  return cursor;
}

Result<void> Cursor::read() {
  const auto text = base::read_file(path_, k_file_limit);
  if (!text) return refused(path_, text.error().message());
  // Whole or nothing: without its newline a number may have lost digits.
  if (text->ends_with('\n')) {
    if (auto position = wire::parse_position(std::string_view(*text).substr(0, text->size() - 1))) {
      found_ = std::move(*position);
      return {};
    }
  }
  const std::string_view line = std::string_view(*text).substr(0, text->find('\n'));
  const std::string shown = "\"" + base::escape_terminal(base::utf8_prefix(line, k_shown_bytes)) + "\"";
  const std::string found = text->empty() ? "the file is empty"
                            : !text->ends_with('\n')
                                ? "it holds " + shown + " without the end of its line, so digits may be missing"
                            : line.size() + 1 != text->size() ? "it holds more lines than " + shown
                                                              : "it holds no position but " + shown;
  return refused(path_, found + "; write the line EPOCH:SEQ into it to go on after that event, or "
                                "remove it to begin where --since or --last say");
}

void Cursor::moved(const wire::Position& position, std::uint64_t given_bytes) {
  if (!waiting_.empty() &&
      (waiting_.back().given_bytes == given_bytes || waiting_.size() >= k_most_waiting)) {
    waiting_.back() = {position, given_bytes};
    return;
  }
  waiting_.push_back({position, given_bytes});
}

Result<void> Cursor::save(std::uint64_t taken_bytes, Sync sync) {
  while (!waiting_.empty() && waiting_.front().given_bytes <= taken_bytes) {
    ready_ = std::move(waiting_.front().position);
    waiting_.pop_front();
  }
  // What is in the file may not be on the disk yet.
  if (!ready_ && sync == Sync::disk) ready_ = saved_;
  if (!ready_) return {};
  if (*ready_ != (saved_ ? saved_ : found_) || sync == Sync::disk) {
    if (auto written = write(*ready_, sync); !written) return written;
  }
  saved_ = std::exchange(ready_, std::nullopt);
  return {};
}

// The name beside it is always the same: what a kill left there is written over, not left behind.
// The lock keeps others off it.
Result<void> Cursor::write(const wire::Position& position, Sync sync) const {
  const std::string beside = path_.string() + ".new";
  const auto failed = [this](int error_number) {
    return Error(Errc::io, "cannot write the cursor file " + path_.string() + ": " +
                               base::errno_text(error_number));
  };
  const base::UniqueFd fd(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd || ::fchmod(fd.get(), 0600) != 0) return failed(errno);
  const std::string line = wire::to_string(position) + "\n";
  const ssize_t put = ::write(fd.get(), line.data(), line.size());
  if (put < 0) return failed(errno);
  if (static_cast<std::size_t>(put) != line.size()) return failed(ENOSPC);
  if (sync == Sync::disk && ::fsync(fd.get()) != 0) return failed(errno);
  if (::rename(beside.c_str(), path_.c_str()) != 0) return failed(errno);
  return {};
}

}  // namespace clawws::client
