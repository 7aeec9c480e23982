// The commands beside the measuring: `clawws bench compare OLD NEW`, `clawws bench report FILE` and
// `clawws bench doctor`. Their options, and the whole of each behind them, which gives the exit
// code. For main; free of Asio. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "clawws/base/flags.hpp"
#include "clawws/client/terminal.hpp"

namespace clawws::bench {

struct CompareConfig {
  std::string old_file, new_file;
  double least_relative = 0.10;
  std::chrono::nanoseconds least_absolute = std::chrono::milliseconds(2);
  std::string json_file;  // "" none, "-" stdout
  client::ColorChoice color = client::ColorChoice::automatic;
};
CLAWWS_API base::FlagSpec compare_flags(CompareConfig& config);
CLAWWS_API base::Result<void> validate(const CompareConfig& config);
// 0, 21 with a confirmed regression, 22 when a run cannot be trusted, 2 for files that cannot be
// compared, 1 for those that cannot be read or written.
CLAWWS_API int run_compare(const CompareConfig& config, const client::Environment& environment);

struct ReportConfig {
  std::string file;                             // "-" stdin
  std::string junit_file, csv_file, html_file;  // "" none, "-" stdout
  client::ColorChoice color = client::ColorChoice::automatic;
};
CLAWWS_API base::FlagSpec report_flags(ReportConfig& config);
CLAWWS_API base::Result<void> validate(const ReportConfig& config);
// 0 whatever the report says, 2 for a file that is none, 1 for one that cannot be read or written.
CLAWWS_API int run_report(const ReportConfig& config, const client::Environment& environment);

struct DoctorConfig {
  std::optional<std::uint64_t> connections;
  client::ColorChoice color = client::ColorChoice::automatic;
};
CLAWWS_API base::FlagSpec doctor_flags(DoctorConfig& config);
// 0 when all is enough, 23 when something is not.
CLAWWS_API int run_doctor(const DoctorConfig& config, const client::Environment& environment);

}  // namespace clawws::bench
