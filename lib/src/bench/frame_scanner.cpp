#include "clawws/bench/frame_scanner.hpp"

#include <algorithm>
#include <optional>

#include "clawws/base/assert.hpp"

namespace clawws::bench {
namespace {

constexpr std::size_t k_max_frame_bytes = 16u << 20;
// An idle connection keeps no more than this of a frame that it once put together.
constexpr std::size_t k_kept_bytes = 1024;
constexpr std::uint8_t k_final = 0x80, k_masked = 0x80, k_reserved = 0x70;

enum Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

// Of an unmasked frame; nothing while too little of it is there.
std::optional<std::size_t> header_size(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const std::uint8_t length = byte_at(bytes, 1) & 0x7f;
  const std::size_t size = length == 126 ? 4 : length == 127 ? 10 : 2;
  if (bytes.size() < size) return std::nullopt;
  return size;
}

std::uint64_t payload_size(std::string_view header) {
  const std::uint8_t length = byte_at(header, 1) & 0x7f;
  if (length < 126) return length;
  std::uint64_t size = 0;
  for (std::size_t i = 2; i < (length == 126 ? 4U : 10U); ++i)
    size = size << 8 | byte_at(header, i);
  return size;
}

}  // namespace

FrameScanner::Step FrameScanner::next(std::string_view& bytes) {
  if (message_done_) {
    message_done_ = false;
    message_ = {};
  }
  for (;;) {
    const Step step = next_frame(bytes);
    // A fragment was put aside: there may be more behind it.
    if (step.what != What::need_more || bytes.empty()) return step;
  }
}

FrameScanner::Step FrameScanner::next_frame(std::string_view& bytes) {
  if (handed_out_) {
    handed_out_ = false;
    carried_.clear();
    if (carried_.capacity() > k_kept_bytes) carried_.shrink_to_fit();
  }
  if (carried_.empty()) {
    const auto header = header_size(bytes);
    if (header) {
      const std::uint64_t payload = payload_size(bytes);
      if (payload > k_max_frame_bytes) return {What::violation, "a frame of more than 16 MiB"};
      if (bytes.size() - *header >= payload) {
        const std::string_view frame = bytes.substr(0, *header + payload);
        bytes.remove_prefix(frame.size());
        return take(frame, *header);
      }
    }
    carried_ = bytes;
    bytes = {};
    return {};
  }
  while (!header_size(carried_)) {
    if (bytes.empty()) return {};
    carried_ += bytes.front();
    bytes.remove_prefix(1);
  }
  const std::size_t header = *header_size(carried_);
  const std::uint64_t payload = payload_size(carried_);
  if (payload > k_max_frame_bytes) return {What::violation, "a frame of more than 16 MiB"};
  if (!collect(bytes, header + payload)) return {};
  handed_out_ = true;
  return take(carried_, header);
}

bool FrameScanner::collect(std::string_view& bytes, std::size_t up_to) {
  const std::size_t more = std::min(up_to - carried_.size(), bytes.size());
  carried_.append(bytes.substr(0, more));
  bytes.remove_prefix(more);
  return carried_.size() == up_to;
}

FrameScanner::Step FrameScanner::take(std::string_view frame, std::size_t header_bytes) {
  const std::uint8_t first = byte_at(frame, 0);
  if ((first & k_reserved) != 0) return {What::violation, "a reserved bit is set"};
  if ((byte_at(frame, 1) & k_masked) != 0) return {What::violation, "a masked frame"};
  const std::string_view payload = frame.substr(header_bytes);
  const std::uint8_t opcode = first & 0x0f;
  const bool is_final = (first & k_final) != 0;
  switch (opcode) {
    case close:
      return {What::close, payload};
    case ping:
      return {What::ping, payload};
    case pong:
      return {What::pong, payload};
    case text:
    case binary:
      if (in_message_) return {What::violation, "a new message inside a message"};
      if (is_final) return {opcode == text ? What::text : What::binary, payload};
      in_message_ = true;
      is_text_ = opcode == text;
      message_ = payload;
      return {};
    case continuation:
      if (!in_message_) return {What::violation, "a continuation of nothing"};
      if (message_.size() + payload.size() > k_max_frame_bytes)
        return {What::violation, "a message of more than 16 MiB"};
      message_ += payload;
      if (!is_final) return {};
      in_message_ = false;
      message_done_ = true;
      return {is_text_ ? What::text : What::binary, message_};
    default:
      return {What::violation, "an unknown opcode"};
  }
}

std::string client_frame(std::uint8_t opcode, std::string_view payload) {
  CLAWWS_ASSERT(payload.size() <= 125);
  // Masking protects proxies between browsers and servers (RFC 6455, section 10.3); what is sent
  // here is chosen by nobody, so a fixed key will do.
  constexpr char k_mask[4] = {0x37, 0x59, 0x13, 0x6b};
  std::string frame{static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
  frame.append(k_mask, sizeof k_mask);
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(payload[i] ^ k_mask[i % 4]);
  return frame;
}

}  // namespace clawws::bench
