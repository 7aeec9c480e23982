#include "clawws/client/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace clawws::client {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode 15: combining marks that are common in text and emoji sequences. Invisible format
// characters never come here, they are shown as escapes.
constexpr Range k_zero[] = {
    {0x300, 0x36f},    {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
    {0x900, 0x902},    {0x93c, 0x93c},   {0x941, 0x948},   {0x94d, 0x94d},   {0xe31, 0xe31},
    {0xe34, 0xe3a},    {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
    {0x302a, 0x302d},  {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff},
    {0xe0100, 0xe01ef}};
constexpr Range k_wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},   {0x26bd, 0x26be},
    {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274c},
    {0x2753, 0x2755},   {0x2795, 0x2797},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x1f300, 0x1f3fa}, {0x1f400, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};

template <std::size_t N>
bool is_in(const Range (&table)[N], char32_t c) {
  const auto range =
      std::lower_bound(std::begin(table), std::end(table), c,
                       [](const Range& r, char32_t value) { return r.last < value; });
  return range != std::end(table) && range->first <= c;
}

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

// The text is valid UTF-8 (escape_terminal made it so); a stray byte counts as one column.
Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t bytes = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + bytes > text.size() || bytes == 1) return {lead, 1};
  char32_t code = lead & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(at + i) & 0x3fu);
  return {code, bytes};
}

std::size_t columns_of(char32_t c) {
  if (c < 0x300) return 1;
  if (is_in(k_zero, c)) return 0;
  return is_in(k_wide, c) ? 2 : 1;
}

}  // namespace

StreamKind stream_kind(int fd) {
  return ::isatty(fd) == 1 ? StreamKind::terminal : StreamKind::other;
}

std::size_t terminal_width(int fd) {
  winsize size{};
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::size_t terminal_rows(int fd) {
  winsize size{};
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

Color decide_color(ColorChoice choice, StreamKind stream, const Environment& environment) {
  if (choice != ColorChoice::automatic)
    return choice == ColorChoice::always ? Color::on : Color::off;
  if (!environment("NO_COLOR").empty()) return Color::off;
  const std::string force = environment("CLICOLOR_FORCE");
  if (!force.empty() && force != "0") return Color::on;
  if (environment("TERM") == "dumb") return Color::off;
  return stream == StreamKind::terminal ? Color::on : Color::off;
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character next = character_at(text, at);
    columns += columns_of(next.code);
    at += next.bytes;
  }
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::size_t used = 0, at = 0;
  while (at < text.size()) {
    const Character next = character_at(text, at);
    if (used + columns_of(next.code) + 1 > columns) break;
    used += columns_of(next.code);
    at += next.bytes;
  }
  return std::string(text.substr(0, at)) + "…";
}

std::string pad(std::string_view text, std::size_t columns) {
  const std::size_t width = display_width(text);
  std::string out(text);
  if (width < columns) out.append(columns - width, ' ');
  return out;
}

}  // namespace clawws::client
