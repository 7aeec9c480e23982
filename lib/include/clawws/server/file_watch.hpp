// Notices that files were changed, replaced or removed, by a few stat(2) now and then. A file that
// was written less than 0.1 s ago is left for the next look: it may be half written.
// Not thread-safe. Reads no content.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "clawws/base/export.hpp"

namespace clawws::server {

class CLAWWS_API FileWatch {
 public:
  // Empty paths are skipped.
  explicit FileWatch(std::vector<std::filesystem::path> paths);

  // Takes the files as they are now for known. To be called before they are read, so that what
  // changes while they are read is noticed.
  void mark();
  // Whether a file differs from the last mark() and has come to rest.
  bool changed() const;

 private:
  struct Signature {
    dev_t device = 0;  // all 0: the file is not there
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_nanos = 0;
    bool operator==(const Signature&) const = default;
  };
  static Signature signature_of(const std::filesystem::path& path);

  std::vector<std::filesystem::path> paths_;
  std::vector<Signature> known_;
};

}  // namespace clawws::server
