#include "clawws/client/meta.hpp"

#include <nlohmann/json.hpp>

namespace clawws::client {
namespace {

using Json = nlohmann::ordered_json;

std::string record(const char* type, std::int64_t now_millis, Json payload) {
  Json out;
  out["type"] = type;
  out["timestamp"] = base::format_rfc3339(now_millis);
  out["payload"] = std::move(payload);
  // A reason may hold what a peer has sent.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* cause_name(Gap::Cause cause) {
  switch (cause) {
    case Gap::Cause::retention:
      return "retention";
    case Gap::Cause::ahead:
      return "ahead";
    case Gap::Cause::new_epoch:
      return "new_epoch";
    case Gap::Cause::hole:
      return "hole";
  }
  return "";
}

Json count_or_null(const std::optional<std::uint64_t>& count) {
  return count ? Json(*count) : Json(nullptr);
}

}  // namespace

std::string connected_record(std::int64_t now_millis, const std::string& url,
                             const wire::ServerMessage& welcome) {
  return record("clawws.connected", now_millis,
                {{"url", url},
                 {"server", welcome.server},
                 {"user", welcome.user_id},
                 {"newest", wire::to_string({welcome.start.epoch, welcome.start.seq})},
                 {"resumed", welcome.start.resumed}});
}

std::string disconnected_record(std::int64_t now_millis, const std::string& reason,
                                std::optional<base::Millis> retry_in) {
  return record(
      "clawws.disconnected", now_millis,
      {{"reason", reason}, {"retryInMs", retry_in ? Json(retry_in->count()) : Json(nullptr)}});
}

std::string gap_record(std::int64_t now_millis, const Gap& gap) {
  return record("clawws.gap", now_millis,
                {{"cause", cause_name(gap.cause)},
                 {"lost", count_or_null(gap.lost)},
                 {"from", wire::to_string(gap.from)},
                 {"to", wire::to_string(gap.goes_on_after())}});
}

std::string live_record(std::int64_t now_millis, const CaughtUp& caught_up,
                        const wire::Position& position, const LossCount& lost) {
  return record("clawws.live", now_millis,
                {{"position", wire::to_string(position)},
                 {"replayed", caught_up.replayed},
                 {"lost", count_or_null(lost.unknown ? std::nullopt : std::optional(lost.known))}});
}

}  // namespace clawws::client
