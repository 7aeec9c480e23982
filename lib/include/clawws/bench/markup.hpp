// Text on its way into XML or HTML. Pure.
#pragma once

#include <string>
#include <string_view>

namespace clawws::bench {

// Harmless as content and inside quoted attributes: & < > " ' as entities, control characters,
// which XML 1.0 has no way to write, as '?'. New lines and tabs stay.
std::string escape_markup(std::string_view text);

}  // namespace clawws::bench
