// What befalls the clients in the middle of a run from which they come back: a network that drops
// them, a time away, a server that is started again. One call, on the controller's thread, while
// events flow.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clawws/bench/fleet.hpp"
#include "clawws/bench/preflight.hpp"
#include "clawws/bench/schedule.hpp"
#include "clawws/bench/watch.hpp"

namespace clawws::bench {

// The hand on a server that a run may end and start again. The controller's thread.
struct ServerControl {
  std::function<void(int signal)> end;  // sends the signal; does not wait
  std::function<bool()> has_ended;
  std::function<base::Result<void>()> start;  // again, with the same state and port; does not wait
  std::function<bool()> is_listening;
  std::function<std::optional<pid_t>()> pid;  // of the one that runs now
};

class Disturbance {
 public:
  struct Setup {
    const BenchPlan& plan;
    std::vector<Fleet*> fleets;
    std::uint64_t clients = 0;                // of them, live before
    const ServerControl* control = nullptr;   // of restarts; must then be there
    Nanos give_up{std::chrono::seconds(30)};  // on a server that does not end, or not come again
  };
  Disturbance(const Setup& setup, const Schedule& schedule, Watch& watch)
      : setup_(setup), schedule_(schedule), watch_(watch) {}

  // Returns when everybody is back, at the last event's time, or after a signal; then the clients
  // are still on their way. A failure: the server did not end, or did not come back.
  std::optional<RunFailure> run();

  // When clients could come back from: the loss, or the moment they were let back. 0: never came.
  Nanos began_at() const noexcept { return began_at_; }
  std::optional<Nanos> server_down() const noexcept { return server_down_; }

 private:
  void drop_all();
  void send_away();
  std::optional<RunFailure> restart();
  void wait_for_all();

  const Setup setup_;
  const Schedule schedule_;
  Watch& watch_;
  Nanos began_at_{0};
  std::optional<Nanos> server_down_;
};

}  // namespace clawws::bench
