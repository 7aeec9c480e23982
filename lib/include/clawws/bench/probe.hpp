// The preflight's question to a server: can one subscribe, publish, and does the event come back?
// Uses the same connections as the load. One call, on the controller's thread.
#pragma once

#include <optional>
#include <string>

#include "clawws/bench/fleet.hpp"
#include "clawws/bench/publisher.hpp"

namespace clawws::bench {

class Probe final : public SubscriberEvents {
 public:
  Probe(Loop& loop, std::shared_ptr<const Target> target, std::shared_ptr<const SampleCodec> codec,
        std::uint32_t publishers);

  enum class State : std::uint8_t { connecting, live, came_back, failed };
  // ---- the controller's thread ----
  void connect(Nanos limit);
  State state() const noexcept { return state_.load(std::memory_order_acquire); }
  // After `failed`.
  net::Ending ending();
  std::string tls_text();
  void leave();

 private:
  void on_live(Subscriber& subscriber) override;
  void on_message(Subscriber& subscriber, std::string_view text, Nanos received_at) override;
  void on_binary(Subscriber&) override {}
  void on_ended(Subscriber& subscriber, const net::Ending& ending) override;

  Loop& loop_;
  std::shared_ptr<const SampleCodec> codec_;
  const std::uint32_t publishers_;
  Subscriber subscriber_;
  std::atomic<State> state_{State::connecting};
  net::Ending ending_;
  std::string tls_text_;
};

}  // namespace clawws::bench
