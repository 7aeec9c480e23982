// Where reports go: files, stdout for "-", stderr. What of bench writes to the outside is here.
#pragma once

#include <string>
#include <string_view>

#include "clawws/base/error.hpp"

namespace clawws::bench {

// To the end, whatever interrupts; a reader that left has seen what it wanted. Errc::io.
base::Result<void> write_all(int fd, std::string_view text);
// "-" is stdout; a file is replaced whole or not at all.
base::Result<void> write_report(const std::string& place, const std::string& text);
base::Result<void> append_report(const std::string& path, const std::string& text);
// "clawws bench: text" on stderr.
void say(const std::string& text);

}  // namespace clawws::bench
