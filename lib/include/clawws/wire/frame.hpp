// Writing WebSocket frames in the server's role (RFC 6455, section 5): never masked, never
// fragmented. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"

namespace clawws::wire {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

inline constexpr std::size_t k_max_frame_header = 10;
inline constexpr std::size_t k_max_control_payload = 125;

// Writes the header of a final, unmasked frame at `out` (room for k_max_frame_header bytes);
// returns its size: 2, 4 or 10.
CLAWWS_API std::size_t write_frame_header(char* out, Opcode opcode,
                                          std::uint64_t payload_bytes) noexcept;
CLAWWS_API void append_frame(std::string& out, Opcode opcode, std::string_view payload);
// A whole close frame. The reason is cut to 123 bytes at a UTF-8 boundary; one that is not UTF-8 is
// left out. Code 1005 ("none was given") makes an empty close frame.
CLAWWS_API std::string close_frame(std::uint16_t code, std::string_view reason);

// May stand in a close frame that is received: 1000-1003, 1007-1014, 3000-4999 (RFC 6455,
// section 7.4).
CLAWWS_API bool is_valid_close_code(std::uint16_t code) noexcept;

}  // namespace clawws::wire
