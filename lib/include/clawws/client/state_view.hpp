// The state of sessions, agents, cron jobs and gateway as a table for a terminal: what is wrong
// first to the eye, the newest of each kind on top, nothing in it that could drive the terminal.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/client/terminal.hpp"
#include "clawws/wire/state.hpp"

namespace clawws::client {

struct StateViewConfig {
  Color color = Color::off;
  std::size_t width = 0;  // columns; 0: as long as it gets
  std::size_t rows = 0;   // lines to fit into; 0: all
};

// Whole lines. `headline` stands above, beside the position.
std::string state_table(const wire::State& state, std::string_view headline, std::int64_t now_millis,
                        const StateViewConfig& config);
// "12 s", "5 min", "3 h", "2 d"; "now" below a second and for times to come.
std::string age_text(std::int64_t millis);

}  // namespace clawws::client
