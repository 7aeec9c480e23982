// The rows of the time series as the controller sees them go by: a row for each step of a phase,
// with what only a look at that moment can tell. A phase always begins a row. The deliveries of the
// measured rows come later, from the fleets (collect.hpp). The controller's thread.
#pragma once

#include <functional>
#include <vector>

#include "clawws/bench/result.hpp"

namespace clawws::bench {

class Sampler {
 public:
  // `look` fills what is to be seen now: connected, and the server's use.
  Sampler(Nanos step, std::function<void(SeriesRow&)> look) : step_(step), look_(std::move(look)) {}

  // Again and again, with the phase of now. Rows begin with Phase::connect and end with
  // Phase::close. After a pause of the process the rows that it slept through are all as of now.
  void turn(Phase phase, Nanos now);
  std::vector<SeriesRow> take() { return std::move(rows_); }

 private:
  void close_row(Nanos end);

  const Nanos step_;
  std::function<void(SeriesRow&)> look_;
  bool is_open_ = false;
  SeriesRow row_;
  Nanos begin_{0};      // of the first row
  Nanos row_begin_{0};  // of this one
  std::vector<SeriesRow> rows_;
};

}  // namespace clawws::bench
