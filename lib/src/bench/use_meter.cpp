#include "clawws/bench/use_meter.hpp"

#include <time.h>

namespace clawws::bench {
namespace {

Nanos own_cpu() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + Nanos(used.tv_nsec);
}

double cores(Nanos cpu, Nanos wall) {
  return wall <= Nanos(0) ? 0
                          : static_cast<double>(cpu.count()) / static_cast<double>(wall.count());
}

}  // namespace

ProcessUse UseMeter::server_use() const {
  return server_ ? process_use(*server_).value_or(ProcessUse{}) : ProcessUse{};
}

void UseMeter::measure_begins() {
  begin_at_ = steady_now();
  own_begin_ = own_cpu();
  for (const LoopThread& thread : threads_) {
    threads_begin_.push_back(thread.loop->cpu_time());
    thread.loop->call([&] { thread.loop->clear_lag(); });
  }
  begin_ = server_use();
}

void UseMeter::measure_ends(std::uint64_t connections, BenchResult& result) {
  const Nanos wall = steady_now() - begin_at_;
  result.client_cores = cores(own_cpu() - own_begin_, wall);
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    Loop& loop = *threads_[i].loop;
    ThreadUse use;
    use.name = threads_[i].name;
    use.cores = cores(loop.cpu_time() - threads_begin_[i], wall);
    loop.call([&] {
      use.lag_p99 = loop.lag().percentile(99).value_or(Nanos(0));
      use.lag_max = loop.lag().max();
    });
    result.threads.push_back(use);
  }
  const auto end = server_ ? process_use(*server_) : std::nullopt;
  if (!end) return;
  ServerUse use;
  use.pid = *server_;
  use.cpu_measured = end->cpu - begin_.cpu;
  use.cpu_connect = settled_.cpu - before_.cpu;
  use.cores = cores(use.cpu_measured, wall);
  use.rss_before = before_.rss_bytes;
  use.rss_settled = settled_.rss_bytes;
  use.rss_peak = end->peak_rss_bytes;
  use.connections = connections;
  result.server = use;
}

}  // namespace clawws::bench
