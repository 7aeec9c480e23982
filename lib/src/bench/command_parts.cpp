#include "command_parts.hpp"

#include <unistd.h>

#include "clawws/base/posix.hpp"
#include "clawws/bench/output.hpp"

namespace clawws::bench {
namespace {

// A report of 50 runs of many hours stays well below.
constexpr std::size_t k_largest_report = 256u << 20;

}  // namespace

void add_file(std::vector<base::Flag>& flags, const char* name, std::string& field,
              const char* help) {
  flags.push_back(base::setters::flag(name, 0, "FILE|-", k_command_options, help, "",
                                      base::setters::text(field)));
  flags.back().from_environment = flags.back().from_file = false;
}

void add_color(std::vector<base::Flag>& flags, client::ColorChoice& field) {
  flags.push_back(
      base::setters::flag("color", 0, "WHEN", k_command_options, "auto, always or never", "auto",
                          base::setters::one_of<client::ColorChoice, client::ColorChoice>(
                              field, {{"auto", client::ColorChoice::automatic},
                                      {"always", client::ColorChoice::always},
                                      {"never", client::ColorChoice::never}})));
}

int fail_command(const base::Error& error) {
  say(error.message());
  return base::info(error.code).exit_code;
}

base::Result<ReportFile> load_report(const std::string& path) {
  const auto text = path == "-" ? base::read_fd(STDIN_FILENO, k_largest_report)
                                : base::read_file(path, k_largest_report);
  if (!text) return text.error();
  auto file = read_report(*text);
  if (!file) return base::Error(file.error().code, path + ": " + file.error().message());
  return file;
}

}  // namespace clawws::bench
