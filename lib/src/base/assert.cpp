#include "clawws/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace clawws::base {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "clawws: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace clawws::base
