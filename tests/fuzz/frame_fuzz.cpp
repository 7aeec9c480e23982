// Client bytes into the frame reader: what comes out does not depend on how the bytes were cut,
// text is UTF-8, nothing is held beyond the limits, and nothing comes after the end. The input's
// first byte chooses the cuts.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "clawws/base/text.hpp"
#include "clawws/wire/frame_reader.hpp"

namespace {

using clawws::wire::FrameLimits;
using clawws::wire::FrameReader;
using What = FrameReader::What;

constexpr FrameLimits k_limits{.max_message_bytes = 300, .max_fragments = 5};

struct Seen {
  What what;
  std::string data;
  std::uint16_t code;
  bool operator==(const Seen&) const = default;
};

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<Seen> read(std::string bytes, std::size_t piece_bytes) {
  FrameReader reader(k_limits);
  std::vector<Seen> seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    std::span<char> piece =
        std::span<char>(bytes).subspan(at, std::min(piece_bytes, bytes.size() - at));
    for (;;) {
      const FrameReader::Step step = reader.next(piece);
      require(reader.held_bytes() <= k_limits.max_message_bytes + 125);
      if (step.what == What::need_more) break;
      require(seen.empty() ||
              (seen.back().what != What::close && seen.back().what != What::violation));
      if (step.what == What::text || step.what == What::close) {
        require(clawws::base::is_utf8(step.data));
      }
      require(step.data.size() <= k_limits.max_message_bytes);
      require(step.what != What::violation || step.close_code >= 1002);
      seen.push_back({step.what, std::string(step.data), step.close_code});
    }
    require(piece.empty());
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  if (size_bytes == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size_bytes - 1);
  const std::vector<Seen> whole = read(bytes, bytes.size() + 1);
  require(read(bytes, 1) == whole);
  require(read(bytes, 1 + data[0]) == whole);
  return 0;
}
