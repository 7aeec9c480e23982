// Is the link still there? A ping every 15 s; an answer missing for 5 s asks for a probe connection
// beside: when that one works while this link stays silent, this link is a black hole and is left
// at once; when it does not, the network is away and the link may live on until 30 s without a
// byte. While the reader pauses (output is behind), nothing can be heard, so nothing is concluded.
// Pure decisions with the time handed in; one per connection; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "clawws/base/time.hpp"

namespace clawws::client {

struct LivenessConfig {
  base::Millis ping_every{15'000};
  base::Millis answer_within{5'000};
  base::Millis dead_after{30'000};
};

class CLAWWS_API Liveness {
 public:
  enum class Action : std::uint8_t { none, ping, probe, dead };
  enum class Probe : std::uint8_t { worked, failed };
  enum class Verdict : std::uint8_t { stay, leave };

  explicit Liveness(const LivenessConfig& config = {}) : config_(config) {}

  void start(base::SteadyTime now);
  // Something came from the peer: a message, a ping or a pong. Any byte after our ping answers it.
  void heard(base::SteadyTime now);
  void pause();
  void resume(base::SteadyTime now);
  Verdict probe_ended(Probe outcome);
  // A ping is wanted at the next tick (the process was stopped for a while).
  void suspect();
  // What to do now; `ping` and `probe` are taken as done.
  Action tick(base::SteadyTime now);

 private:
  LivenessConfig config_;
  base::SteadyTime last_heard_{};
  base::SteadyTime next_ping_{};
  std::optional<base::SteadyTime> pinged_;  // unanswered since
  bool probing_ = false;
  bool probed_ = false;  // one probe for each unanswered ping
  bool paused_ = false;
};

}  // namespace clawws::client
