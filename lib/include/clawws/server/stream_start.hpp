// Where a subscription begins, and what its client is told of that: the answer of PROTOCOL's
// "Subscribing" section as one pure function, shared by GET /ws and the `subscribe` message.
#pragma once

#include <cstdint>
#include <optional>

#include "clawws/hub/event_store.hpp"
#include "clawws/wire/position.hpp"

namespace clawws::server {

// What was asked. `located` is what the store found for a time or for the N newest: the position
// before the first event wanted.
struct StartRequest {
  wire::Since since;
  std::optional<std::uint64_t> last;
  std::optional<std::uint64_t> located;

  bool needs_locating() const noexcept { return last || since.kind == wire::Since::Kind::time; }
};

struct StartPlan {
  std::uint64_t position = 0;  // events after it will be sent
  wire::StreamStart said;      // for auth.success or subscribed
};

// `facts.newest` is the newest seq that the session's view has looked at.
//   nothing asked:            from now on; resumed false, lost 0
//   own epoch, still kept:    from there; resumed true, lost 0
//   own epoch, pruned:        from the oldest; resumed false, lost = how many are gone
//   another epoch, or a position that does not exist yet: from the oldest; resumed false, lost unknown
//   earliest, a time, last N: from there; resumed false, lost 0, and `oldest` is the first that comes
StartPlan plan_start(const StartRequest& request, const hub::StoreFacts& facts);

}  // namespace clawws::server
