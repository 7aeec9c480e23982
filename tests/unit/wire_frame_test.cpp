#include "clawws/wire/frame.hpp"

#include <gtest/gtest.h>

#include "clawws/base/text.hpp"
#include "support/ws_bytes.hpp"

namespace clawws::wire {
namespace {

using test::hex;

std::string header(Opcode opcode, std::uint64_t size) {
  char out[k_max_frame_header];
  return {out, write_frame_header(out, opcode, size)};
}

TEST(WireFrame, HeaderUsesTheShortestLength) {
  EXPECT_EQ(header(Opcode::text, 0), hex("81 00"));
  EXPECT_EQ(header(Opcode::text, 125), hex("81 7D"));
  EXPECT_EQ(header(Opcode::text, 126), hex("81 7E 00 7E"));
  EXPECT_EQ(header(Opcode::text, 0xFFFF), hex("81 7E FF FF"));
  EXPECT_EQ(header(Opcode::text, 0x10000), hex("81 7F 00 00 00 00 00 01 00 00"));
  EXPECT_EQ(header(Opcode::binary, 0x0102030405060708), hex("82 7F 01 02 03 04 05 06 07 08"));
}

TEST(WireFrame, AppendsHeaderAndPayload) {
  std::string out = "x";
  append_frame(out, Opcode::pong, "hi");
  EXPECT_EQ(out, "x" + hex("8A 02 68 69"));
  append_frame(out, Opcode::ping, "");
  EXPECT_EQ(out, "x" + hex("8A 02 68 69 89 00"));
}

TEST(WireFrame, CloseFrameCarriesCodeAndReason) {
  EXPECT_EQ(close_frame(1000, ""), hex("88 02 03 E8"));
  EXPECT_EQ(close_frame(4008, "slow"), hex("88 06 0F A8") + "slow");
  EXPECT_EQ(close_frame(1005, "never sent"), hex("88 00"));
}

// F-17.
TEST(WireFrame, CloseReasonIsAtMost123BytesOfUtf8) {
  const std::string full(123, 'a');
  EXPECT_EQ(close_frame(1011, full), hex("88 7D 03 F3") + full);
  EXPECT_EQ(close_frame(1011, full + "b"), hex("88 7D 03 F3") + full);

  std::string euros;
  for (int i = 0; i < 60; ++i) euros += "\xE2\x82\xAC";
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const std::string frame = close_frame(1011, std::string(shift, 'a') + euros);
    ASSERT_LE(frame.size(), 2 + k_max_control_payload);
    EXPECT_EQ(static_cast<std::size_t>(frame[1]), frame.size() - 2);
    EXPECT_TRUE(base::is_utf8(std::string_view(frame).substr(4))) << shift;
    EXPECT_GT(frame.size(), 120U) << "cut by a character, not more";
  }
  EXPECT_EQ(close_frame(1011, "bad \xFF"), hex("88 02 03 F3"));
}

// F-10, F-11.
TEST(WireFrame, CloseCodesThatMayBeReceived) {
  const auto allowed = [](unsigned code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
  };
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    ASSERT_EQ(is_valid_close_code(static_cast<std::uint16_t>(code)), allowed(code)) << code;
  }
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 2999U, 5000U, 65535U}) {
    EXPECT_FALSE(is_valid_close_code(static_cast<std::uint16_t>(code))) << code;
  }
}

}  // namespace
}  // namespace clawws::wire
