// Runs a fuzz target over the files of the folders in argv: the corpus as an ordinary test, without
// libFuzzer. An empty corpus is a failure, since it would prove nothing.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes);

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], failed)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input((std::istreambuf_iterator<char>(file)), {});
      std::fprintf(stderr, "%s\n",
                   entry.path().c_str());  // the last one printed is the one that crashed
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
      ++count;
    }
    if (failed) std::fprintf(stderr, "%s: %s\n", argv[i], failed.message().c_str());
  }
  std::printf("%zu inputs replayed\n", count);
  return count == 0 ? 1 : 0;
}
