#include "clawws/bench/chart.hpp"

#include <algorithm>
#include <cmath>

#include "clawws/bench/markup.hpp"
#include "clawws/bench/numbers.hpp"

namespace clawws::bench {
namespace {

// In the units of the view box; the page scales it.
constexpr double k_width = 520, k_height = 250;
constexpr double k_left = 52, k_right = 26, k_top = 30, k_bottom = 44;

std::string coordinate(double value) {
  std::string text = decimal(value, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

class Frame {
 public:
  explicit Frame(const Chart& chart) : chart_(chart) {}

  double x(double value) const {
    const double span = std::max(chart_.x_high - chart_.x_low, 1e-12);
    const double part = std::clamp((value - chart_.x_low) / span, 0.0, 1.0);
    return k_left + part * (k_width - k_left - k_right);
  }
  double y(double value) const {
    const double part = std::clamp(value / std::max(chart_.y_high, 1e-12), 0.0, 1.0);
    return k_height - k_bottom - part * (k_height - k_top - k_bottom);
  }

 private:
  const Chart& chart_;
};

std::string text_at(double x, double y, const char* anchor, std::string_view text) {
  return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" + anchor +
         "\">" + escape_markup(text) + "</text>";
}

std::string line_at(const char* css, double x1, double y1, double x2, double y2) {
  return std::string("<line class=\"") + css + "\" x1=\"" + coordinate(x1) + "\" y1=\"" +
         coordinate(y1) + "\" x2=\"" + coordinate(x2) + "\" y2=\"" + coordinate(y2) + "\"/>";
}

std::string axes(const Chart& chart, const Frame& frame) {
  const double bottom = k_height - k_bottom, right = k_width - k_right;
  std::string out;
  for (const ChartTick& tick : chart.y_ticks) {
    out += line_at("grid", k_left, frame.y(tick.at), right, frame.y(tick.at));
    out += text_at(k_left - 7, frame.y(tick.at) + 4, "end", tick.label);
  }
  for (const ChartTick& tick : chart.x_ticks) {
    out += line_at("tick", frame.x(tick.at), bottom, frame.x(tick.at), bottom + 4);
    out += text_at(frame.x(tick.at), bottom + 18, "middle", tick.label);
  }
  out += line_at("axis", k_left, bottom, right, bottom);
  out += text_at((k_left + right) / 2, k_height - 6, "middle", chart.x_label);
  return out + text_at(k_left - 7, 16, "end", chart.y_label);
}

std::string path(const ChartLine& line, const Frame& frame, std::size_t number) {
  std::string steps;
  std::string dots;
  const std::string css = "l" + std::to_string(number);
  bool is_down = false;
  for (std::size_t i = 0; i < line.points.size(); ++i) {
    const auto& [x, y] = line.points[i];
    if (!std::isfinite(y)) {
      is_down = false;
      continue;
    }
    // A point between two gaps would be no line at all.
    const bool is_alone =
        !is_down && (i + 1 == line.points.size() || !std::isfinite(line.points[i + 1].second));
    if (is_alone)
      dots += "<circle class=\"" + css + "\" r=\"2.5\" cx=\"" + coordinate(frame.x(x)) +
              "\" cy=\"" + coordinate(frame.y(y)) + "\"/>";
    steps += (is_down ? "L" : "M") + coordinate(frame.x(x)) + " " + coordinate(frame.y(y));
    is_down = true;
  }
  return "<path class=\"" + css + "\" d=\"" + steps + "\"/>" + dots;
}

std::string legend(const Chart& chart) {
  if (chart.lines.size() < 2) return {};
  std::string out;
  double x = k_left + 30;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const std::string css = "l" + std::to_string(i);
    out += line_at(css.c_str(), x, 12, x + 18, 12);
    out += text_at(x + 24, 16, "start", chart.lines[i].name);
    x += 46 + 7.5 * static_cast<double>(chart.lines[i].name.size());
  }
  return out;
}

}  // namespace

std::vector<ChartTick> round_ticks(double highest, int wanted) {
  if (!(highest > 0) || !std::isfinite(highest)) highest = 1;
  const double raw = highest / std::max(wanted, 1);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double part = raw / power;
  const double step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
  const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
  std::vector<ChartTick> ticks;
  for (int i = 0; ticks.empty() || ticks.back().at < highest * (1 - 1e-9); ++i)
    ticks.push_back({i * step, decimal(i * step, digits)});
  return ticks;
}

std::string chart_svg(const Chart& chart) {
  const Frame frame(chart);
  std::string out = "<svg viewBox=\"0 0 " + coordinate(k_width) + " " + coordinate(k_height) +
                    "\" role=\"img\" aria-label=\"" + escape_markup(chart.title) + "\">";
  out += axes(chart, frame);
  if (!chart.mark.empty() && chart.mark_at < chart.x_high) {
    const double x = frame.x(chart.mark_at);
    out += "<rect class=\"mark\" x=\"" + coordinate(x) + "\" y=\"" + coordinate(k_top) +
           "\" width=\"" + coordinate(k_width - k_right - x) + "\" height=\"" +
           coordinate(k_height - k_top - k_bottom) + "\"/>";
    out += text_at(k_width - k_right - 6, k_top + 16, "end", chart.mark);
  }
  for (std::size_t i = 0; i < chart.lines.size(); ++i) out += path(chart.lines[i], frame, i);
  return out + legend(chart) + "</svg>";
}

}  // namespace clawws::bench
