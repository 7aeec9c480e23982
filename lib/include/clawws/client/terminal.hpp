// What a stream is and may show: terminal or not, how wide, with colour or without; and how wide
// text is on it. Free functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/client/local_server.hpp"

namespace clawws::client {

enum class ColorChoice : std::uint8_t { automatic, always, never };  // --color
enum class Color : std::uint8_t { off, on };

enum class StreamKind : std::uint8_t { terminal, other };
StreamKind stream_kind(int fd);
// Columns of the terminal behind `fd`; 0 when it is none or does not know.
std::size_t terminal_width(int fd);
// Its lines; 0 as above.
std::size_t terminal_rows(int fd);

// The option wins; then NO_COLOR, CLICOLOR_FORCE (not "0"), TERM=dumb; then whether it is a
// terminal.
Color decide_color(ColorChoice choice, StreamKind stream, const Environment& environment);

// Columns that `text` takes: combining marks none, East Asian wide characters and emoji two. For
// text without control characters.
std::size_t display_width(std::string_view text);
// `text`, or its beginning and "…" so that it takes at most `columns` (at least 1).
std::string fit(std::string_view text, std::size_t columns);
// `text` and spaces up to `columns`.
std::string pad(std::string_view text, std::size_t columns);

}  // namespace clawws::client
