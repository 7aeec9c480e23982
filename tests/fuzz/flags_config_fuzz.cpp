// argv, the environment and the config file of a tool. Lines up to the first empty one are
// arguments, the next line is CLAWWS_OUTPUT, the rest is the config file, read from a memory file.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "clawws/base/flags.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "fuzz.hpp"

namespace {

using namespace clawws;

constexpr std::string_view k_secret = "s3cr3t-w0rd-in-a-file";

base::Flag flag(const char* name, char letter, base::FlagKind kind) {
  base::Flag made;
  made.name = name;
  made.letter = letter;
  made.kind = kind;
  made.value_name = kind == base::FlagKind::toggle ? "" : "VALUE";
  made.group = "Main";
  made.help = "a flag";
  made.set = [](std::string_view) { return base::Result<void>(); };
  return made;
}

base::FlagSpec make_spec() {
  using base::FlagKind;
  base::FlagSpec spec;
  spec.program = "clawws serve";
  spec.summary = "Serve live events.";
  spec.usage = "clawws serve [OPTIONS] [URL]";
  spec.flags = {
      flag("listen", 'l', FlagKind::repeat),     flag("output", 'o', FlagKind::value),
      flag("verbose", 'v', FlagKind::toggle),    flag("wait", 0, FlagKind::optional_value),
      flag("ping-interval", 0, FlagKind::value), flag("password", 0, FlagKind::value)};
  spec.flags[4].set = [](std::string_view value) -> base::Result<void> {
    const auto parsed = base::parse_duration(value);
    if (!parsed) return parsed.error();
    return {};
  };
  // Says what is wrong without the value, as every flag that holds a secret must.
  spec.flags[5].secrecy = base::Secrecy::secret;
  spec.flags[5].set = [](std::string_view value) -> base::Result<void> {
    if (value == k_secret) return base::Error(base::Errc::config, "is too well known");
    return {};
  };
  spec.positionals = {{"URL", "where", [](std::string_view) { return base::Result<void>(); }}};
  return spec;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const base::FlagSpec spec = make_spec();
  fuzz::Input input(data, size_bytes);
  std::vector<std::string> arguments;
  for (auto line = input.line(); !line.empty(); line = input.line()) {
    // argv cannot hold a NUL, and a named file would be read.
    const std::string text(line.substr(0, line.find('\0')));
    if (text.find("config") == std::string::npos) arguments.push_back(text);
  }
  const std::string output(input.line());
  const auto config = input.rest();

  const base::UniqueFd file(::memfd_create("config", MFD_CLOEXEC));
  FUZZ_CHECK(file);
  FUZZ_CHECK(::write(file.get(), config.data(), config.size()) ==
             static_cast<ssize_t>(config.size()));
  arguments.insert(arguments.begin(), {"--config", "/proc/self/fd/" + std::to_string(file.get())});

  const auto environment = [&output](const char* name) -> const char* {
    return std::strcmp(name, "CLAWWS_OUTPUT") == 0 && !output.empty() ? output.c_str() : nullptr;
  };
  const auto outcome = base::parse_flags(spec, arguments, environment);
  if (!outcome) {
    const auto& error = outcome.error();
    FUZZ_CHECK(error.code == base::Errc::usage || error.code == base::Errc::config);
    FUZZ_CHECK(fuzz::is_decent_text(error.message(), 4'000));
    if (error.message().find("is too well known") != std::string::npos) {
      FUZZ_CHECK(error.message().find(k_secret) == std::string::npos);
    }
    return 0;
  }
  const auto printed = base::print_config(spec, *outcome);
  FUZZ_CHECK(!printed.empty());
  const auto password = outcome->given.find("password");
  if (password != outcome->given.end() && password->second.values.back().size() > 12) {
    FUZZ_CHECK(printed.find(password->second.values.back()) == std::string::npos);
  }
  return 0;
}
