// How a frame is read: its header is gathered byte by byte into header_ (2 to 14 bytes) and judged
// as soon as each part of it is there, so that nothing is stored for a frame that will be refused.
// Its payload is then either handed out where it lies (a whole control frame, or a whole message in
// one frame) or moved piece by piece into control_ or message_, which only ever grow with bytes
// that have really come: a header that claims 64 KiB holds nothing yet.
#include "clawws/wire/frame_reader.hpp"

#include <algorithm>
#include <cstring>

namespace clawws::wire {

namespace {

constexpr std::uint16_t k_protocol_error = 1002;
constexpr std::uint16_t k_no_status = 1005;
constexpr std::uint16_t k_bad_text = 1007;
constexpr std::uint16_t k_policy = 1008;
constexpr std::uint16_t k_too_big = 1009;

// `taken`: payload bytes before these; the mask goes round with them.
void unmask(char* data, std::size_t size, const unsigned char (&mask)[4],
            std::uint64_t taken) noexcept {
  unsigned char turned[8];
  for (std::size_t i = 0; i < 8; ++i) turned[i] = mask[(taken + i) & 3];
  std::uint64_t key;
  std::memcpy(&key, turned, 8);
  std::size_t at = 0;
  for (; size - at >= 8; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, data + at, 8);
    word ^= key;
    std::memcpy(data + at, &word, 8);
  }
  for (std::size_t i = 0; at < size; ++at, ++i) {
    data[at] = static_cast<char>(static_cast<unsigned char>(data[at]) ^ turned[i]);
  }
}

// Grows by doubling, but never past `most`; std::string's own growth would pass it.
void append_bounded(std::string& out, const char* data, std::size_t size, std::size_t most) {
  const std::size_t need = out.size() + size;
  if (need > out.capacity()) {
    std::string larger;
    larger.reserve(std::min(std::max(need, 2 * out.capacity()), std::max(need, most)));
    larger.assign(out);
    out.swap(larger);
  }
  out.append(data, size);
}

void release(std::string& text) noexcept {
  std::string().swap(text);
}

}  // namespace

FrameReader::Step FrameReader::next(std::span<char>& bytes) {
  if (handed_out_) {
    handed_out_ = false;
    if (message_opcode_ == Opcode::continuation) release(message_);
    release(control_);
  }
  while (!closed_) {
    if (!in_payload_) {
      if (bytes.empty()) return need_more();
      in_payload_ = take_header(bytes);
      const Step bad = check_header();
      if (bad.what == What::violation) {
        bytes = {};
        return bad;
      }
      if (!in_payload_) continue;
    }
    const Step step = take_payload(bytes);
    if (closed_) bytes = {};
    if (step.what != What::need_more || bytes.empty()) return step;
  }
  bytes = {};
  return need_more();
}

// True when the header is whole.
bool FrameReader::take_header(std::span<char>& bytes) noexcept {
  const auto wanted = [this]() -> std::size_t {
    if (header_have_ < 2) return 2;
    const unsigned length = header_[1] & 0x7FU;
    return length == 127 ? 14 : length == 126 ? 8 : 6;
  };
  while (header_have_ < wanted() && !bytes.empty()) {
    const std::size_t take = std::min(wanted() - header_have_, bytes.size());
    std::memcpy(header_ + header_have_, bytes.data(), take);
    header_have_ = static_cast<std::uint8_t>(header_have_ + take);
    bytes = bytes.subspan(take);
  }
  return header_have_ >= 2 && header_have_ == wanted();
}

// Judges what is there of the header; a violation, or need_more for "nothing wrong so far". Only
// with the whole header does it go into the members of the present frame and message.
FrameReader::Step FrameReader::check_header() noexcept {
  const unsigned first = header_[0];
  const unsigned second = header_[1];
  const auto opcode = static_cast<Opcode>(first & 0x0FU);
  const bool is_final = (first & 0x80U) != 0;
  const bool is_data = opcode == Opcode::text || opcode == Opcode::binary;

  if (header_have_ < 1) return need_more();
  if ((first & 0x70U) != 0) return violation(k_protocol_error, "reserved bit set");
  if (!is_data && opcode != Opcode::continuation && opcode != Opcode::close &&
      opcode != Opcode::ping && opcode != Opcode::pong) {
    return violation(k_protocol_error, "reserved opcode");
  }
  const bool in_message = message_opcode_ != Opcode::continuation;
  if (opcode == Opcode::continuation && !in_message) {
    return violation(k_protocol_error, "continuation without a message");
  }
  if (is_data && in_message) return violation(k_protocol_error, "message inside a message");
  const bool control = opcode >= Opcode::close;
  if (control && !is_final) return violation(k_protocol_error, "fragmented control frame");
  if (!control && in_message && fragments_ >= limits_.max_fragments) {
    return violation(k_policy, "too many fragments");
  }

  if (header_have_ < 2) return need_more();
  if ((second & 0x80U) == 0) return violation(k_protocol_error, "frame not masked");
  std::uint64_t length = second & 0x7FU;
  if (control && length > k_max_control_payload) {
    return violation(k_protocol_error, "control frame over 125 bytes");
  }
  std::size_t mask_at = 2;
  if (length >= 126) {
    mask_at = length == 126 ? 4 : 10;
    // The high bit is judged with the first byte of the length, the rest when all of it is there.
    if (mask_at == 10 && header_have_ > 2 && (header_[2] & 0x80U) != 0) {
      return violation(k_protocol_error, "length over 63 bits");
    }
    if (header_have_ < mask_at) return need_more();
    const std::uint64_t least = length == 126 ? 126 : 0x10000;
    length = 0;
    for (std::size_t i = 2; i < mask_at; ++i) length = length << 8 | header_[i];
    if (length < least) return violation(k_protocol_error, "length not in its shortest form");
  }
  const std::size_t held = in_message ? message_.size() : 0;
  if (!control && (length > limits_.max_message_bytes ||
                   held > limits_.max_message_bytes - static_cast<std::size_t>(length))) {
    return violation(k_too_big, "message too large");
  }
  if (header_have_ < mask_at + 4) return need_more();

  std::memcpy(mask_, header_ + mask_at, 4);
  header_have_ = 0;
  opcode_ = opcode;
  final_ = is_final;
  payload_bytes_ = length;
  taken_bytes_ = 0;
  if (!control) {
    if (is_data) {
      message_opcode_ = opcode;
      fragments_ = 0;
    }
    ++fragments_;
  }
  return need_more();
}

FrameReader::Step FrameReader::take_payload(std::span<char>& bytes) {
  const std::uint64_t left = payload_bytes_ - taken_bytes_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size()));
  char* const data = bytes.data();
  unmask(data, size, mask_, taken_bytes_);
  bytes = bytes.subspan(size);
  const std::string_view piece(data, size);

  const bool whole = taken_bytes_ == 0 && size == payload_bytes_;
  taken_bytes_ += size;
  const bool frame_done = taken_bytes_ == payload_bytes_;
  if (is_control()) {
    if (whole) return finish_control(piece);
    append_bounded(control_, data, size, static_cast<std::size_t>(payload_bytes_));
    if (!frame_done) return need_more();
    handed_out_ = true;
    return finish_control(control_);
  }

  if (is_text() && !utf8_.feed(piece)) return violation(k_bad_text, "text is not UTF-8");
  if (whole && final_ && fragments_ == 1) return finish_message(piece);
  const std::size_t most =
      final_ ? message_.size() + size + static_cast<std::size_t>(payload_bytes_ - taken_bytes_)
             : limits_.max_message_bytes;
  append_bounded(message_, data, size, most);
  if (!frame_done) return need_more();
  in_payload_ = false;
  if (!final_) return need_more();
  handed_out_ = true;
  return finish_message(message_);
}

FrameReader::Step FrameReader::finish_message(std::string_view message) noexcept {
  in_payload_ = false;
  const bool text = is_text();
  message_opcode_ = Opcode::continuation;
  if (text && !utf8_.complete()) return violation(k_bad_text, "text ends inside a character");
  return {text ? What::text : What::binary, message, 0, {}};
}

FrameReader::Step FrameReader::finish_control(std::string_view payload) noexcept {
  in_payload_ = false;
  if (opcode_ == Opcode::ping) return {What::ping, payload, 0, {}};
  if (opcode_ == Opcode::pong) return {What::pong, payload, 0, {}};
  if (payload.size() == 1) return violation(k_protocol_error, "close frame of one byte");
  std::uint16_t code = k_no_status;
  if (!payload.empty()) {
    code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                      static_cast<unsigned char>(payload[1]));
    if (!is_valid_close_code(code)) return violation(k_protocol_error, "close code not allowed");
    payload.remove_prefix(2);
    Utf8Check reason;
    if (!reason.feed(payload) || !reason.complete()) {
      return violation(k_bad_text, "close reason is not UTF-8");
    }
  }
  closed_ = true;
  return {What::close, payload, code, {}};
}

FrameReader::Step FrameReader::violation(std::uint16_t code, std::string_view why) noexcept {
  closed_ = true;
  release(message_);
  return {What::violation, {}, code, why};
}

std::size_t FrameReader::held_bytes() const noexcept {
  const std::size_t in_place = std::string().capacity();  // held without heap
  return message_.capacity() - in_place + control_.capacity() - in_place;
}

}  // namespace clawws::wire
