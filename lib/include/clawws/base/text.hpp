// Small text tools that several layers need: base64, hex, UTF-8, escaping for people's terminals
// and for log lines, nearest name. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/export.hpp"

namespace clawws::base {

enum class Base64 : std::uint8_t { plain, url };  // RFC 4648, sections 4 and 5

// Padded for `plain`, unpadded for `url`.
CLAWWS_API std::string base64_encode(std::string_view bytes, Base64 alphabet = Base64::plain);
// Reads either alphabet (not mixed), padded or not; nothing on a stray character, bad length, bad
// padding or non-zero trailing bits.
CLAWWS_API std::optional<std::string> base64_decode(std::string_view text);

CLAWWS_API std::string hex_encode(std::string_view bytes);
CLAWWS_API std::optional<std::string> hex_decode(std::string_view text);

// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF.
CLAWWS_API bool is_utf8(std::string_view bytes) noexcept;
// The longest prefix of at most `limit` bytes that does not cut a UTF-8 sequence.
CLAWWS_API std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept;

// Makes text harmless on a terminal: C0, DEL and C1 controls, ESC, bidi and invisible format
// characters (U+061C, U+200B-U+200F, U+2028-U+202E, U+2060-U+2069, U+FEFF) and broken UTF-8 become
// visible escapes: "\n", "\x1b", "\u202e". CVE-2021-25743.
CLAWWS_API std::string escape_terminal(std::string_view text);
// As one word of a POSIX shell's command line: quoted only where that is needed.
CLAWWS_API std::string shell_word(std::string_view text);

// Case-insensitive ASCII comparison, as HTTP field names need it.
CLAWWS_API bool iequals(std::string_view a, std::string_view b) noexcept;
CLAWWS_API std::string to_lower(std::string_view text);
// Without spaces and tabs at both ends.
CLAWWS_API std::string_view trim(std::string_view text) noexcept;
CLAWWS_API std::vector<std::string_view> split(std::string_view text, char separator);

// The candidate with the smallest edit distance if that is at most a third of its length (at
// least 1, at most 3), else nothing. For "did you mean …?".
CLAWWS_API std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

}  // namespace clawws::base
