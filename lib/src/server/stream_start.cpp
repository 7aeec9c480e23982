#include "clawws/server/stream_start.hpp"

#include <algorithm>

namespace clawws::server {

StartPlan plan_start(const StartRequest& request, const hub::StoreFacts& facts) {
  const std::uint64_t oldest = std::min(facts.oldest, facts.newest + 1);
  StartPlan plan;
  plan.said = {facts.epoch, facts.newest, oldest, false, 0};
  if (request.needs_locating()) {
    plan.position = std::clamp(request.located.value_or(facts.newest), oldest - 1, facts.newest);
    plan.said.oldest = plan.position + 1;
    return plan;
  }
  switch (request.since.kind) {
    case wire::Since::Kind::none:
    case wire::Since::Kind::time:
      plan.position = facts.newest;
      break;
    case wire::Since::Kind::earliest:
      plan.position = oldest - 1;
      break;
    case wire::Since::Kind::position: {
      const wire::Position& asked = request.since.position;
      const bool known = asked.epoch == facts.epoch && asked.seq <= facts.newest;
      if (known && asked.seq + 1 >= oldest) {
        plan.position = asked.seq;
        plan.said.resumed = true;
      } else {
        plan.position = oldest - 1;
        plan.said.lost = known ? std::optional(plan.position - asked.seq) : std::nullopt;
      }
      break;
    }
  }
  return plan;
}

}  // namespace clawws::server
