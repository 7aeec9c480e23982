// Reading what a server sends (RFC 6455, client role): bytes in, whole messages and control frames
// out. Made for ten thousand connections in one process: it holds memory only while a frame is
// incomplete, and a frame that lies whole in the input is not copied. Does not check UTF-8: what is
// counted is checked by its own hash. No I/O; one thread.
//
// Use: loop { step = scanner.next(bytes); … } until need_more. `next` eats from the front of
// `bytes`; a step's `data` is valid until the next call and no longer than `bytes`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"

namespace clawws::bench {

class CLAWWS_API FrameScanner {
 public:
  enum class What : std::uint8_t { need_more, text, binary, ping, pong, close, violation };
  struct Step {
    What what = What::need_more;
    std::string_view data;  // violation: what is wrong
  };

  Step next(std::string_view& bytes);

 private:
  Step next_frame(std::string_view& bytes);
  Step take(std::string_view frame, std::size_t header_bytes);
  bool collect(std::string_view& bytes, std::size_t up_to);

  std::string carried_;        // an incomplete frame
  std::string message_;        // the fragments so far
  bool handed_out_ = false;    // the last step's data lies in carried_
  bool message_done_ = false;  // … or in message_
  bool in_message_ = false;
  bool is_text_ = false;
};

// A frame as a client sends it, masked; `payload` of at most 125 bytes.
CLAWWS_API std::string client_frame(std::uint8_t opcode, std::string_view payload);

}  // namespace clawws::bench
