#include "clawws/wire/frame.hpp"

#include "clawws/base/text.hpp"

namespace clawws::wire {

namespace {

constexpr std::uint16_t k_no_status = 1005;
constexpr std::size_t k_max_reason = k_max_control_payload - 2;

char byte_of(std::uint64_t value, unsigned shift) noexcept {
  return static_cast<char>(static_cast<unsigned char>(value >> shift));
}

}  // namespace

std::size_t write_frame_header(char* out, Opcode opcode, std::uint64_t payload_bytes) noexcept {
  constexpr unsigned k_fin = 0x80;
  out[0] = byte_of(k_fin | static_cast<unsigned>(opcode), 0);
  if (payload_bytes <= 125) {
    out[1] = byte_of(payload_bytes, 0);
    return 2;
  }
  if (payload_bytes <= 0xFFFF) {
    out[1] = 126;
    out[2] = byte_of(payload_bytes, 8);
    out[3] = byte_of(payload_bytes, 0);
    return 4;
  }
  out[1] = 127;
  for (unsigned i = 0; i < 8; ++i) out[2 + i] = byte_of(payload_bytes, 56 - 8 * i);
  return 10;
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  char header[k_max_frame_header];
  out.append(header, write_frame_header(header, opcode, payload.size()));
  out.append(payload);
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string frame;
  if (code == k_no_status) {
    append_frame(frame, Opcode::close, {});
    return frame;
  }
  reason = base::utf8_prefix(reason, k_max_reason);
  if (!base::is_utf8(reason)) reason = {};
  std::string payload{byte_of(code, 8), byte_of(code, 0)};
  payload.append(reason);
  append_frame(frame, Opcode::close, payload);
  return frame;
}

bool is_valid_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace clawws::wire
