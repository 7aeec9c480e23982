// When to give the heap's free pages back. glibc keeps what thousands of ended connections leave in
// its arenas, so that the memory of a host would follow the highest load that ever was.
//
// One owner, one thread.
#pragma once

#include <cstddef>

namespace clawws::server {

class HeapTrim {
 public:
  // So many connections fewer than at most since the last time make it worth while: about 4 MB.
  static constexpr std::size_t k_worth_connections = 256;

  // Told now and then how many connections there are; true when the pages should go back now: many
  // have gone and no more went since the last look. Coming and going at one level never makes it true.
  bool due(std::size_t open) noexcept;

  // Gives them back; takes milliseconds for each 100 MB, during which other threads may wait in
  // malloc.
  static void trim() noexcept;

 private:
  std::size_t peak_ = 0;  // since the last time
  std::size_t last_ = 0;
};

}  // namespace clawws::server
