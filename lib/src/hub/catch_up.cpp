#include "clawws/hub/catch_up.hpp"

#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "clawws/hub/view.hpp"

namespace clawws::hub {

namespace {

// One chosen event: its text in two pieces.
struct Piece {
  std::uint64_t seq;
  TypeId type;
  std::string text;
};

Chunk pack(const std::vector<Piece>& pieces, std::uint64_t scanned_to, std::uint64_t last_match) {
  std::size_t bytes = 0;
  for (const Piece& piece : pieces) bytes += Segment::frame_bytes(piece.text.size());
  const std::uint64_t base_seq = pieces.empty() ? scanned_to + 1 : pieces.front().seq;
  auto frames = std::make_shared<Segment>(bytes, base_seq, 0);
  for (const Piece& piece : pieces) frames->append(piece.seq, piece.type, piece.text, {});
  frames->close();
  return {std::move(frames), scanned_to, last_match};
}

}  // namespace

std::string_view write_seq(char* out, std::uint64_t seq) noexcept {
  constexpr std::string_view k_name = ",\"seq\":";
  std::memcpy(out, k_name.data(), k_name.size());
  char* end = std::to_chars(out + k_name.size(), out + 31, seq).ptr;
  *end++ = '}';
  return {out, static_cast<std::size_t>(end - out)};
}

std::optional<Chunk> chunk_from_log(const FrameLog& log, TypeSet& types, std::uint64_t after,
                                    std::uint64_t last_match, std::size_t limit_bytes) {
  std::optional<Cursor> place = log.after(after);
  if (!place) return std::nullopt;
  std::vector<Piece> pieces;
  std::size_t taken = 0;
  std::size_t looked_at = 0;
  std::uint64_t scanned_to = after;
  char tail[32];
  do {
    const Segment& segment = *place->segment;
    const std::uint32_t count = segment.count();
    for (; place->index < count && taken < limit_bytes && looked_at < 4 * limit_bytes; ++place->index) {
      scanned_to = segment.seq_of(place->index);
      std::string_view text = segment.text_of(place->index);
      looked_at += text.size();
      const TypeId type = segment.type_of(place->index);
      if (!types.contains(type)) continue;
      taken += text.size();
      if (types.filter().is_everything()) {
        pieces.push_back({scanned_to, type, std::string(text)});
      } else {
        text.remove_suffix(1);
        pieces.push_back({scanned_to, type, std::string(text).append(write_prev(tail, last_match))});
      }
      last_match = scanned_to;
    }
  } while (taken < limit_bytes && looked_at < 4 * limit_bytes && log.cross(*place));
  return pack(pieces, scanned_to, last_match);
}

Chunk chunk_from_events(std::span<const StoredEvent> events, const wire::Filter& filter, TypeTable& types,
                        std::uint64_t after, std::uint64_t last_match) {
  std::vector<Piece> pieces;
  char tail[32];
  for (const StoredEvent& event : events) {
    if (!filter.matches(event.type)) continue;
    // A store may hold more types than this process may have numbers for; the number is of use to
    // views alone, and a chunk is built for one filter already.
    const base::Result<TypeId> type = types.intern(event.type);
    std::string text = event.body;
    std::string_view seq_text = write_seq(tail, event.seq);
    if (filter.is_everything()) {
      text += seq_text;
    } else {
      seq_text.remove_suffix(1);
      text += seq_text;
      text += write_prev(tail, last_match);
    }
    pieces.push_back({event.seq, type ? *type : TypeId{0}, std::move(text)});
    last_match = event.seq;
  }
  return pack(pieces, events.empty() ? after : events.back().seq, last_match);
}

}  // namespace clawws::hub
