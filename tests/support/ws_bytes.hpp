// Client frames as bytes, right and wrong ones, for the codec's tests and for raw peers. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace clawws::test {

using Mask = std::array<unsigned char, 4>;
inline constexpr Mask k_zero_mask = {0, 0, 0, 0};
inline constexpr Mask k_some_mask = {0x37, 0xFA, 0x21, 0x3D};

// "81 02 68 69" as bytes; spaces are passed over, `M` stands for the zero mask.
inline std::string hex(std::string_view text) {
  std::string out;
  std::string digits;
  for (const char c : text) {
    if (c == ' ') continue;
    if (c == 'M') {
      out.append(4, '\0');
      continue;
    }
    digits.push_back(c);
    if (digits.size() == 2) {
      out.push_back(static_cast<char>(std::strtoul(digits.c_str(), nullptr, 16)));
      digits.clear();
    }
  }
  return out;
}

inline std::string masked(std::string_view payload, const Mask& mask) {
  std::string out(payload);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(static_cast<unsigned char>(out[i]) ^ mask[i % 4]);
  }
  return out;
}

// `first`: FIN, reserved bits and opcode as they stand on the wire.
inline std::string client_frame_header(unsigned first, std::uint64_t size, const Mask& mask) {
  std::string out(1, static_cast<char>(first));
  const auto big_endian = [&out, size](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i) & 0xFF));
  };
  if (size < 126) {
    out.push_back(static_cast<char>(0x80 | size));
  } else if (size < 0x10000) {
    out.push_back(static_cast<char>(0xFE));
    big_endian(2);
  } else {
    out.push_back(static_cast<char>(0xFF));
    big_endian(8);
  }
  for (const unsigned char byte : mask) out.push_back(static_cast<char>(byte));
  return out;
}

inline std::string client_frame(unsigned first, std::string_view payload,
                                const Mask& mask = k_some_mask) {
  return client_frame_header(first, payload.size(), mask) + masked(payload, mask);
}

inline std::string client_text(std::string_view payload) {
  return client_frame(0x81, payload);
}

// The payload of a close frame.
inline std::string close_payload(unsigned code, std::string_view reason = {}) {
  std::string out{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return out.append(reason);
}

}  // namespace clawws::test
