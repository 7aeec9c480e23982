// The records that --meta inline puts between the events: what a program must know of the stream
// itself, in the form of an event (type, timestamp, payload) without a seq. Types that begin with
// `clawws.` are the protocol's own, so no publisher can send one. Pure; each is one line of JSON
// without its newline. clawws-tail(1) is the contract.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "clawws/base/time.hpp"
#include "clawws/client/notes.hpp"
#include "clawws/client/stream_tracker.hpp"
#include "clawws/wire/message.hpp"

namespace clawws::client {

std::string connected_record(std::int64_t now_millis, const std::string& url,
                             const wire::ServerMessage& welcome);
// `retry_in`: nothing when there will be no further attempt.
std::string disconnected_record(std::int64_t now_millis, const std::string& reason,
                                std::optional<base::Millis> retry_in);
std::string gap_record(std::int64_t now_millis, const Gap& gap);
std::string live_record(std::int64_t now_millis, const CaughtUp& caught_up,
                        const wire::Position& position, const LossCount& lost);

}  // namespace clawws::client
