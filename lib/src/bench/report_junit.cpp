// Thresholds and trust as JUnit XML: one test case each, and the text report as the suite's output.
// Build servers show a failure's message attribute, so that says what was measured. And the summary
// for GitHub: a table of the thresholds and the same text, folded into no list or code that a
// server's words could break out of.
#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/markup.hpp"
#include "clawws/bench/numbers.hpp"
#include "clawws/bench/report.hpp"

namespace clawws::bench {
namespace {

std::string test_case(std::string_view name, const std::string& failure) {
  std::string out = "    <testcase classname=\"clawws.bench\" name=\"" + escape_markup(name) + "\"";
  if (failure.empty()) return out + "/>\n";
  return out + ">\n      <failure message=\"" + escape_markup(failure) + "\"/>\n    </testcase>\n";
}

std::string failure_of(const Outcome& outcome) {
  if (outcome.passed) return {};
  if (!outcome.why.empty()) return outcome.why;
  return outcome.value.value ? "it was " + format_value(outcome.value.unit, *outcome.value.value)
                             : "lost deliveries reach this percentile";
}

// The cases of one run; their names begin with `prefix`.
std::string cases_of(const BenchResult& result, const std::string& prefix, std::size_t& failures) {
  std::string reasons;
  for (const std::string& reason : result.verdict.reasons)
    reasons += (reasons.empty() ? "" : "; ") + reason;
  if (!result.verdict.valid && reasons.empty()) reasons = "not judged";
  std::string cases = test_case(prefix + "the run can be trusted", reasons);
  failures += reasons.empty() ? 0 : 1;
  for (const Outcome& outcome : result.outcomes) {
    cases += test_case(prefix + outcome.threshold.text(), failure_of(outcome));
    failures += outcome.passed ? 0 : 1;
  }
  return cases;
}

}  // namespace

std::string junit_report(std::span<const BenchResult> runs) {
  std::string cases, text;
  std::size_t tests = 0, failures = 0;
  Nanos took{0};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string prefix = runs.size() == 1 ? "" : "run " + std::to_string(i + 1) + ": ";
    cases += cases_of(runs[i], prefix, failures);
    text += numbered_report(runs[i], i + 1, runs.size(), client::Color::off);
    tests += runs[i].outcomes.size() + 1;
    took += runs[i].took;
  }
  const BenchResult& first = runs.front();
  const std::string counts = "tests=\"" + std::to_string(tests) + "\" failures=\"" +
                             std::to_string(failures) + "\" time=\"" +
                             decimal(static_cast<double>(took.count()) / 1e9, 3) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts +
         ">\n  <testsuite name=\"clawws bench " + std::string(scenario_name(first.plan.scenario)) +
         "\" timestamp=\"" + base::format_rfc3339(first.started_millis) + "\" " + counts + ">\n" +
         cases + "    <system-out>" + escape_markup(text) +
         "</system-out>\n  </testsuite>\n</testsuites>\n";
}

std::string summary_report(const BenchResult& result) {
  const auto cell = [](std::string_view text) {
    std::string out;
    for (const char c : base::escape_terminal(text)) {
      if (c == '|') out += '\\';
      out += c;
    }
    return out;
  };
  const int code = exit_code(result);
  const std::string_view word = !result.verdict.valid ? "INVALID" : code == 0 ? "PASS" : "FAIL";
  std::string text = "### clawws bench: " + std::string(word) + "\n\n";
  if (!result.outcomes.empty()) {
    text += "| | threshold | measured |\n|---|---|---|\n";
    for (const Outcome& outcome : result.outcomes) {
      text += std::string("| ") + (outcome.passed ? "✅" : "❌") + " | `" +
              cell(outcome.threshold.text()) + "` | " + cell(measured_text(outcome)) + " |\n";
    }
    text += "\n";
  }
  // A fence longer than any run of backticks that a server's reason could hold.
  return text + "``````\n" + text_report(result, client::Color::off) + "``````\n";
}

}  // namespace clawws::bench
