#include "clawws/bench/bench_commands.hpp"

#include <unistd.h>

#include "clawws/bench/compare.hpp"
#include "clawws/bench/output.hpp"
#include "command_parts.hpp"

namespace clawws::bench {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using namespace base::setters;

constexpr int k_exit_invalid = 22;
// Why the runs of a file cannot be compared at all. Empty: they can.
std::string distrust(const std::string& path, const ReportFile& file) {
  for (std::size_t i = 0; i < file.runs.size(); ++i) {
    const BenchResult& run = file.runs[i];
    const std::string which =
        path + ": run " + std::to_string(i + 1) + " of " + std::to_string(file.runs.size());
    if (run.signal != 0) return which + " was interrupted; measure again";
    if (run.verdict.valid) continue;
    const std::string reason =
        run.verdict.reasons.empty() ? "" : ": " + run.verdict.reasons.front();
    return which + " cannot be trusted" + reason + "; measure again, with --retries";
  }
  return {};
}

// The runs of both files are of one plan.
Result<void> check_plans(const CompareConfig& config, const ReportFile& before,
                         const ReportFile& after) {
  const BenchPlan& first = before.runs.front().plan;
  for (const auto& [path, file] :
       {std::pair{&config.old_file, &before}, {&config.new_file, &after}})
    for (const BenchResult& run : file->runs)
      if (const std::string difference = plan_difference(first, run.plan); !difference.empty())
        return Error(Errc::usage, "cannot compare " + config.old_file + " and " + *path +
                                      ", which measured different things: " + difference);
  return {};
}

}  // namespace

base::FlagSpec compare_flags(CompareConfig& config) {
  base::FlagSpec spec;
  spec.program = "clawws bench compare";
  spec.summary = "Says whether the runs of NEW are worse than those of OLD.";
  spec.usage = "clawws bench compare [OPTIONS] OLD NEW";
  spec.example_flag = "min-effect";
  spec.example_value = "5%,1ms";
  spec.epilog =
      "OLD and NEW are reports of `clawws bench --repeat 5 --json FILE`, one of them may be -. The "
      "unit is\n"
      "the run. A regression has a 95 % confidence interval (Welch) off zero, is more than both "
      "parts of\n"
      "--min-effect, and more than the noise: twice the standard deviation of OLD's runs. With "
      "fewer than 3\n"
      "runs on a side everything is inconclusive.\n"
      "\n"
      "Exit status: 0 no confirmed regression; 1 a file cannot be read or written; 2 usage, or "
      "files "
      "that\n"
      "cannot be compared; 21 a confirmed regression; 22 a run cannot be trusted.\n";
  spec.flags.push_back(flag("min-effect", 0, "PERCENT,TIME", k_command_options,
                            "what a change must exceed; the time is for latencies alone", "10%,2ms",
                            [&config](std::string_view v) -> Result<void> {
                              const auto least = parse_min_effect(v);
                              if (!least) return least.error();
                              config.least_relative = least->relative;
                              config.least_absolute = least->absolute;
                              return {};
                            }));
  add_file(spec.flags, "json", config.json_file,
           "write the comparison as JSON; with - to stdout, the table to stderr");
  add_color(spec.flags, config.color);
  const auto take = [](std::string& field) {
    return [&field](std::string_view v) -> Result<void> {
      if (!field.empty()) return Error(Errc::usage, "two files are compared, no more");
      if (v.empty()) return Error(Errc::usage, "must not be empty");
      field = v;
      return {};
    };
  };
  spec.positionals.push_back({"OLD", "report of the runs before", take(config.old_file)});
  spec.positionals.push_back({"NEW", "report of the runs after", take(config.new_file)});
  return spec;
}

Result<void> validate(const CompareConfig& config) {
  if (config.new_file.empty())
    return Error(Errc::usage, "two reports are needed: clawws bench compare OLD NEW");
  if (config.old_file == "-" && config.new_file == "-")
    return Error(Errc::usage, "only one of the reports can come from stdin");
  return {};
}

int run_compare(const CompareConfig& config, const client::Environment& environment) {
  const auto before = load_report(config.old_file);
  if (!before) return fail_command(before.error());
  const auto after = load_report(config.new_file);
  if (!after) return fail_command(after.error());
  // An interrupted run has another number of events: that is no other plan.
  for (const auto& [path, file] :
       {std::pair{&config.old_file, &*before}, {&config.new_file, &*after}})
    if (const std::string why = distrust(*path, *file); !why.empty()) {
      say(why);
      return k_exit_invalid;
    }
  if (const auto same = check_plans(config, *before, *after); !same)
    return fail_command(same.error());

  Compared compared =
      compare_runs(before->runs, after->runs, {config.least_relative, config.least_absolute});
  compared.old_name = config.old_file;
  compared.new_name = config.new_file;
  compared.old_tool = before->tool;
  compared.new_tool = after->tool;
  const int fd = config.json_file == "-" ? STDERR_FILENO : STDOUT_FILENO;
  const auto color = client::decide_color(config.color, client::stream_kind(fd), environment);
  auto written = write_all(fd, compare_text(compared, color));
  if (written && !config.json_file.empty())
    written = write_report(config.json_file, compare_json(compared));
  if (!written) return fail_command(written.error());
  return compared.exit_code();
}

}  // namespace clawws::bench
