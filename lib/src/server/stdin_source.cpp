#include "clawws/server/stdin_source.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>

#include "clawws/base/time.hpp"

namespace clawws::server {

namespace {
constexpr std::size_t k_read_bytes = 64 * 1024;
constexpr std::size_t k_line_slack = 64 * 1024;  // white space and escapes beside the event's own bytes
constexpr base::Millis k_retry{250};             // while the store is away
}  // namespace

StdinSource::StdinSource(int fd, const wire::EventRules& rules, hub::Hub& hub, Counters& counters, base::Logger& log)
    : fd_(fd), rules_(rules), hub_(hub), counters_(counters), log_(log), stop_event_(::eventfd(0, EFD_CLOEXEC)) {}

StdinSource::~StdinSource() { stop(); }

void StdinSource::start() {
  thread_ = std::thread([this] { run(); });
}

void StdinSource::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  if (::write(stop_event_.get(), &one, sizeof one) != sizeof one) log_.error("cannot stop reading standard input");
  answered_.notify_all();
  thread_.join();
}

void StdinSource::run() {
  while (true) {
    pollfd waits[2] = {{fd_, POLLIN, 0}, {stop_event_.get(), POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0) {
      if (errno == EINTR) continue;
      log_.error("standard input: " + base::errno_text(errno));
      return;
    }
    if (waits[1].revents != 0) return;
    const std::size_t before = input_.size();
    input_.resize(before + k_read_bytes);
    const ssize_t count = ::read(fd_, input_.data() + before, k_read_bytes);
    const int error = errno;
    input_.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count < 0) {
      if (error == EINTR || error == EAGAIN) continue;
      log_.error("standard input: " + base::errno_text(error));
      return;
    }
    if (count == 0) {
      if (!input_.empty() && !skipping_) take_line(input_);
      publish();
      log_.info("standard input ended; the server goes on", {{"lines", line_number_}});
      return;
    }
    take_lines();
    publish();
  }
}

void StdinSource::take_lines() {
  std::size_t begin = 0;
  for (std::size_t end; (end = input_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (skipping_) {
      skipping_ = false;
      continue;
    }
    take_line(std::string_view(input_).substr(begin, end - begin));
    if (batch_.size() == rules_.max_batch) publish();
  }
  input_.erase(0, begin);
  if (input_.size() > rules_.max_event_bytes + k_line_slack) {
    if (!skipping_) {
      ++line_number_;
      log_.warning("standard input: line skipped",
                   {{"line", line_number_}, {"why", "longer than --max-event allows"}});
    }
    skipping_ = true;
    input_.clear();
  }
}

void StdinSource::take_line(std::string_view line) {
  ++line_number_;
  wire::ParseResult parsed = wire::parse_events_ndjson(line, rules_, base::unix_millis());
  if (!parsed) {
    // An empty line is no event and no mistake.
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    const std::string& path = parsed.error().path;
    log_.warning("standard input: line skipped",
                 {{"line", line_number_}, {"why", path + (path.empty() ? "" : ": ") + parsed.error().message}});
    return;
  }
  for (wire::Event& event : parsed->events) batch_.push_back(std::move(event));
}

void StdinSource::publish() {
  struct Outcome {
    bool known = false;
    base::Result<hub::Receipt> receipt = hub::Receipt{};
  };
  while (!batch_.empty()) {
    const auto outcome = std::make_shared<Outcome>();
    const std::size_t count = batch_.size();
    // The batch is copied, not moved: it is needed again when the store is away.
    hub_.publish(batch_, std::nullopt, [this, outcome](base::Result<hub::Receipt> receipt) {
      const std::lock_guard lock(mutex_);
      outcome->receipt = std::move(receipt);
      outcome->known = true;
      answered_.notify_all();
    });
    {
      std::unique_lock lock(mutex_);
      answered_.wait(lock, [&] { return outcome->known; });
    }
    if (outcome->receipt) {
      counters_.events_published.fetch_add(count, std::memory_order_relaxed);
      batch_.clear();
      return;
    }
    const base::Error& error = outcome->receipt.error();
    if (error.code != base::Errc::unavailable && error.code != base::Errc::store_full) {
      log_.warning("standard input: events refused", {{"line", line_number_}, {"why", error.message()}});
      batch_.clear();
      return;
    }
    pollfd wait{stop_event_.get(), POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(k_retry.count())) > 0) return;
  }
}

}  // namespace clawws::server
