// CLAWWS_ASSERT stays on in release. It states what no peer's input can ever make false; when it
// fails, the process writes the place to stderr and aborts.
#pragma once

#include "clawws/base/export.hpp"

namespace clawws::base {
[[noreturn]] CLAWWS_API void assertion_failed(const char* expression, const char* file, int line) noexcept;
}

#define CLAWWS_ASSERT(expression) \
  ((expression) ? void(0) : ::clawws::base::assertion_failed(#expression, __FILE__, __LINE__))
