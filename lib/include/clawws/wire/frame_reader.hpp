// Reading what a client sends, in the server's role (RFC 6455): bytes in, whole messages and
// control frames out, with every limit kept. No I/O, no clock: rates are the session's business.
// Holds memory only while a message or frame is incomplete, and never more than the limits.
//
// Use: bytes = what was read; loop { step = reader.next(bytes); … } until need_more or closed.
// `next` eats from the front of `bytes` and unmasks them in place. A step's `data` is valid until
// the next call and no longer than `bytes`: a message that lies whole in the input is not copied.
// After a `violation` or `close` the reader eats and ignores everything (RFC 6455, section 7.1).
//
// Text is checked as it arrives, so a broken sequence in a first fragment fails there (1007).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"
#include "clawws/wire/frame.hpp"
#include "clawws/wire/utf8_check.hpp"

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
    std::string_view data;  // message, control payload, or the close reason
    std::uint16_t close_code =
        0;                 // close: the peer's (1005 when it gave none); violation: what to answer
    std::string_view why;  // violation: for the log, a literal
  };

  explicit FrameReader(const FrameLimits& limits = {}) noexcept : limits_(limits) {}
  Step next(std::span<char>& bytes);
  // Bytes of heap held for what is incomplete; at most max_message_bytes + 125.
  std::size_t held_bytes() const noexcept;
  // True after a `violation` or `close`.
  bool closed() const noexcept { return closed_; }

 private:
  static constexpr std::size_t k_max_header = 14;

  // Each takes what it can from the front of `bytes`.
  bool take_header(std::span<char>& bytes) noexcept;
  Step check_header() noexcept;
  Step take_payload(std::span<char>& bytes);
  Step finish_control(std::string_view payload) noexcept;
  Step finish_message(std::string_view message) noexcept;
  Step violation(std::uint16_t code, std::string_view why) noexcept;
  Step need_more() const noexcept { return {}; }

  bool is_control() const noexcept { return opcode_ >= Opcode::close; }
  bool is_text() const noexcept { return message_opcode_ == Opcode::text; }

  FrameLimits limits_;
  std::string message_;  // what has come of a message that did not lie whole in the input
  std::string control_;  // the same of a control frame
  std::uint64_t payload_bytes_ = 0;  // of the present frame
  std::uint64_t taken_bytes_ = 0;    // of that payload
  std::uint32_t fragments_ = 0;      // of the present message, this frame included
  Utf8Check utf8_;
  Opcode opcode_ = Opcode::continuation;          // of the present frame
  Opcode message_opcode_ = Opcode::continuation;  // of the present message; continuation: none
  std::uint8_t header_have_ = 0;
  bool in_payload_ = false;
  bool final_ = false;       // the present frame's FIN
  bool handed_out_ = false;  // the last step's data lies in message_ or control_
  bool closed_ = false;
  unsigned char header_[k_max_header] = {};
  unsigned char mask_[4] = {};
};

}  // namespace clawws::wire
