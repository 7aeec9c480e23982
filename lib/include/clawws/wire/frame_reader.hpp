// Reading what a client sends, in the server's role (RFC 6455): bytes in, whole messages and
// control frames out, with every limit kept. No I/O, no clock: rates are the session's business.
// Holds memory only while a message or frame is incomplete, and never more than the limits.
//
// Use: bytes = what was read; loop { step = reader.next(bytes); … } until need_more or closed.
// `next` eats from the front of `bytes`. A step's `data` is valid until the next call.
// After a `violation` or `close` the reader eats and ignores everything (RFC 6455, section 7.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"

namespace clawws::wire {

struct FrameLimits {
  std::size_t max_message_bytes = 64 * 1024;  // over it: 1009, at the header that passes it
  std::uint32_t max_fragments = 1024;         // frames of one message; over it: 1008
};

class CLAWWS_API FrameReader {
 public:
  enum class What : std::uint8_t { need_more, text, binary, ping, pong, close, violation };
  struct Step {
    What what = What::need_more;
    std::string_view data;         // message, control payload, or the close reason
    std::uint16_t close_code = 0;  // close: the peer's (1005 when it gave none); violation: what to answer
    std::string_view why;          // violation: for the log, a literal
  };

  explicit FrameReader(const FrameLimits& limits = {}) noexcept : limits_(limits) {}
  Step next(std::span<char>& bytes);
  // Bytes held for an incomplete message.
  std::size_t held_bytes() const noexcept { return message_.capacity() + control_.capacity(); }

 private:
  // The implementer's own members.
  FrameLimits limits_;
  std::string message_;
  std::string control_;
};

}  // namespace clawws::wire
