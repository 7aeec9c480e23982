// Events and frames for tests of the hub: an event whose text says which one it is, and the frames
// of a segment taken apart again. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/hub/segment.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::test {

// A body as wire makes it, number `n`, longer by `padding` bytes.
inline wire::Event numbered_event(std::uint64_t n, std::string_view type = "agent.status",
                                  std::size_t padding = 0) {
  wire::Event event;
  event.type = type;
  event.body = R"({"type":")" + std::string(type) +
               R"(","timestamp":"2026-01-01T00:00:00.000Z","payload":{"n":)" + std::to_string(n) +
               R"(,"pad":")" + std::string(padding, 'x') + R"("})";
  return event;
}

inline std::vector<wire::Event> numbered_events(std::uint64_t first, std::size_t count,
                                                std::string_view type = "agent.status") {
  std::vector<wire::Event> events;
  for (std::size_t i = 0; i < count; ++i) events.push_back(numbered_event(first + i, type));
  return events;
}

// The text that the log sends for an event, and a filtered view's.
inline std::string text_with_seq(const wire::Event& event, std::uint64_t seq) {
  return event.body + ",\"seq\":" + std::to_string(seq) + "}";
}
inline std::string text_with_prev(const wire::Event& event, std::uint64_t seq, std::uint64_t prev) {
  return event.body + ",\"seq\":" + std::to_string(seq) + ",\"prev\":" + std::to_string(prev) + "}";
}

// Takes whole text frames off the front of `bytes` (RFC 6455, section 5.2: final, unmasked, the
// shortest length). What is left is the begin of a frame; anything else is a wrong text.
inline std::vector<std::string> take_frames(std::string& bytes) {
  std::vector<std::string> texts;
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
  };
  while (bytes.size() - at >= 2) {
    if (byte(at) != 0x81) return {"not the begin of a text frame"};
    const std::size_t length_bytes = byte(at + 1) < 126 ? 0 : byte(at + 1) == 126 ? 2 : 8;
    if (bytes.size() - at < 2 + length_bytes) break;
    std::uint64_t size = length_bytes == 0 ? byte(at + 1) : 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | byte(at + 2 + i);
    const std::size_t begin = at + 2 + length_bytes;
    if (bytes.size() - begin < size) break;
    texts.push_back(bytes.substr(begin, size));
    at = begin + size;
  }
  bytes.erase(0, at);
  return texts;
}

// All texts of a segment.
inline std::vector<std::string> texts_of(const hub::Segment& segment) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < segment.count(); ++i) texts.emplace_back(segment.text_of(i));
  return texts;
}

}  // namespace clawws::test
