#include "clawws/server/heap_trim.hpp"

#include <malloc.h>

#include <algorithm>
#include <utility>

namespace clawws::server {

bool HeapTrim::due(std::size_t open) noexcept {
  const bool falling = open < std::exchange(last_, open);
  peak_ = std::max(peak_, open);
  if (falling || peak_ - open < k_worth_connections) return false;
  peak_ = open;
  return true;
}

void HeapTrim::trim() noexcept {
  ::malloc_trim(0);
}

}  // namespace clawws::server
