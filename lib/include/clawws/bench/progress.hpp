// Live progress on stderr: one line that is redrawn on a terminal, else a line each 10 seconds, on
// demand one for each phase as well.
// The controller's thread.
#pragma once

#include <string>

#include "clawws/bench/watch.hpp"

namespace clawws::bench {

// "measure 12/20 s · 50/50 connected · 2,500 deliveries/s · p50 0.42 p99 1.1 max 2.4 ms · lost 0
// · outstanding 0"
std::string progress_text(const Snapshot& snapshot);

class ProgressLine {
 public:
  enum class Form : std::uint8_t { none, redrawn, lines, phases };
  // Writes to `fd`, which stays the caller's.
  ProgressLine(int fd, Form form) : fd_(fd), form_(form) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Snapshot& snapshot);
  // Takes the line away, so that something else can be written.
  void clear();

 private:
  int fd_;
  Form form_;
  bool drawn_ = false;
  Nanos next_{0};
  std::optional<Phase> phase_;  // shown last
};

}  // namespace clawws::bench
