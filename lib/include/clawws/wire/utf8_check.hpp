// Strict UTF-8 (RFC 3629) over text that arrives in pieces, cut anywhere. Four bytes of state; no
// memory, no I/O. Ready for the next text whenever it is complete().
#pragma once

#include <cstdint>
#include <string_view>

#include "clawws/base/export.hpp"

namespace clawws::wire {

class CLAWWS_API Utf8Check {
 public:
  // False as soon as no continuation could make the text valid; then stays false.
  bool feed(std::string_view piece) noexcept;
  // True when everything fed so far is valid and ends between two characters.
  bool complete() const noexcept { return pending_ == 0 && !broken_; }

 private:
  bool lead(unsigned char byte) noexcept;

  std::uint8_t pending_ = 0;   // continuation bytes still to come
  std::uint8_t least_ = 0x80;  // the range of the next one
  std::uint8_t most_ = 0xBF;
  bool broken_ = false;
};

}  // namespace clawws::wire
