#include "clawws/base/crc32c.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace clawws::base {
namespace {

// RFC 3720, appendix B.4, and the check value that every catalogue of checksums gives.
TEST(BaseCrc32c, TheKnownValues) {
  std::string rising(32, '\0');
  for (int i = 0; i < 32; ++i) rising[static_cast<std::size_t>(i)] = static_cast<char>(i);
  for (const auto of : {crc32c, crc32c_by_table}) {
    EXPECT_EQ(of("", 0), 0U);
    EXPECT_EQ(of("123456789", 0), 0xe3069283U);
    EXPECT_EQ(of(std::string(32, '\0'), 0), 0x8a9136aaU);
    EXPECT_EQ(of(std::string(32, '\xff'), 0), 0x62a8ab43U);
    EXPECT_EQ(of(rising, 0), 0x46dd794eU);
  }
}

TEST(BaseCrc32c, BothWaysAgreeAndPiecesJoin) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string_view whole = bytes;
    const std::uint32_t expected = crc32c_by_table(whole);
    EXPECT_EQ(crc32c(whole), expected) << size;
    const std::size_t cut = size == 0 ? 0 : random() % size;
    EXPECT_EQ(crc32c(whole.substr(cut), crc32c(whole.substr(0, cut))), expected)
        << size << " cut at " << cut;
  }
}

}  // namespace
}  // namespace clawws::base
