#include "quote.hpp"

#include "clawws/base/text.hpp"

namespace clawws::wire {

std::string in_quotes(std::string_view text, std::size_t limit_bytes) {
  const auto cut = base::utf8_prefix(text, limit_bytes);
  return '"' + base::escape_terminal(cut) + (cut.size() < text.size() ? "\u2026\"" : "\"");
}

}  // namespace clawws::wire
