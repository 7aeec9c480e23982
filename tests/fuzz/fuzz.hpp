// What the fuzz targets share: a check that stays on, and a reader that takes choices off the front
// of an input. A target never looks at anything but its input, so a find replays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes);

namespace clawws::fuzz {

[[noreturn]] inline void failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size_bytes)
      : rest_(reinterpret_cast<const char*>(data), size_bytes) {}

  // 0 when nothing is left.
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::uint64_t number(std::size_t bytes) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = (value << 8) | byte();
    return value;
  }
  // Up to the next newline, which is taken too; everything when there is none.
  std::string_view line() noexcept {
    const auto end = rest_.find('\n');
    const auto text = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return text;
  }
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
};

// A text for people: there is one, it is short, and no control character is in it.
inline bool is_decent_text(std::string_view text, std::size_t limit_bytes = 1'500) {
  if (text.empty() || text.size() > limit_bytes) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace clawws::fuzz

#define FUZZ_CHECK(condition) \
  ((condition) ? void(0) : ::clawws::fuzz::failed(#condition, __FILE__, __LINE__))
