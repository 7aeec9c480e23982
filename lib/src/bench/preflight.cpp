#include "clawws/bench/preflight.hpp"

#include <algorithm>

#include "clawws/base/posix.hpp"
#include "clawws/base/time.hpp"

namespace clawws::bench {
namespace {

constexpr Nanos k_limit = std::chrono::seconds(5);
constexpr std::size_t k_spare_files = 64;

RunFailure failed(base::Errc code, const std::string& what) {
  const int exit = base::info(code).exit_code;
  // What is no matter of connection or credentials is the preflight's own.
  return {exit >= 3 && exit <= 6 ? exit : k_exit_preflight, what, 0};
}

}  // namespace

RunFailure interrupted(const Watch& watch) {
  return {128 + watch.signal(), "interrupted before anything was measured", watch.signal()};
}

std::optional<RunFailure> check_limits(const BenchPlan& plan) {
  const std::size_t needed = plan.connections + plan.canaries + plan.stalled + plan.publishers +
                             plan.threads * 2 + k_spare_files;
  const std::size_t allowed = base::raise_file_limit();
  if (allowed >= needed) return std::nullopt;
  return RunFailure{
      k_exit_preflight,
      base::format_count(plan.connections) + " connections need " + base::format_count(needed) +
          " open files, and this process may have " + base::format_count(allowed) +
          "; raise the limit (ulimit -n " + std::to_string(needed) +
          " as root, or LimitNOFILE= of a unit), or ask for fewer with --connections; "
          "clawws bench doctor names every limit",
      0};
}

// Better a sentence now than fifty thousand lost deliveries: wrong credentials, a user who may not
// publish, a URL that is no clawws server, events that a proxy swallows.
std::optional<RunFailure> ask_server(const BenchPlan& plan, Probe& probe, Publisher& publisher,
                                     Watch& watch) {
  const Nanos limit = std::min<Nanos>(k_limit, plan.connect_limit);
  probe.connect(limit);
  watch.wait_until(steady_now() + limit + k_limit,
                   [&] { return probe.state() != Probe::State::connecting; });
  if (watch.signal() != 0) return interrupted(watch);
  if (probe.state() == Probe::State::failed) {
    const net::Ending ending = probe.ending();
    return failed(ending.code, "cannot subscribe: " + ending.what);
  }
  if (probe.state() == Probe::State::connecting)
    return RunFailure{k_exit_preflight, "the server took the subscription but sent no first frame",
                      0};

  std::optional<base::Result<void>> published;
  publisher.probe();
  watch.wait_until(steady_now() + k_limit,
                   [&] { return (published = publisher.probe_result()).has_value(); });
  if (watch.signal() != 0) return interrupted(watch);
  if (!published)
    return RunFailure{k_exit_preflight, "the server did not answer POST /clawws/events within 5 s",
                      0};
  if (!published->has_value()) return failed(published->error().code, published->error().message());
  watch.wait_until(steady_now() + k_limit,
                   [&] { return probe.state() == Probe::State::came_back; });
  if (watch.signal() != 0) return interrupted(watch);
  if (probe.state() != Probe::State::came_back)
    return RunFailure{k_exit_preflight,
                      "an event was published and accepted, but did not come back to a subscriber "
                      "within 5 s",
                      0};
  return std::nullopt;
}

}  // namespace clawws::bench
