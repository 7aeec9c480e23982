// What a run costs: CPU time of this process and its threads, CPU time and memory of the server,
// read at the marks between the phases. The controller's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "clawws/bench/process.hpp"
#include "clawws/bench/result.hpp"

namespace clawws::bench {

struct LoopThread {
  std::string name;  // "worker 0", "publisher", "canary"
  std::unique_ptr<Loop> loop;
};

class UseMeter {
 public:
  // `threads` must outlive it. Without a `server` there is none in the result.
  UseMeter(const std::vector<LoopThread>& threads, std::optional<pid_t> server)
      : threads_(threads), server_(server) {}

  void before_connect() { before_ = take_marks(); }
  void settled() { settled_ = take_marks(); }
  void measure_begins();
  // `connections`: how many were gained between before_connect() and settled().
  void measure_ends(std::uint64_t connections, BenchResult& result);

 private:
  struct Marks {
    ProcessUse server, own;
  };
  Marks take_marks() const;

  const std::vector<LoopThread>& threads_;
  const std::optional<pid_t> server_;
  Marks before_, settled_, begin_;
  Nanos begin_at_{0};
  std::vector<Nanos> threads_begin_;
};

}  // namespace clawws::bench
