// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of what is stored, so that a changed
// bit is noticed before anybody is served it. With the processor's own instruction where there is
// one. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "clawws/base/export.hpp"

namespace clawws::base {

// Of `bytes` behind those whose checksum is `before`: crc32c(b, crc32c(a)) is that of a and b
// joined.
CLAWWS_API std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;
// The same by table, on any processor.
CLAWWS_API std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace clawws::base
