// The config file of a tool: never a crash, and a sentence for whatever is wrong in it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "clawws/base/flags.hpp"

namespace {

using clawws::base::Flag;
using clawws::base::FlagKind;
using clawws::base::FlagSpec;

FlagSpec small_table() {
  const auto accept = [](std::string_view) -> clawws::base::Result<void> { return {}; };
  FlagSpec spec;
  spec.program = "clawws fuzz";
  spec.usage = "clawws fuzz [OPTIONS]";
  const auto add = [&](const char* name, FlagKind kind) {
    Flag flag;
    flag.name = name;
    flag.kind = kind;
    flag.value_name = kind == FlagKind::toggle ? "" : "VALUE";
    flag.set = accept;
    spec.flags.push_back(flag);
  };
  add("listen", FlagKind::repeat);
  add("stdin", FlagKind::toggle);
  add("ping-interval", FlagKind::value);
  add("wait", FlagKind::optional_value);
  return spec;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const FlagSpec spec = small_table();
  const int fd = memfd_create("config", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size_bytes) != static_cast<ssize_t>(size_bytes)) std::abort();
  const auto outcome = parse_flags(spec, {"--config", "/proc/self/fd/" + std::to_string(fd)},
                                   [](const char*) -> const char* { return nullptr; });
  close(fd);
  if (outcome.has_error() && outcome.error().message().empty()) std::abort();
  if (outcome.has_value()) (void)print_config(spec, outcome.value());
  return 0;
}
