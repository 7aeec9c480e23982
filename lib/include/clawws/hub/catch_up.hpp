// Chunks for readers that are behind: a bounded run of older events as frames in a segment of its
// own, filtered and with `prev` as the reader's view has them. The session sends a chunk with the
// same cursor and the same flush as live frames. Pure but for the log's lock; any thread.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "clawws/hub/event_store.hpp"
#include "clawws/hub/frame_log.hpp"
#include "clawws/hub/type_table.hpp"

namespace clawws::hub {

struct Chunk {
  std::shared_ptr<Segment> frames;   // may hold none: nothing matched
  std::uint64_t scanned_to = 0;      // everything that matches, up to here, is in it or before it
  std::uint64_t last_match = 0;      // seq of the newest match known, for the next chunk's `prev`
};

// What of the log in memory comes after `after`; nothing when that is older than the log. Ends after
// about `limit_bytes` of frames, or after four times as many bytes looked at.
std::optional<Chunk> chunk_from_log(const FrameLog& log, TypeSet& types, std::uint64_t after,
                                    std::uint64_t last_match, std::size_t limit_bytes);

// The same from events that the store has read.
Chunk chunk_from_events(std::span<const StoredEvent> events, const wire::Filter& filter, TypeTable& types,
                        std::uint64_t after, std::uint64_t last_match);

// Writes `,"seq":N}` at `out` (room for 32 bytes).
std::string_view write_seq(char* out, std::uint64_t seq) noexcept;

}  // namespace clawws::hub
