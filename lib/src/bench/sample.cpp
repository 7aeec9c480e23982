#include "clawws/bench/sample.hpp"

#include <charconv>
#include <cstring>
#include <random>

namespace clawws::bench {
namespace {

// The text is written and read as it stands, without a JSON library: parsing is the dearest thing
// that a receiver does, and it does it once for each delivery.
constexpr std::string_view k_type = "{\"type\":\"bench.sample\",";
constexpr std::string_view k_payload = "\"payload\":{";
constexpr std::string_view k_run = "\"run\":\"";
constexpr std::string_view k_publisher = "\",\"publisher\":";
constexpr std::string_view k_number = ",\"number\":";
constexpr std::string_view k_intended = ",\"intended\":";
constexpr std::string_view k_actual = ",\"actual\":";
constexpr std::string_view k_pad = ",\"pad\":\"";
constexpr std::string_view k_check = "\",\"check\":\"";
constexpr std::string_view k_end = "\"}";
constexpr std::size_t k_check_digits = 16;

// Eight bytes a step: it runs once for each delivery.
std::uint64_t hash(std::string_view bytes) noexcept {
  constexpr std::uint64_t k_prime = 0x9e3779b97f4a7c15;
  std::uint64_t state = bytes.size() * k_prime;
  const auto mix = [&state](std::uint64_t word) {
    state = (state ^ word) * k_prime;
    state ^= state >> 29;
  };
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    mix(word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes.data() + i, bytes.size() - i);
  mix(rest);
  return state;
}

void append_number(std::string& out, std::int64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 15];
}

// Takes parts from the front of a text; ok() stays false after the first that is not there.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  void literal(std::string_view expected) {
    ok_ = ok_ && rest_.starts_with(expected);
    if (ok_) rest_.remove_prefix(expected.size());
  }
  template <class N>
  void number(N& out) {
    if (!ok_) return;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    ok_ = error == std::errc();
    if (ok_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
  }
  void until(char stop) {
    const std::size_t at = ok_ ? rest_.find(stop) : std::string_view::npos;
    ok_ = at != std::string_view::npos;
    if (ok_) rest_.remove_prefix(at);
  }
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

SampleCodec::SampleCodec(std::string run, std::size_t size_bytes, std::uint64_t seed)
    : run_(std::move(run)), size_bytes_(size_bytes) {
  std::mt19937_64 random(seed);
  padding_.resize(size_bytes);
  for (char& c : padding_)
    c = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[random() % 64];
}

void SampleCodec::append(std::string& out, const Sample& sample) const {
  const std::size_t begin = out.size();
  out.append(k_type).append(k_payload);
  const std::size_t content = out.size();
  out.append(k_run).append(run_).append(k_publisher);
  append_number(out, sample.publisher);
  out.append(k_number);
  append_number(out, static_cast<std::int64_t>(sample.number));
  out.append(k_intended);
  append_number(out, sample.intended.count());
  out.append(k_actual);
  append_number(out, sample.actual.count());
  out.append(k_pad);
  const std::size_t without =
      out.size() - begin + k_check.size() + k_check_digits + k_end.size() + 1;
  if (without < size_bytes_) out.append(padding_, 0, size_bytes_ - without);
  const std::uint64_t check = hash(std::string_view(out).substr(content));
  out.append(k_check);
  append_hex(out, check);
  out.append(k_end).append("}");
}

SampleCodec::Found SampleCodec::parse(std::string_view text, Sample& out) const {
  // Most of what is not ours is told apart by its first bytes.
  if (!text.starts_with(k_type)) return Found::other;
  // The server's own members may stand before the payload.
  const std::size_t payload = text.find(k_payload, k_type.size());
  if (payload == std::string_view::npos) return Found::corrupt;
  const std::string_view content = text.substr(payload + k_payload.size());
  Reader reader(content);
  reader.literal(k_run);
  if (!reader.ok()) return Found::corrupt;
  if (!reader.rest().starts_with(run_)) return Found::foreign;
  reader.literal(run_);
  reader.literal(k_publisher);
  reader.number(out.publisher);
  reader.literal(k_number);
  reader.number(out.number);
  std::int64_t intended = 0, actual = 0;
  reader.literal(k_intended);
  reader.number(intended);
  reader.literal(k_actual);
  reader.number(actual);
  reader.literal(k_pad);
  reader.until('"');
  const std::string_view hashed = content.substr(0, content.size() - reader.rest().size());
  reader.literal(k_check);
  if (!reader.ok() || reader.rest().size() < k_check_digits) return Found::corrupt;
  const std::string_view digits = reader.rest().substr(0, k_check_digits);
  std::uint64_t check = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), check, 16);
  const bool is_closed = reader.rest().substr(k_check_digits).starts_with(k_end);
  if (!is_closed || error != std::errc() || end != digits.data() + digits.size() ||
      check != hash(hashed))
    return Found::corrupt;
  out.intended = Nanos(intended);
  out.actual = Nanos(actual);
  return Found::sample;
}

}  // namespace clawws::bench
