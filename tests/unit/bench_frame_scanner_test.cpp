// Frames in every cut come out the same; what no server may send is refused.
#include "clawws/bench/frame_scanner.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "clawws/wire/frame.hpp"
#include "clawws/wire/frame_reader.hpp"

namespace clawws::bench {
namespace {

using What = FrameScanner::What;
using Seen = std::vector<std::pair<What, std::string>>;

// Feeds `bytes` in parts that end where `cut` says.
template <class Cut>
Seen scan(std::string_view bytes, Cut cut) {
  FrameScanner scanner;
  Seen seen;
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(cut(), bytes.size());
    std::string part(bytes.substr(0, size));
    bytes.remove_prefix(size);
    std::string_view rest = part;
    for (;;) {
      const auto step = scanner.next(rest);
      if (step.what == What::need_more) break;
      seen.emplace_back(step.what, std::string(step.data));
      if (step.what == What::violation) return seen;
    }
    EXPECT_TRUE(rest.empty());
  }
  return seen;
}

Seen scan_whole(const std::string& bytes) {
  return scan(bytes, [&] { return bytes.size(); });
}

std::string frame(wire::Opcode opcode, std::string_view payload) {
  std::string out;
  wire::append_frame(out, opcode, payload);
  return out;
}

TEST(BenchFrameScanner, EveryCutGivesTheSameMessages) {
  std::string bytes, fragments;
  Seen sent;
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 4000U, 65535U, 65536U}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    bytes += frame(wire::Opcode::text, text);
    sent.emplace_back(What::text, text);
    bytes += frame(wire::Opcode::ping, "p" + std::to_string(size));
    sent.emplace_back(What::ping, "p" + std::to_string(size));
  }
  // A message in three fragments, with a ping inside.
  fragments = frame(wire::Opcode::text, "one");
  fragments[0] = static_cast<char>(fragments[0] & 0x7f);
  bytes += fragments + frame(wire::Opcode::ping, "in between");
  fragments = frame(wire::Opcode::continuation, " two");
  fragments[0] = static_cast<char>(fragments[0] & 0x7f);
  bytes += fragments + frame(wire::Opcode::continuation, " three");
  sent.emplace_back(What::ping, "in between");
  sent.emplace_back(What::text, "one two three");
  bytes += frame(wire::Opcode::close, "\x03\xe8");
  sent.emplace_back(What::close, "\x03\xe8");

  EXPECT_EQ(scan_whole(bytes), sent);
  EXPECT_EQ(scan(bytes, [] { return 1U; }), sent);
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; ++round)
    ASSERT_EQ(scan(bytes, [&] { return random() % 300 + 1; }), sent);
}

TEST(BenchFrameScanner, WhatNoServerMaySendIsAViolation) {
  const auto refused = [](const std::string& bytes) {
    const Seen seen = scan_whole(bytes);
    return !seen.empty() && seen.back().first == What::violation;
  };
  EXPECT_TRUE(refused(client_frame(1, "masked")));
  EXPECT_TRUE(refused("\xc1\x01x"));                             // RSV1
  EXPECT_TRUE(refused("\x83\x01x"));                             // opcode 3
  EXPECT_TRUE(refused(frame(wire::Opcode::continuation, "x")));  // of nothing
  EXPECT_TRUE(refused(std::string("\x01\x01x\x81\x01y", 6)));    // text inside a message
  EXPECT_TRUE(refused(std::string("\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00", 10)));
}

TEST(BenchFrameScanner, ClientFramesAreWhatTheServersReaderTakes) {
  wire::FrameReader reader;
  for (const std::string& payload : {std::string(), std::string("pong"), std::string(125, 'x')}) {
    std::string bytes = client_frame(10, payload);
    std::span<char> rest(bytes);
    const auto step = reader.next(rest);
    EXPECT_EQ(step.what, wire::FrameReader::What::pong);
    EXPECT_EQ(step.data, payload);
  }
}

}  // namespace
}  // namespace clawws::bench
