#include <unistd.h>

#include <algorithm>

#include "clawws/bench/bench_commands.hpp"
#include "clawws/bench/output.hpp"
#include "clawws/bench/report.hpp"
#include "command_parts.hpp"

namespace clawws::bench {

using base::Errc;
using base::Error;
using base::Result;

base::FlagSpec report_flags(ReportConfig& config) {
  base::FlagSpec spec;
  spec.program = "clawws bench report";
  spec.summary = "Prints the reports of a measurement again that was saved with --json.";
  spec.usage = "clawws bench report [OPTIONS] FILE";
  spec.example_flag = "color";
  spec.example_value = "always";
  spec.epilog =
      "Exit status: 0 printed, whatever it says; 1 a file cannot be read or written; 2 usage, or a "
      "file\n"
      "that is no report.\n";
  add_file(spec.flags, "junit", config.junit_file, "write thresholds and trust as JUnit XML");
  add_file(spec.flags, "csv", config.csv_file, "write the time series, a row a second");
  add_file(spec.flags, "html", config.html_file,
           "write one page with charts that needs nothing else");
  add_color(spec.flags, config.color);
  spec.positionals.push_back({"FILE", "report of clawws bench --json; - is stdin",
                              [&config](std::string_view v) -> Result<void> {
                                if (!config.file.empty())
                                  return Error(Errc::usage, "one report at a time");
                                if (v.empty()) return Error(Errc::usage, "must not be empty");
                                config.file = v;
                                return {};
                              }});
  return spec;
}

Result<void> validate(const ReportConfig& config) {
  if (config.file.empty())
    return Error(Errc::usage, "a report is needed: clawws bench report FILE");
  const auto files = {config.junit_file, config.csv_file, config.html_file};
  if (std::count(files.begin(), files.end(), "-") > 1)
    return Error(Errc::usage, "only one of --junit, --csv and --html can go to stdout");
  return {};
}

int run_report(const ReportConfig& config, const client::Environment& environment) {
  const auto file = load_report(config.file);
  if (!file) return fail_command(file.error());
  const bool is_taken =
      config.junit_file == "-" || config.csv_file == "-" || config.html_file == "-";
  const int fd = is_taken ? STDERR_FILENO : STDOUT_FILENO;
  const auto color = client::decide_color(config.color, client::stream_kind(fd), environment);
  std::string text;
  for (std::size_t i = 0; i < file->runs.size(); ++i)
    text += numbered_report(file->runs[i], i + 1, file->runs.size(), color);
  auto written = write_all(fd, text + runs_summary(file->runs));
  if (written && !config.junit_file.empty())
    written = write_report(config.junit_file, junit_report(file->runs));
  if (written && !config.csv_file.empty())
    written = write_report(config.csv_file, csv_report(file->runs));
  if (written && !config.html_file.empty())
    written = write_report(config.html_file, html_report(file->runs));
  return written ? 0 : fail_command(written.error());
}

}  // namespace clawws::bench
