// Events from a stream of NDJSON lines (`--stdin`): validated like any publisher's, published in
// batches as they come in. A bad line is reported with its number and skipped; the end of input
// leaves the server running. Reads on a thread of its own and waits for each batch's commit before
// it reads on, so a slow store slows the writer of the pipe and nothing is skipped.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "clawws/base/log.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/hub/hub.hpp"
#include "clawws/server/counters.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::server {

class StdinSource {
 public:
  // Reads `fd`, which stays the caller's. Everything outlives this.
  StdinSource(int fd, const wire::EventRules& rules, hub::Hub& hub, Counters& counters, base::Logger& log);
  ~StdinSource();  // stop()

  void start();
  void stop();

 private:
  void run();
  void take_lines();
  void take_line(std::string_view line);
  void publish();

  const int fd_;
  const wire::EventRules& rules_;
  hub::Hub& hub_;
  Counters& counters_;
  base::Logger& log_;
  base::UniqueFd stop_event_;
  std::thread thread_;
  std::string input_;              // read, the last line perhaps incomplete
  std::uint64_t line_number_ = 0;
  bool skipping_ = false;          // inside a line that is too long
  std::vector<wire::Event> batch_;
  std::mutex mutex_;
  std::condition_variable answered_;
};

}  // namespace clawws::server
