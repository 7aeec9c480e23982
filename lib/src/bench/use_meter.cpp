#include "clawws/bench/use_meter.hpp"

#include <unistd.h>

namespace clawws::bench {
namespace {

double cores(Nanos cpu, Nanos wall) {
  return wall <= Nanos(0) ? 0
                          : static_cast<double>(cpu.count()) / static_cast<double>(wall.count());
}

MemoryUse memory_use(const ProcessUse& before, const ProcessUse& settled, const ProcessUse& end,
                     std::uint64_t connections) {
  return {before.rss_bytes, settled.rss_bytes, end.peak_rss_bytes, connections};
}

}  // namespace

UseMeter::Marks UseMeter::take_marks() const {
  Marks marks;
  if (server_) marks.server = process_use(*server_).value_or(ProcessUse{});
  marks.own = process_use(::getpid()).value_or(ProcessUse{});
  return marks;
}

// Lags are counted anew: what the handshakes of the ramp kept waiting is no part of a delivery.
void UseMeter::measure_begins() {
  begin_at_ = steady_now();
  for (const LoopThread& thread : threads_) {
    threads_begin_.push_back(thread.loop->cpu_time());
    thread.loop->call([&] { thread.loop->clear_lag(); });
  }
  begin_ = take_marks();
}

void UseMeter::measure_ends(std::uint64_t connections, BenchResult& result) {
  const Nanos wall = steady_now() - begin_at_;
  const Marks end = take_marks();
  result.client_cores = cores(end.own.cpu - begin_.own.cpu, wall);
  result.client_memory = memory_use(before_.own, settled_.own, end.own, connections);
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
  // Nothing of a server that has ended.
  if (!server_ || end.server.rss_bytes == 0) return;
  ServerUse use;
  use.pid = *server_;
  use.cpu_measured = end.server.cpu - begin_.server.cpu;
  use.cpu_connect = settled_.server.cpu - before_.server.cpu;
  use.cores = cores(use.cpu_measured, wall);
  use.memory = memory_use(before_.server, settled_.server, end.server, connections);
  result.server = use;
}

}  // namespace clawws::bench
