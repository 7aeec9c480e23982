// A report of --json, read back into results from which every report can be written again and
// which can be compared with others. Pure; what it reads may be anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/bench/result.hpp"

namespace clawws::bench {

struct ReportFile {
  std::string tool;  // "clawws/0.1.0"
  std::vector<BenchResult> runs;
};

// Without what a report does not hold: the marks of single events, a connection's own p99s, what of
// a plan matters to its run alone (connect_limit, settle). There is at least one run.
// Errc::usage: not a report of this tool, another version of its schema, or a member that is not
// there or not what it should be, named by its place.
base::Result<ReportFile> read_report(std::string_view text);

}  // namespace clawws::bench
