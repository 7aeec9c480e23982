#include "clawws/wire/utf8_check.hpp"

#include <cstddef>
#include <cstring>

namespace clawws::wire {

// The narrowed range of the second byte keeps out overlong forms, surrogates and what lies beyond
// U+10FFFF (RFC 3629, section 4).
bool Utf8Check::lead(unsigned char byte) noexcept {
  least_ = 0x80;
  most_ = 0xBF;
  if (byte >= 0xC2 && byte <= 0xDF) {
    pending_ = 1;
  } else if (byte >= 0xE0 && byte <= 0xEF) {
    pending_ = 2;
    if (byte == 0xE0) least_ = 0xA0;
    if (byte == 0xED) most_ = 0x9F;
  } else if (byte >= 0xF0 && byte <= 0xF4) {
    pending_ = 3;
    if (byte == 0xF0) least_ = 0x90;
    if (byte == 0xF4) most_ = 0x8F;
  } else {
    broken_ = true;
  }
  return !broken_;
}

bool Utf8Check::feed(std::string_view piece) noexcept {
  if (broken_) return false;
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at != end) {
    if (pending_ == 0) {
      // Client messages are nearly all ASCII: eight at a time.
      for (std::uint64_t word; end - at >= 8; at += 8) {
        std::memcpy(&word, at, 8);
        if ((word & 0x8080808080808080U) != 0) break;
      }
      if (at == end) break;
    }
    const auto byte = static_cast<unsigned char>(*at++);
    if (pending_ == 0) {
      if (byte >= 0x80 && !lead(byte)) return false;
    } else if (byte < least_ || byte > most_) {
      broken_ = true;
      return false;
    } else {
      --pending_;
      least_ = 0x80;
      most_ = 0xBF;
    }
  }
  return true;
}

}  // namespace clawws::wire
