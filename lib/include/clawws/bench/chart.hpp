// A line chart as inline SVG, without a script: axes, ticks, lines, a legend. Colours are the
// page's CSS variables, so it follows its light and dark. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace clawws::bench {

struct ChartLine {
  std::string name;
  // Ascending in x. A y that is not a number interrupts the line.
  std::vector<std::pair<double, double>> points;
};

struct ChartTick {
  double at = 0;
  std::string label;
};

struct Chart {
  std::string title;  // for those who cannot see it
  std::string x_label, y_label;
  double x_low = 0, x_high = 1, y_high = 1;  // y begins at 0
  std::vector<ChartTick> x_ticks, y_ticks;
  std::vector<ChartLine> lines;  // at most 4
  // Where what cannot be shown begins: "lost". Beyond x_high: nothing.
  double mark_at = 0;
  std::string mark;  // "" none
};

// Round ticks from 0 to a little above `highest`, about `wanted` of them; the last is the axis'
// end.
std::vector<ChartTick> round_ticks(double highest, int wanted);

std::string chart_svg(const Chart& chart);

}  // namespace clawws::bench
