// How this layer shows a peer's own text inside a message: in quotes, cut short, and harmless on a
// terminal. Pure; internal to wire.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace clawws::wire {

std::string in_quotes(std::string_view text, std::size_t limit_bytes = 64);

}  // namespace clawws::wire
