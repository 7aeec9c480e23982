#include "clawws/bench/numbers.hpp"

#include <array>
#include <cstdio>

namespace clawws::bench {

std::string millis(Nanos value) {
  const double ms = static_cast<double>(value.count()) / 1e6;
  return decimal(ms, ms < 0.995 ? 2 : ms < 99.5 ? 1 : 0);
}

std::string time_text(Nanos value) {
  const auto nanos = static_cast<double>(value.count());
  const auto with = [](double number, const char* unit) {
    std::string text = decimal(number, number < 99.5 ? 1 : 0);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text + " " + unit;
  };
  if (nanos < 999.5) return with(nanos, "ns");
  if (nanos < 999.5e3) return with(nanos / 1e3, "us");
  return nanos < 999.5e6 ? with(nanos / 1e6, "ms") : with(nanos / 1e9, "s");
}

std::string decimal(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

}  // namespace clawws::bench
