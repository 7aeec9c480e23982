// What the commands beside the measuring share: options, reading a report, a failure. For their
// sources alone.
#pragma once

#include "clawws/base/flag_setters.hpp"
#include "clawws/bench/report_read.hpp"
#include "clawws/client/terminal.hpp"

namespace clawws::bench {

inline constexpr const char* k_command_options = "Options";

// A file that a command writes. It must not be named by the environment that another is called in.
void add_file(std::vector<base::Flag>& flags, const char* name, std::string& field,
              const char* help);
void add_color(std::vector<base::Flag>& flags, client::ColorChoice& field);

// Says it on stderr; its exit code.
int fail_command(const base::Error& error);

// "-" is stdin. The error names the file.
base::Result<ReportFile> load_report(const std::string& path);

}  // namespace clawws::bench
