#include "clawws/base/time.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>

namespace clawws::base {
namespace {

constexpr std::int64_t k_last_millis = 253402300799999;  // 9999-12-31T23:59:59.999Z
constexpr std::int64_t k_day_millis = 86'400'000;
constexpr std::int64_t k_longest_duration_millis = 36'525 * k_day_millis;  // a hundred years

char* write_digits(char* out, unsigned value, int count) noexcept {
  for (int i = count - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + count;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes characters off the front of a text and remembers whether something was missing.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || !is_digit(rest_.front())) {
        good_ = false;
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      good_ = false;
      return 0;
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool next_is_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

// A decimal number without a sign: whole * 10^9 parts keep "2.5k" exact.
struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t nano = 0;  // the fraction in units of 10^-9
};

enum class DecimalError { none, not_a_number, too_large, too_fine };

// Takes a decimal off the front of `text`.
DecimalError take_decimal(std::string_view& text, Decimal& out) {
  std::size_t digits = 0;
  while (!text.empty() && is_digit(text.front())) {
    const auto digit = static_cast<std::uint64_t>(text.front() - '0');
    if (out.whole > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) {
      return DecimalError::too_large;
    }
    out.whole = out.whole * 10 + digit;
    text.remove_prefix(1);
    ++digits;
  }
  if (digits == 0) return DecimalError::not_a_number;
  if (text.empty() || text.front() != '.') return DecimalError::none;
  text.remove_prefix(1);
  std::uint64_t unit = 100'000'000;
  digits = 0;
  while (!text.empty() && is_digit(text.front())) {
    const auto digit = static_cast<std::uint64_t>(text.front() - '0');
    if (unit == 0 && digit != 0) return DecimalError::too_fine;
    out.nano += digit * unit;
    unit /= 10;
    text.remove_prefix(1);
    ++digits;
  }
  return digits == 0 ? DecimalError::not_a_number : DecimalError::none;
}

// number * scale, when it is a whole number that fits.
std::optional<std::uint64_t> scaled(const Decimal& number, std::uint64_t scale) {
  if (number.whole > std::numeric_limits<std::uint64_t>::max() / scale) return std::nullopt;
  // scale <= 2^40 and nano < 10^9 < 2^30: the product needs up to 70 bits, so divide first.
  const std::uint64_t high = number.nano * (scale / 1'000'000'000);
  const std::uint64_t low = number.nano * (scale % 1'000'000'000);
  if (low % 1'000'000'000 != 0) return std::nullopt;
  const std::uint64_t fraction = high + low / 1'000'000'000;
  const std::uint64_t whole = number.whole * scale;
  if (whole > std::numeric_limits<std::uint64_t>::max() - fraction) return std::nullopt;
  return whole + fraction;
}

Error wrong(std::string_view reason) {
  return Error(Errc::config, std::string(reason));
}

struct Suffix {
  std::string_view text;
  std::uint64_t scale;
};

// The whole of `text` as a decimal with one of `suffixes` (lower case) behind it.
Result<std::uint64_t> parse_scaled(std::string_view text, std::span<const Suffix> suffixes,
                                   std::string_view expected) {
  Decimal number;
  std::string_view rest = text;
  const DecimalError error = take_decimal(rest, number);
  if (error == DecimalError::too_large) return wrong("too large");
  if (error != DecimalError::none) return wrong(expected);
  std::string suffix(rest);
  for (char& c : suffix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Suffix& s : suffixes) {
    if (s.text != suffix) continue;
    const auto value = scaled(number, s.scale);
    if (value) return *value;
    return number.nano == 0 ? wrong("too large") : wrong("must come to a whole number");
  }
  return wrong(expected);
}

// "1.50" -> "1.5", "30.0" -> "30".
std::string short_decimal(double value, int decimals) {
  std::array<char, 48> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  std::string text(buffer.data());
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string two_units(std::int64_t big, const char* big_unit, std::int64_t small,
                      const char* small_unit) {
  std::string text = std::to_string(big) + " " + big_unit;
  if (small != 0) text += " " + std::to_string(small) + " " + small_unit;
  return text;
}

}  // namespace

std::int64_t unix_millis() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

char* write_rfc3339(std::int64_t millis, char* out) noexcept {
  using namespace std::chrono;
  millis = std::clamp<std::int64_t>(millis, 0, k_last_millis);
  const year_month_day date{sys_days{days{millis / k_day_millis}}};
  const auto in_day = static_cast<unsigned>(millis % k_day_millis);
  out = write_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  *out++ = '-';
  out = write_digits(out, static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  out = write_digits(out, static_cast<unsigned>(date.day()), 2);
  *out++ = 'T';
  out = write_digits(out, in_day / 3'600'000, 2);
  *out++ = ':';
  out = write_digits(out, in_day / 60'000 % 60, 2);
  *out++ = ':';
  out = write_digits(out, in_day / 1'000 % 60, 2);
  *out++ = '.';
  out = write_digits(out, in_day % 1'000, 3);
  *out++ = 'Z';
  return out;
}

std::string format_rfc3339(std::int64_t millis) {
  std::string text(24, '\0');
  write_rfc3339(millis, text.data());
  return text;
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view k_expected = "must be a time like 2026-02-21T14:30:00Z";
  Reader in(text);
  const int y = in.digits(4);
  in.one_of("-");
  const int mo = in.digits(2);
  in.one_of("-");
  const int d = in.digits(2);
  in.one_of("Tt ");
  const int h = in.digits(2);
  in.one_of(":");
  const int mi = in.digits(2);
  in.one_of(":");
  const int s = in.digits(2);
  int fraction = 0;
  if (in.good() && in.next_is('.')) {
    in.one_of(".");
    fraction = in.digits(1) * 100;
    for (const int unit : {10, 1}) {
      if (in.next_is_digit()) fraction += in.digits(1) * unit;
    }
    while (in.next_is_digit()) in.digits(1);
  }
  const char zone = in.one_of("Zz+-");
  int offset_minutes = 0;
  if (zone == '+' || zone == '-') {
    const int oh = in.digits(2);
    in.one_of(":");
    const int om = in.digits(2);
    if (oh > 23 || om > 59) return wrong("has no such time zone offset");
    offset_minutes = (oh * 60 + om) * (zone == '-' ? -1 : 1);
  }
  if (!in.good() || !in.at_end()) return wrong(k_expected);
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!date.ok()) return wrong("has no such date");
  if (h > 23 || mi > 59 || s > 60) return wrong("has no such time of day");
  if (y < 1970) return wrong("must not be before 1970");

  const int millis_in_minute = s == 60 ? 59'999 : s * 1'000 + fraction;
  const std::int64_t value = sys_days{date}.time_since_epoch().count() * k_day_millis +
                             (h * 60 + mi - offset_minutes) * std::int64_t{60'000} +
                             millis_in_minute;
  if (value < 0 || value > k_last_millis) return wrong("must be in the years 1970 to 9999");
  return value;
}

Result<Millis> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view text;
    std::uint64_t millis;
  };
  // "ms" stands before "m", which it begins with.
  static constexpr std::array<Unit, 5> k_units{
      {{"ms", 1}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}}};
  constexpr std::string_view k_expected = "must be a duration like 500ms, 10s, 5m, 2h or 1h30m";
  if (text == "0") return Millis::zero();
  if (!text.empty() && text.front() == '-') return wrong("must not be negative");
  std::uint64_t total = 0;
  std::uint64_t last_unit = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return wrong(k_expected);
  while (!text.empty()) {
    Decimal number;
    const DecimalError error = take_decimal(text, number);
    if (error == DecimalError::too_large) return wrong("is too long: at most a hundred years");
    if (error == DecimalError::too_fine) return wrong("must come to whole milliseconds");
    if (error != DecimalError::none) return wrong(k_expected);
    if (text.empty()) return wrong("needs a unit: ms, s, m, h or d");
    const auto unit = std::find_if(k_units.begin(), k_units.end(),
                                   [text](const Unit& u) { return text.starts_with(u.text); });
    if (unit == k_units.end() || unit->millis >= last_unit) return wrong(k_expected);
    text.remove_prefix(unit->text.size());
    last_unit = unit->millis;
    const auto part = scaled(number, unit->millis);
    if (!part && number.nano != 0) return wrong("must come to whole milliseconds");
    if (!part || *part > k_longest_duration_millis) {
      return wrong("is too long: at most a hundred years");
    }
    total += *part;
  }
  if (total > k_longest_duration_millis) return wrong("is too long: at most a hundred years");
  return Millis(static_cast<Millis::rep>(total));
}

std::string format_duration(std::chrono::nanoseconds value) {
  if (value.count() < 0) return "-" + format_duration(-value);
  if (value.count() == 0) return "0 s";
  const auto nanos = static_cast<double>(value.count());
  if (nanos < 1e3) return std::to_string(value.count()) + " ns";
  if (nanos < 999.5e3) return short_decimal(nanos / 1e3, nanos < 9.95e3 ? 1 : 0) + " us";
  if (nanos < 99.5e6) return short_decimal(nanos / 1e6, nanos < 9.95e6 ? 1 : 0) + " ms";
  if (nanos < 9.995e9) return short_decimal(nanos / 1e9, 2) + " s";
  if (nanos < 59.95e9) return short_decimal(nanos / 1e9, 1) + " s";
  const std::int64_t seconds = std::chrono::round<std::chrono::seconds>(value).count();
  if (seconds < 3'600) return two_units(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86'400) return two_units(seconds / 3'600, "h", seconds / 60 % 60, "min");
  return two_units(seconds / 86'400, "d", seconds / 3'600 % 24, "h");
}

std::string duration_flag_text(Millis value) {
  std::int64_t rest = value.count();
  if (rest == 0) return "0";
  if (rest < 1'000) return std::to_string(rest) + "ms";
  std::string text;
  const auto take = [&](std::int64_t unit, char name) {
    if (rest >= unit) text += std::to_string(rest / unit) + name;
    rest %= unit;
  };
  take(k_day_millis, 'd');
  take(3'600'000, 'h');
  take(60'000, 'm');
  if (rest > 0) text += short_decimal(static_cast<double>(rest) / 1'000, 3) + "s";
  return text;
}

Result<std::uint64_t> parse_count(std::string_view text) {
  static constexpr std::array<Suffix, 3> k_suffixes{{{"", 1}, {"k", 1'000}, {"m", 1'000'000}}};
  return parse_scaled(text, k_suffixes, "must be a count like 500, 10k or 2.5m");
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t k = 1024;
  static constexpr std::array<Suffix, 14> k_suffixes{{{"", 1},
                                                      {"b", 1},
                                                      {"k", k},
                                                      {"kb", k},
                                                      {"kib", k},
                                                      {"m", k * k},
                                                      {"mb", k * k},
                                                      {"mib", k * k},
                                                      {"g", k * k * k},
                                                      {"gb", k * k * k},
                                                      {"gib", k * k * k},
                                                      {"t", k * k * k * k},
                                                      {"tb", k * k * k * k},
                                                      {"tib", k * k * k * k}}};
  return parse_scaled(text, k_suffixes, "must be a size like 65536, 64KiB, 16MiB or 1GiB");
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  static constexpr std::array<const char*, 6> k_units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be shown as 1024.0.
  while (value >= 1023.95 && unit + 1 < k_units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f %s", value, k_units[unit]);
  return buffer.data();
}

std::string format_count(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace clawws::base
