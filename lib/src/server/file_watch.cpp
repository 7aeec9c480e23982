#include "clawws/server/file_watch.hpp"

#include <sys/stat.h>

#include <chrono>
#include <utility>

namespace clawws::server {
namespace {

constexpr std::int64_t k_rest_nanos = 100'000'000;

std::int64_t now_nanos() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

FileWatch::FileWatch(std::vector<std::filesystem::path> paths) : paths_(std::move(paths)) {
  std::erase_if(paths_, [](const std::filesystem::path& path) { return path.empty(); });
  mark();
}

FileWatch::Signature FileWatch::signature_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size,
          info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec};
}

void FileWatch::mark() {
  known_.clear();
  for (const auto& path : paths_) known_.push_back(signature_of(path));
}

bool FileWatch::changed() const {
  bool differs = false;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const Signature now = signature_of(paths_[i]);
    if (now == known_[i]) continue;
    differs = true;
    // A time in the future, from another clock, says nothing.
    const std::int64_t age = now_nanos() - now.modified_nanos;
    if (age >= 0 && age < k_rest_nanos) return false;
  }
  return differs;
}

}  // namespace clawws::server
