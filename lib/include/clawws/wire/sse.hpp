// Server-sent events: the text/event-stream form of what a subscription gets (WHATWG HTML, section
// "Server-sent events"). Pure functions that append; nothing that they write can hold a line end
// that was not meant, whatever is in the text.
//
//   id: k3f9c2a1:8813
//   event: session.created
//   data: {"type":"session.created",…,"seq":8813}
//
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"
#include "clawws/wire/position.hpp"

namespace clawws::wire {

// One event; `text` is its JSON in two pieces.
CLAWWS_API void append_sse_event(std::string& out, std::string_view epoch, std::uint64_t seq,
                                 std::string_view type, std::string_view head,
                                 std::string_view tail = {});
// A comment (which keeps the connection alive) and the position, for a client that has seen no
// event for a while: it becomes its Last-Event-ID without an event being raised.
CLAWWS_API void append_sse_position(std::string& out, std::string_view epoch, std::uint64_t seq);
// A comment alone; nobody but a person reads it.
CLAWWS_API void append_sse_comment(std::string& out, std::string_view text);
// How long the client is to wait before it comes back.
CLAWWS_API void append_sse_retry(std::string& out, std::uint64_t millis);

// The event `clawws.gap`: what came between `asked` and `start.oldest` does not come. Its cause and
// members are those of the records of clawws-tail(1).
CLAWWS_API void append_sse_gap(std::string& out, std::int64_t now_millis, const Position& asked,
                               const StreamStart& start, const Position& goes_on_after);

}  // namespace clawws::wire
