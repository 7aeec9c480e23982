// The writer waits in poll(2) for three things at once: something to write and room for it, a call
// from outside (eventfd), and the reader's end of the pipe going away, which poll tells even when
// nothing is to be written. It writes at most 4 KiB at a time to what can block: a pipe or terminal
// that polls writable takes that much, so the thread never hangs in write(2) and can always be
// stopped. Making the descriptors non-blocking instead would change them for every process that
// shares them.
#include "clawws/client/output.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "clawws/base/error.hpp"

namespace clawws::client {
namespace {

constexpr std::size_t k_chunk_bytes = 64 * 1024;
constexpr std::size_t k_write_bytes = 4096;
constexpr std::string_view k_erase_line = "\r\x1b[K";

bool same_place(int a, int b) {
  struct stat first {
  }, second{};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino && first.st_rdev == second.st_rdev;
}

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

base::UniqueFd make_wake_fd() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return base::UniqueFd(fd);
}

}  // namespace

Output::Output(const OutputConfig& config, Callbacks callbacks)
    : config_(config),
      callbacks_(std::move(callbacks)),
      one_place_(same_place(config.data_fd, config.notes_fd)),
      wake_fd_(make_wake_fd()),
      writer_([this] { run(); }) {}

Output::~Output() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  writer_.join();
}

void Output::data(std::string_view lines) {
  enqueue(Stream::data, lines, Keep::always);
}
void Output::note(std::string_view lines, Keep keep) {
  enqueue(Stream::notes, lines, keep);
}

void Output::status(std::string line) {
  {
    const std::lock_guard lock(mutex_);
    // Erased by an event, it comes back with the next call, so no more often than it is called.
    if (line == status_ && shown_status_ == status_) return;
    status_ = std::move(line);
    status_changed_ = true;
  }
  wake();
}

void Output::when_drained() {
  {
    const std::lock_guard lock(mutex_);
    tell_drained_ = true;
  }
  wake();
}

std::uint64_t Output::data_taken() const {
  const std::lock_guard lock(mutex_);
  return data_taken_;
}

std::deque<Output::Chunk>& Output::queue_of(Stream stream) {
  return stream == Stream::data || one_place_ ? data_ : notes_;
}

void Output::enqueue(Stream stream, std::string_view lines, Keep keep) {
  bool became_high = false;
  bool was_idle = false;
  {
    const std::lock_guard lock(mutex_);
    if (stream == Stream::data ? data_lost_ : notes_lost_) return;
    if (keep == Keep::if_room && !has_room_for_note(lines.size())) {
      ++dropped_notes_;
      return;
    }
    was_idle = queue_of(stream).empty();  // else the writer is at it
    if (stream == Stream::notes) say_dropped();
    append(stream, lines);
    if (data_bytes_ > config_.high_bytes && !is_high_) became_high = is_high_ = true;
  }
  if (was_idle) wake();
  if (became_high && callbacks_.level) callbacks_.level(Level::high);
}

// Once one was dropped, all are until the writer has said so: the line then stands where they are
// missing.
bool Output::has_room_for_note(std::size_t size_bytes) const {
  return dropped_notes_ == 0 && notes_bytes_ + size_bytes <= config_.notes_bytes;
}

void Output::append(Stream stream, std::string_view lines) {
  auto& queue = queue_of(stream);
  if (queue.empty() || queue.back().stream != stream ||
      queue.back().bytes.size() + lines.size() > k_chunk_bytes)
    queue.push_back({stream, {}});
  queue.back().bytes.append(lines);
  (stream == Stream::data ? data_bytes_ : notes_bytes_) += lines.size();
}

void Output::say_dropped() {
  const std::uint64_t count = std::exchange(dropped_notes_, 0);
  if (count > 0 && callbacks_.dropped_line) append(Stream::notes, callbacks_.dropped_line(count));
}

void Output::wake() noexcept {
  const std::uint64_t one = 1;
  // A full counter wakes as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_.get(), &one, sizeof one);
}

bool Output::work_waits(Stream stream) const {
  if (stream == Stream::data) return !data_.empty() && !data_lost_;
  return !notes_.empty() && !notes_lost_;
}

void Output::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // In one place the front chunk says whose turn it is.
    const bool notes_in_front =
        one_place_ ? work_waits(Stream::data) && data_.front().stream == Stream::notes
                   : work_waits(Stream::notes);
    const bool data_in_front = work_waits(Stream::data) && !(one_place_ && notes_in_front);
    // A reader of stdout that is stuck does not hide the status line, unless it is on the same
    // screen.
    const bool status_due =
        status_changed_ && !work_waits(Stream::notes) && !(one_place_ && work_waits(Stream::data));
    const auto wanted = [](bool wants) { return static_cast<short>(wants ? POLLOUT : 0); };
    pollfd waits[] = {
        {wake_fd_.get(), POLLIN, 0},
        {data_lost_ ? -1 : config_.data_fd, wanted(data_in_front), 0},
        {notes_lost_ ? -1 : config_.notes_fd, wanted(notes_in_front || status_due), 0}};
    lock.unlock();
    ::poll(waits, 3, -1);
    std::uint64_t count = 0;
    if ((waits[0].revents & POLLIN) != 0) [[maybe_unused]]
      const ssize_t taken = ::read(wake_fd_.get(), &count, sizeof count);
    lock.lock();
    constexpr short k_gone = POLLERR | POLLHUP | POLLNVAL;
    const auto reason = [](short events) { return (events & POLLNVAL) != 0 ? EBADF : EPIPE; };
    if ((waits[1].revents & POLLOUT) != 0)
      write_some(lock, Stream::data);
    else if ((waits[1].revents & k_gone) != 0)
      lose(lock, Stream::data, reason(waits[1].revents));
    if ((waits[2].revents & POLLOUT) != 0) {
      if (notes_in_front)
        write_some(lock, Stream::notes);
      else if (status_due)
        show_status(lock);
    } else if ((waits[2].revents & k_gone) != 0) {
      lose(lock, Stream::notes, reason(waits[2].revents));
    }
    look_whether_drained(lock);
  }
}

void Output::write_some(std::unique_lock<std::mutex>& lock, Stream stream) {
  auto& queue = queue_of(stream);
  if (queue.empty() || (one_place_ && queue.front().stream != stream)) return;
  // The status line leaves the screen before anything else is written there.
  const bool erase = !shown_status_.empty();
  shown_status_.clear();

  // Producers only append to the last chunk; once it is first, new text may move its bytes, so what
  // is written is taken out under the lock.
  const std::size_t index = &queue == &data_ ? 0 : 1;
  const int fd = stream == Stream::data ? config_.data_fd : config_.notes_fd;
  const std::size_t limit = is_regular(fd) ? k_chunk_bytes : k_write_bytes;
  const std::string part = queue.front().bytes.substr(first_done_[index], limit);
  lock.unlock();
  if (erase) [[maybe_unused]]
    const ssize_t erased = ::write(config_.notes_fd, k_erase_line.data(), k_erase_line.size());
  const ssize_t written = ::write(fd, part.data(), part.size());
  const int error_number = errno;
  lock.lock();
  if (written >= 0)
    took(lock, stream, static_cast<std::size_t>(written));
  else if (error_number != EINTR && error_number != EAGAIN)
    lose(lock, stream, error_number);
}

void Output::took(std::unique_lock<std::mutex>& lock, Stream stream, std::size_t bytes) {
  auto& queue = queue_of(stream);
  const std::size_t index = &queue == &data_ ? 0 : 1;
  if (queue.empty()) return;
  first_done_[index] += bytes;
  if (first_done_[index] >= queue.front().bytes.size()) {
    queue.pop_front();
    first_done_[index] = 0;
  }
  if (stream == Stream::notes) {
    notes_bytes_ -= bytes;
    if (notes_bytes_ <= config_.notes_bytes / 2) say_dropped();
    return;
  }
  data_bytes_ -= bytes;
  data_taken_ += bytes;
  if (is_high_ && data_bytes_ <= config_.high_bytes / 2) {
    is_high_ = false;
    lock.unlock();
    if (callbacks_.level) callbacks_.level(Level::low);
    lock.lock();
  }
}

void Output::lose(std::unique_lock<std::mutex>& lock, Stream stream, int error_number) {
  bool& lost = stream == Stream::data ? data_lost_ : notes_lost_;
  if (lost) return;
  lost = true;
  auto& queue = queue_of(stream);
  if (!queue.empty() && queue.front().stream == stream) first_done_[&queue == &data_ ? 0 : 1] = 0;
  std::erase_if(queue, [stream](const Chunk& chunk) { return chunk.stream == stream; });
  if (stream == Stream::notes) {
    status_changed_ = false;
    notes_bytes_ = 0;
    dropped_notes_ = 0;
    return;  // nobody reads the notes: not a reason to end
  }
  data_bytes_ = 0;
  lock.unlock();
  if (callbacks_.lost)
    callbacks_.lost(error_number == EPIPE ? Loss::reader_left : Loss::failed,
                    base::errno_text(error_number));
  lock.lock();
}

void Output::look_whether_drained(std::unique_lock<std::mutex>& lock) {
  if (!tell_drained_ || work_waits(Stream::data) || work_waits(Stream::notes)) return;
  if (status_changed_ && !notes_lost_) return;
  tell_drained_ = false;
  lock.unlock();
  if (callbacks_.drained) callbacks_.drained();
  lock.lock();
}

void Output::show_status(std::unique_lock<std::mutex>& lock) {
  std::string text(k_erase_line);
  text += status_;
  shown_status_ = status_;
  status_changed_ = false;
  lock.unlock();
  const ssize_t written = ::write(config_.notes_fd, text.data(), text.size());
  const int error_number = errno;
  lock.lock();
  if (written < 0 && error_number != EINTR && error_number != EAGAIN)
    lose(lock, Stream::notes, error_number);
}

}  // namespace clawws::client
