// Which limit is too low for so many connections, and what is said to lift it.
#include "clawws/bench/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace clawws::bench {
namespace {

SystemLimits ample() {
  SystemLimits limits;
  limits.files = limits.files_most = 1'048'576;
  limits.files_system = 9'223'372'036'854'775'807;
  limits.files_in_use = 2'000;
  limits.ports_first = 32'768;
  limits.ports_last = 60'999;
  limits.memory_bytes = 8ull << 30;
  limits.cores = 4;
  limits.backlog = 4'096;
  return limits;
}

const Finding& finding(const std::vector<Finding>& findings, const std::string& limit) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const Finding& f) { return f.limit == limit; });
  EXPECT_NE(found, findings.end()) << limit;
  return *found;
}

TEST(BenchDoctor, AnAmpleMachineHasEnough) {
  for (const Finding& f : examine(ample(), 10'000)) {
    EXPECT_TRUE(f.is_enough) << f.limit << ": " << f.needed << " of " << f.has;
    EXPECT_EQ(f.lift, "") << f.limit;
  }
}

TEST(BenchDoctor, WhatIsNotSaidIsNotTooLittle) {
  for (const Finding& f : examine(SystemLimits{}, 10'000)) {
    EXPECT_TRUE(f.is_enough) << f.limit;
    EXPECT_EQ(f.has, "unknown") << f.limit;
  }
}

TEST(BenchDoctor, EachLimitIsNamedWithItsCommand) {
  struct Row {
    void (*lower)(SystemLimits&);
    const char* limit;
    const char* lift;
  };
  for (const Row& row :
       {Row{[](SystemLimits& l) { l.files = 4'096; }, "open files", "ulimit -Hn 10128"},
        Row{[](SystemLimits& l) { l.files = l.files_most = 4'096; }, "open files",
            "sysctl -w fs.nr_open=10128 && ulimit"},
        Row{[](SystemLimits& l) { l.files_system = 20'000; }, "files of the system",
            "sysctl -w fs.file-max="},
        Row{[](SystemLimits& l) { l.ports_last = 32'800; }, "local ports",
            "net.ipv4.ip_local_port_range="},
        Row{[](SystemLimits& l) { l.memory_bytes = 200u << 20; }, "memory",
            "at most 2,176 connections"},
        Row{[](SystemLimits& l) { l.cores = 1; }, "cores", "taskset"},
        Row{[](SystemLimits& l) { l.backlog = 128; }, "waiting connections",
            "net.core.somaxconn=4096"}}) {
    SystemLimits limits = ample();
    row.lower(limits);
    const auto findings = examine(limits, 10'000);
    EXPECT_EQ(std::count_if(findings.begin(), findings.end(),
                            [](const Finding& f) { return !f.is_enough; }),
              1)
        << row.limit;
    const Finding& f = finding(findings, row.limit);
    EXPECT_FALSE(f.is_enough) << row.limit;
    EXPECT_NE(f.lift.find(row.lift), std::string::npos) << f.lift;
  }
}

TEST(BenchDoctor, NeedGrowsWithTheConnections) {
  EXPECT_EQ(finding(examine(ample(), 100), "open files").needed, "228");
  EXPECT_EQ(finding(examine(ample(), 100), "files of the system").needed, "2,456");
  EXPECT_EQ(finding(examine(ample(), 100), "waiting connections").needed, "100");
  EXPECT_EQ(finding(examine(ample(), 50'000), "waiting connections").needed, "512");
  // Sources are spread on the loopback; another host sees them all from one address.
  const Finding many = finding(examine(ample(), 50'000), "local ports");
  EXPECT_TRUE(many.is_enough);
  EXPECT_NE(many.note.find("500 in 127.0.0.0/8"), std::string::npos) << many.note;
  EXPECT_NE(many.lift.find("ip_local_port_range"), std::string::npos) << many.lift;
}

TEST(BenchDoctor, ThisMachineSaysWhatItHas) {
  const SystemLimits limits = read_limits();
  EXPECT_GT(limits.files.value_or(0), 0U);
  EXPECT_GT(limits.memory_bytes.value_or(0), 0U);
  EXPECT_GT(limits.cores.value_or(0), 0U);
}

TEST(BenchDoctor, TheTextNamesWhatIsTooFew) {
  SystemLimits limits = ample();
  limits.files = 1'024;
  const std::string text = doctor_text(examine(limits, 10'000), 10'000, client::Color::off);
  EXPECT_NE(text.find("TOO FEW  open files           10,128       1,024"), std::string::npos)
      << text;
  EXPECT_NE(text.find("         → ulimit -Hn 10128"), std::string::npos) << text;
  EXPECT_NE(text.find("enough   memory"), std::string::npos) << text;
}

}  // namespace
}  // namespace clawws::bench
