#include "clawws/client/stream_tracker.hpp"

#include "clawws/base/time.hpp"

namespace clawws::client {

using wire::PositionRule;
using wire::ServerMessage;

StreamTracker::StreamTracker(StreamRequest request) : request_(std::move(request)) {
  if (request_.since.kind == wire::Since::Kind::position) {
    rule_ = PositionRule(request_.since.position);
    settled_ = true;
  }
}

std::string StreamTracker::begin() {
  welcomed_ = false;
  asked_position_ = settled_;
  std::string query;
  const auto add = [&](const char* name, const std::string& value) {
    query += (query.empty() ? "" : "&") + std::string(name) + "=" + value;
  };
  // All values are of characters that a query takes as they are.
  if (settled_)
    add("since", wire::to_string(rule_.position()));
  else if (request_.since.kind == wire::Since::Kind::earliest)
    add("since", "earliest");
  else if (request_.since.kind == wire::Since::Kind::time)
    add("since", base::format_rfc3339(request_.since.unix_millis));
  else if (request_.last)
    add("last", std::to_string(*request_.last));
  if (!request_.types.empty()) {
    std::string list;
    for (const auto& type : request_.types) list += (list.empty() ? "" : ",") + type;
    add("types", list);
  }
  return query;
}

Step StreamTracker::message(const ServerMessage& message) {
  Step step;
  if (!welcomed_ && message.kind != ServerMessage::Kind::welcome) {
    step.kind = Step::Kind::violation;
    step.problem = "the first frame is not auth.success";
    return step;
  }
  switch (message.kind) {
    case ServerMessage::Kind::welcome:
      if (welcomed_) {
        step.kind = Step::Kind::violation;
        step.problem = "a second auth.success";
        return step;
      }
      welcome(message, step);
      break;
    case ServerMessage::Kind::event:
      event(message, step);
      break;
    case ServerMessage::Kind::pong:
    case ServerMessage::Kind::position:
      rule_.position_frame(message.epoch, message.seq);
      if (message.epoch == rule_.position().epoch) settled_ = true;
      break;
    case ServerMessage::Kind::subscribed:
    case ServerMessage::Kind::error:
    case ServerMessage::Kind::unknown:
      break;  // this client asks for nothing after the upgrade; new kinds may come
  }
  look_whether_caught_up(step);
  return step;
}

void StreamTracker::welcome(const ServerMessage& message, Step& step) {
  step.kind = Step::Kind::welcome;
  welcomed_ = true;
  const wire::Position before = rule_.position();
  const bool wants_older = request_.last || request_.since.kind != wire::Since::Kind::none;
  if (asked_position_) {
    rule_.start(message.start, PositionRule::Asked::since);
    if (!message.start.resumed && message.start.lost != std::uint64_t{0}) {
      const bool same = before.epoch == message.start.epoch;
      const bool is_ahead = same && before.seq > message.start.seq;
      step.gap = Gap{is_ahead ? Gap::Cause::ahead
                     : same   ? Gap::Cause::retention
                              : Gap::Cause::new_epoch,
                     message.start.lost, before, rule_.position(), message.start.seq};
    }
  } else {
    // A place in the past that is no position: the first event, or a ping's answer, settles it.
    rule_ = PositionRule();
    rule_.start(message.start,
                wants_older ? PositionRule::Asked::since : PositionRule::Asked::nothing);
    settled_ = !wants_older;
  }
  target_ = message.start.seq;
  replayed_ = 0;
  catching_up_ = true;
}

void StreamTracker::event(const ServerMessage& message, Step& step) {
  const wire::Position before = rule_.position();
  const auto verdict = rule_.event(message.seq, message.prev);
  if (verdict == PositionRule::Verdict::duplicate) {
    step.kind = Step::Kind::duplicate;
    return;
  }
  step.kind = Step::Kind::event;
  settled_ = true;
  step.is_replay = catching_up_ && message.seq <= target_;
  if (step.is_replay) ++replayed_;
  if (verdict == PositionRule::Verdict::accepted_after_hole) {
    std::optional<std::uint64_t> lost;  // a filter's hole has at least one, no more is known
    if (!message.prev) lost = message.seq - before.seq - 1;
    step.gap = Gap{Gap::Cause::hole, lost, before, rule_.position(), 0};
  }
}

void StreamTracker::look_whether_caught_up(Step& step) {
  if (!catching_up_ || !settled_ || rule_.position().seq < target_) return;
  catching_up_ = false;
  step.caught_up = CaughtUp{replayed_, !ever_caught_up_};
  ever_caught_up_ = true;
}

}  // namespace clawws::client
