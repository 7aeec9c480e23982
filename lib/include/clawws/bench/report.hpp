// Reports of a run, from its result alone. Pure: text in, no file, no terminal.
#pragma once

#include <string>

#include "clawws/bench/result.hpp"
#include "clawws/client/terminal.hpp"

namespace clawws::bench {

// What a person reads: a line for the plan, connect, deliver, to-all, ledger, server, trust, and
// one for each threshold.
std::string text_report(const BenchResult& result, client::Color color);
// The whole result; its schema is apps/bench/report.schema.json.
std::string json_report(const BenchResult& result);
std::string junit_report(const BenchResult& result);
// Markdown for $GITHUB_STEP_SUMMARY.
std::string summary_report(const BenchResult& result);

}  // namespace clawws::bench
