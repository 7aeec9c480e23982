#include "clawws/client/reconnect.hpp"

#include <algorithm>

namespace clawws::client {
namespace {

using base::Millis;
using base::SteadyTime;

constexpr Millis k_stable_after{10'000};

Millis between(SteadyTime start, SteadyTime now) {
  return std::chrono::duration_cast<Millis>(now - start);
}

base::BackoffConfig sane(base::BackoffConfig config) {
  config.early_cap = std::min(config.early_cap, config.cap);
  return config;
}

}  // namespace

Reconnect::Reconnect(const ReconnectConfig& config, std::uint64_t seed, SteadyTime start)
    : config_(config),
      backoff_(sane(config.backoff), seed),
      outage_since_(start),
      unstable_since_(start) {}

void Reconnect::connected(SteadyTime now) {
  // The wait for the first success is no outage that the back-off would have to remember.
  if (!ever_connected_) {
    unstable_since_.reset();
    progressed();
  }
  ever_connected_ = true;
  connected_since_ = now;
}

void Reconnect::progressed() {
  outage_since_.reset();
  retries_ = 0;
}

void Reconnect::alive(SteadyTime now) {
  if (!connected_since_ || between(*connected_since_, now) < k_stable_after) return;
  unstable_since_.reset();
  backoff_.reset();
}

Reconnect::Decision Reconnect::failed(const net::Ending& ending, SteadyTime now) {
  if (!outage_since_) outage_since_ = now;
  if (!unstable_since_) unstable_since_ = now;
  connected_since_.reset();

  if (ending.again == net::Again::never) return give_up(ending, "");
  if (!ever_connected_ && config_.first_connect == ReconnectConfig::FirstConnect::fail_fast)
    return give_up(ending, "");
  if (ever_connected_ && config_.afterwards == ReconnectConfig::Afterwards::end)
    return give_up(ending, "");
  if (config_.max_retries && retries_ >= *config_.max_retries)
    return give_up(ending, "gave up after " + std::to_string(retries_) +
                               (retries_ == 1 ? " retry" : " retries"));
  const Millis outage = between(*outage_since_, now);
  std::optional<Millis> limit = config_.max_outage;
  if (!ever_connected_ && config_.wait_limit)
    limit = std::min(*config_.wait_limit, limit.value_or(*config_.wait_limit));
  if (limit && outage >= *limit)
    return give_up(ending, "gave up after " + base::format_duration(outage));

  Decision decision;
  decision.again = true;
  const Millis unstable = between(*unstable_since_, now);
  decision.delay =
      ending.hint ? backoff_.next_hinted(unstable, *ending.hint) : backoff_.next(unstable);
  // The last attempt comes at the limit, not after it.
  if (limit) decision.delay = std::min(decision.delay, *limit - outage);
  decision.retry = ++retries_;
  ++total_retries_;
  return decision;
}

void Reconnect::start_afresh(SteadyTime now) {
  backoff_.reset();
  if (outage_since_) outage_since_ = now;
  if (unstable_since_) unstable_since_ = now;
}

Reconnect::Decision Reconnect::give_up(const net::Ending& ending, const std::string& why) const {
  Decision decision;
  decision.code = ending.code == base::Errc::timed_out ? base::Errc::connect_failed : ending.code;
  decision.reason = why.empty() ? ending.what : why + "; last: " + ending.what;
  return decision;
}

}  // namespace clawws::client
