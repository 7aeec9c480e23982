#include "clawws/wire/frame_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "support/ws_bytes.hpp"

namespace clawws::wire {

// For what GoogleTest prints.
void PrintTo(FrameReader::What what, std::ostream* out) {
  constexpr const char* k_names[] = {"need_more", "text",  "binary",   "ping",
                                     "pong",      "close", "violation"};
  *out << k_names[static_cast<std::size_t>(what)];
}

namespace {

using test::client_frame;
using test::client_frame_header;
using test::client_text;
using test::close_payload;
using test::hex;
using What = FrameReader::What;

struct Seen {
  What what;
  std::string data;
  std::uint16_t code = 0;
  bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* out) {
  PrintTo(seen.what, out);
  *out << '(' << seen.code << ", " << seen.data.size() << " bytes)";
}
using Steps = std::vector<Seen>;

// Gives the reader one piece and notes what comes out until it needs more.
void feed(FrameReader& reader, std::string piece, Steps& steps) {
  std::span<char> bytes(piece);
  for (;;) {
    const FrameReader::Step step = reader.next(bytes);
    if (step.what == What::need_more) break;
    steps.push_back({step.what, std::string(step.data), step.close_code});
    EXPECT_EQ(step.what == What::violation, !step.why.empty());
  }
  EXPECT_TRUE(bytes.empty()) << "need_more with bytes left";
}

Steps read_in_one(const std::string& bytes, const FrameLimits& limits = {}) {
  FrameReader reader(limits);
  Steps steps;
  feed(reader, bytes, steps);
  return steps;
}

// The same whatever the cuts: in one piece, byte by byte, in two pieces cut at each place.
Steps read(const std::string& bytes, const FrameLimits& limits = {}) {
  const Steps whole = read_in_one(bytes, limits);
  FrameReader by_byte(limits);
  Steps steps;
  for (const char c : bytes) feed(by_byte, std::string(1, c), steps);
  EXPECT_EQ(steps, whole) << "byte by byte";
  for (std::size_t cut = 0; cut <= bytes.size() && bytes.size() < 600; ++cut) {
    FrameReader reader(limits);
    steps.clear();
    feed(reader, bytes.substr(0, cut), steps);
    feed(reader, bytes.substr(cut), steps);
    EXPECT_EQ(steps, whole) << "cut at " << cut;
  }
  return whole;
}

Steps violation(std::uint16_t code) {
  return {{What::violation, "", code}};
}

TEST(WireFrameReader, ReadsMessagesOfEveryLengthForm) {
  for (const std::size_t size : {0U, 1U, 2U, 7U, 8U, 9U, 125U, 126U, 127U, 1000U, 65535U, 65536U}) {
    std::string text(size, 'a');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
    EXPECT_EQ(read(client_text(text)), (Steps{{What::text, text}})) << size;
  }
}

TEST(WireFrameReader, ReadsSeveralFramesFromOneRead) {
  const std::string bytes = client_text("one") + client_frame(0x89, "p") + client_frame(0x8A, "q") +
                            client_frame(0x82, std::string("\x00\xFF", 2)) + client_text("two");
  EXPECT_EQ(read(bytes), (Steps{{What::text, "one"},
                                {What::ping, "p"},
                                {What::pong, "q"},
                                {What::binary, std::string("\x00\xFF", 2)},
                                {What::text, "two"}}));
}

TEST(WireFrameReader, HandsOutAWholeMessageWhereItLies) {
  FrameReader reader;
  std::string bytes = client_text("in place");
  std::span<char> rest(bytes);
  const FrameReader::Step step = reader.next(rest);
  EXPECT_EQ(step.data, "in place");
  EXPECT_EQ(step.data.data(), bytes.data() + 6);
  EXPECT_EQ(reader.held_bytes(), 0U);
}

TEST(WireFrameReader, JoinsFragmentsWithControlFramesBetween) {
  const std::string bytes = client_frame(0x01, "frag") + client_frame(0x89, "ping") +
                            client_frame(0x00, "men") + client_frame(0x00, "") +
                            client_frame(0x8A, "") + client_frame(0x80, "ted") + client_text("x");
  EXPECT_EQ(
      read(bytes),
      (Steps{
          {What::ping, "ping"}, {What::pong, ""}, {What::text, "fragmented"}, {What::text, "x"}}));
}

TEST(WireFrameReader, EmptyFragmentsMakeAnEmptyMessage) {
  EXPECT_EQ(read(client_frame(0x01, "") + client_frame(0x80, "")), (Steps{{What::text, ""}}));
}

TEST(WireFrameReader, F1_UnmaskedFrame) {
  EXPECT_EQ(read(hex("81 02 68 69")), violation(1002));
}

TEST(WireFrameReader, F2_CompressedFrameWithoutAgreement) {
  EXPECT_EQ(read(hex("C1 82 M 68 69")), violation(1002));
  EXPECT_EQ(read(hex("C1 84 M FF FF FF FF")), violation(1002));
}

TEST(WireFrameReader, F3_ReservedBitsAndOpcodes) {
  for (const char* bytes :
       {"A1 82 M 68 69", "91 82 M 68 69", "C9 80 M", "83 80 M", "87 80 M", "8B 80 M", "8F 80 M"}) {
    EXPECT_EQ(read(hex(bytes)), violation(1002)) << bytes;
  }
}

TEST(WireFrameReader, F4_ControlFramesAreShortAndWhole) {
  EXPECT_EQ(read(client_frame(0x89, std::string(125, 'x'))),
            (Steps{{What::ping, std::string(125, 'x')}}));
  EXPECT_EQ(read(hex("89 FE 00 7E M") + std::string(126, 'x')), violation(1002));
  EXPECT_EQ(read(hex("89 FF 00 00 00 00 00 00 00 01 M 78")), violation(1002));
  EXPECT_EQ(read(hex("09 80 M")), violation(1002));
  EXPECT_EQ(read(hex("08 80 M")), violation(1002));
}

TEST(WireFrameReader, F5_FragmentsOutOfOrder) {
  EXPECT_EQ(read(hex("80 80 M")), violation(1002));
  EXPECT_EQ(read(hex("00 80 M")), violation(1002));
  EXPECT_EQ(read(hex("01 81 M 61 81 81 M 62")), violation(1002));
  EXPECT_EQ(read(hex("01 81 M 61 82 81 M 62")), violation(1002));
  // After a whole message the next continuation is a stray one again.
  EXPECT_EQ(read(client_text("a") + hex("80 80 M")),
            (Steps{{What::text, "a"}, {What::violation, "", 1002}}));
}

TEST(WireFrameReader, F6_LengthNotInItsShortestForm) {
  EXPECT_EQ(read(hex("81 FE 00 05 M") + "hello"), violation(1002));
  EXPECT_EQ(read(hex("81 FE 00 7D M")), violation(1002));
  EXPECT_EQ(read(hex("81 FF 00 00 00 00 00 00 FF FF M")), violation(1002));
}

TEST(WireFrameReader, F7_LengthWithTheHighBit) {
  EXPECT_EQ(read(hex("82 FF 80 00 00 00 00 00 00 01 M 78")), violation(1002));
  EXPECT_EQ(read(hex("82 FF 80")), violation(1002)) << "at its first byte";
}

TEST(WireFrameReader, F8_TooLargeIsSaidAtTheHeader) {
  const FrameLimits limits{.max_message_bytes = 1000, .max_fragments = 10};
  FrameReader reader(limits);
  Steps steps;
  feed(reader, hex("81 FE 03 E9"), steps);  // 1,001; neither the mask nor a byte of payload came
  EXPECT_EQ(steps, violation(1009));
  EXPECT_EQ(reader.held_bytes(), 0U);
  EXPECT_EQ(read(hex("81 FF 00 00 00 00 00 01 00 01")), violation(1009));
  EXPECT_EQ(read(hex("82 FF 7F FF FF FF FF FF FF FF")), violation(1009));

  // The sum of fragments counts.
  const std::string half(500, 'x');
  EXPECT_EQ(read(client_frame(0x01, half) + client_frame(0x80, half), limits),
            (Steps{{What::text, half + half}}));
  EXPECT_EQ(read(client_frame(0x01, half + "x") + client_frame_header(0x80, 500, {}), limits),
            violation(1009));
  EXPECT_EQ(read_in_one(client_frame(0x01, half) + hex("80 FF 7F FF FF FF FF FF FF FF"), limits),
            violation(1009));
  // A control frame inside is not a part of the sum.
  EXPECT_EQ(
      read(client_frame(0x01, half) + client_frame(0x89, "") + client_frame(0x80, half), limits)
          .size(),
      2U);
}

TEST(WireFrameReader, F8_HoldsOnlyWhatCameAndNeverMoreThanTheLimit) {
  FrameReader reader;
  Steps steps;
  feed(reader, client_frame_header(0x81, 65536, test::k_zero_mask), steps);
  EXPECT_EQ(reader.held_bytes(), 0U) << "for a claim alone";
  std::size_t most = 0;
  for (int i = 0; i < 65536 / 128; ++i) {
    feed(reader, std::string(128, 'x'), steps);
    most = std::max(most, reader.held_bytes());
  }
  EXPECT_LE(most, 65536U);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].data.size(), 65536U);
  feed(reader, "", steps);
  EXPECT_EQ(reader.held_bytes(), 0U) << "after the message was handed out";

  for (int i = 0; i < 65; ++i) {
    feed(reader, client_frame(i == 0 ? 0x01 : 0x00, std::string(1000, 'x')), steps);
    most = std::max(most, reader.held_bytes());
  }
  EXPECT_LE(most, 65536U) << "over fragments";
}

TEST(WireFrameReader, F9_TextMustBeUtf8) {
  EXPECT_EQ(read(hex("81 82 M C3 28")), violation(1007));
  EXPECT_EQ(read(hex("81 83 M ED A0 80")), violation(1007));
  EXPECT_EQ(read(hex("81 81 M C3")), violation(1007)) << "ends inside a character";
  EXPECT_EQ(read(hex("01 81 M C3 80 80 M")), violation(1007));
  EXPECT_EQ(read(hex("01 81 M FF")), violation(1007)) << "in the first fragment already";
  // A character over two fragments, and a ping inside it, are fine; binary may be anything.
  EXPECT_EQ(read(hex("01 81 M C3 89 80 M 80 81 M A4")),
            (Steps{{What::ping, ""}, {What::text, "\xC3\xA4"}}));
  EXPECT_EQ(read(hex("82 81 M FF")), (Steps{{What::binary, "\xFF"}}));
  // A message's end is not the next one's beginning.
  EXPECT_EQ(read(hex("81 81 M C3 81 81 M A4")), violation(1007));
}

TEST(WireFrameReader, F10_CloseFrames) {
  EXPECT_EQ(read(hex("88 80 M")), (Steps{{What::close, "", 1005}}));
  EXPECT_EQ(read(client_frame(0x88, close_payload(1000))), (Steps{{What::close, "", 1000}}));
  EXPECT_EQ(read(client_frame(0x88, close_payload(3000, "bye"))),
            (Steps{{What::close, "bye", 3000}}));
  EXPECT_EQ(read(hex("88 81 M 61")), violation(1002));
  EXPECT_EQ(read(hex("88 81 M 03 E8")), violation(1002)) << "what follows is not its second byte";
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 2999U}) {
    EXPECT_EQ(read(client_frame(0x88, close_payload(code))), violation(1002)) << code;
  }
  EXPECT_EQ(read(client_frame(0x88, close_payload(1000, "\xC3\x28"))), violation(1007));
  EXPECT_EQ(read(client_frame(0x88, close_payload(1000, "\xC3"))), violation(1007));
}

TEST(WireFrameReader, F11_CloseCodesOverTheRange) {
  for (const unsigned code : {5000U, 65535U}) {
    EXPECT_EQ(read(client_frame(0x88, close_payload(code))), violation(1002)) << code;
  }
}

TEST(WireFrameReader, F14_FragmentsOfOneMessageAreCounted) {
  const auto message = [](std::size_t fragments, const char* payload) {
    std::string bytes = client_frame(0x01, payload);
    for (std::size_t i = 2; i < fragments; ++i) bytes += client_frame(0x00, payload);
    return bytes + client_frame(0x80, payload);
  };
  EXPECT_EQ(read(message(1024, "x")), (Steps{{What::text, std::string(1024, 'x')}}));
  EXPECT_EQ(read(message(1025, "x")), violation(1008));
  EXPECT_EQ(read(message(1025, "")), violation(1008));
  // The count begins anew with each message.
  const Seen thousand{What::text, std::string(1000, 'x')};
  EXPECT_EQ(read(message(1000, "x") + message(1000, "x")), (Steps{thousand, thousand}));
}

TEST(WireFrameReader, F16_IgnoresEverythingAfterCloseAndViolation) {
  const std::string noise = client_text("late") + hex("FF FF FF") + client_frame(0x88, "x");
  EXPECT_EQ(read(client_frame(0x88, close_payload(1000)) + noise),
            (Steps{{What::close, "", 1000}}));
  EXPECT_EQ(read(hex("81 02 68 69") + noise), violation(1002));

  FrameReader reader;
  Steps steps;
  feed(reader, client_frame(0x01, std::string(5000, 'x')) + hex("FF"), steps);
  EXPECT_TRUE(reader.closed());
  EXPECT_EQ(reader.held_bytes(), 0U);
}

// Random conversations, cut at random, against what they were made of.
TEST(WireFrameReader, RandomConversationsComeOutAsTheyWentIn) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&random](unsigned limit) { return random() % limit; };
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    Steps expected;
    const auto mask = [&] {
      return test::Mask{static_cast<unsigned char>(random()), static_cast<unsigned char>(random()),
                        static_cast<unsigned char>(random()), static_cast<unsigned char>(random())};
    };
    const auto some_text = [&](unsigned most) {
      std::string text;
      for (unsigned left = below(most); left > 0; --left) {
        constexpr const char* k_characters[] = {"a", "\xC3\xA4", "\xE2\x82\xAC",
                                                "\xF0\x9F\xA6\x80"};
        text += k_characters[below(4)];
      }
      return text;
    };
    for (int messages = 0; messages < 6; ++messages) {
      const std::string text = some_text(below(4) == 0 ? 3000 : 60);
      const unsigned fragments = 1 + below(5);
      std::size_t at = 0;
      for (unsigned i = 0; i < fragments; ++i) {
        if (below(3) == 0) {
          const std::string payload = some_text(30);
          bytes += client_frame(0x89, payload, mask());
          expected.push_back({What::ping, payload});
        }
        const bool last = i + 1 == fragments;
        const std::size_t take = last ? text.size() - at : below(unsigned(text.size() - at) + 1);
        bytes +=
            client_frame((last ? 0x80U : 0U) | (i == 0 ? 1U : 0U), text.substr(at, take), mask());
        at += take;
      }
      expected.push_back({What::text, text});
    }
    FrameReader reader;
    Steps steps;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + below(below(2) == 0 ? 5 : 2000);
      feed(reader, bytes.substr(at, size), steps);
      at += size;
    }
    ASSERT_EQ(steps, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace clawws::wire
