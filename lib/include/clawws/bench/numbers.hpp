// Numbers as reports show them. Pure.
#pragma once

#include <string>

#include "clawws/bench/histogram.hpp"

namespace clawws::bench {

// Milliseconds with the digits that say something: "0.42", "9.7", "142".
std::string millis(Nanos value);
// With its unit: "420 us", "9.7 ms", "100 ms", "2.5 s".
std::string time_text(Nanos value);
// With so many digits after the point.
std::string decimal(double value, int digits);

}  // namespace clawws::bench
