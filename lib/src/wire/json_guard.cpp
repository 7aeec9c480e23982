#include "json_guard.hpp"

#include <algorithm>
#include <charconv>

#include "clawws/base/text.hpp"

namespace clawws::wire {
namespace {

constexpr std::size_t k_max_path_name = 64;
constexpr std::size_t k_max_problem_text = 200;
// Below this many names comparing all pairs is faster than sorting.
constexpr std::size_t k_pairwise_names = 12;

// RFC 6901 with its two escapes; a cut name ends in an ellipsis, since no pointer to it exists.
void append_pointer_name(std::string& out, std::string_view name) {
  const auto cut = base::utf8_prefix(name, k_max_path_name);
  out += '/';
  for (const char c : cut) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  if (cut.size() < name.size()) out += "\u2026";
}

template <class T>
void append_chars(std::string& out, T value) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

}  // namespace

void JsonGuard::value() {
  if (in_array()) ++levels_.back().count;
}

void JsonGuard::open(Container kind) {
  levels_.push_back(
      {kind, static_cast<std::uint32_t>(names_.size()), static_cast<std::uint32_t>(bytes_.size())});
}

void JsonGuard::key(std::string_view name) {
  names_.push_back(
      {static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(name.size())});
  bytes_.append(name);
  ++levels_.back().count;
}

bool JsonGuard::close() {
  const Level level = levels_.back();
  const auto first = names_.begin() + level.first_name;
  const auto last = names_.end();
  const auto same = [this](const Name& a, const Name& b) { return text(a) == text(b); };
  auto found = last;
  if (static_cast<std::size_t>(last - first) <= k_pairwise_names) {
    for (auto name = first; name != last && found == last; ++name) {
      if (std::any_of(first, name, [&](const Name& other) { return same(*name, other); })) {
        found = name;
      }
    }
  } else {
    // Sorting, not hashing: its bound holds whatever names an attacker chooses.
    std::sort(first, last, [this](const Name& a, const Name& b) { return text(a) < text(b); });
    found = std::adjacent_find(first, last, same);
  }
  if (found != last) {
    duplicate_ = *found;
    return false;
  }
  // The names of a closed object are gone, so the arena holds one path's worth of objects at most.
  names_.resize(level.first_name);
  bytes_.resize(level.first_byte);
  levels_.pop_back();
  return true;
}

std::string JsonGuard::duplicate_path() const {
  std::string path = path_of(levels_.size() - 1);
  append_pointer_name(path, text(duplicate_));
  return path;
}

std::string JsonGuard::path_of(std::size_t levels) const {
  std::string path;
  for (std::size_t i = 0; i < levels; ++i) {
    const Level& level = levels_[i];
    if (level.count == 0) continue;
    if (level.kind == Container::array) {
      path += '/';
      append_number(path, std::uint64_t{level.count - 1});
    } else {
      // The member that is being read is the newest name of its object: the last one before the
      // next object's first.
      const auto after = i + 1 < levels_.size() ? levels_[i + 1].first_name : names_.size();
      append_pointer_name(path, text(names_[after - 1]));
    }
  }
  return path;
}

void JsonGuard::clear() noexcept {
  levels_.clear();
  names_.clear();
  bytes_.clear();
}

JsonProblem json_problem(std::size_t position, const nlohmann::detail::exception& error) {
  constexpr int k_number_overflow = 406;
  JsonProblem problem;
  problem.column = position;
  if (error.id == k_number_overflow) {
    problem.kind = JsonProblem::Kind::number;
    problem.what = "a number must be within a 64-bit double, at most 1.79e308";
    return problem;
  }
  // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while …"
  std::string_view text = error.what();
  constexpr std::string_view k_at = "parse error at ";
  if (const auto at = text.find(k_at); at != std::string_view::npos) {
    text.remove_prefix(at + k_at.size());
  }
  const auto colon = text.find(": ");
  if (colon != std::string_view::npos) {
    problem.where = text.substr(0, colon);
    text.remove_prefix(colon + 2);
  }
  problem.what = base::escape_terminal(text.substr(0, k_max_problem_text));
  return problem;
}

nlohmann::detail::parse_error nul_error(std::string_view before) {
  nlohmann::detail::position_t place;
  const auto newline = before.rfind('\n');
  place.chars_read_total = before.size() + 1;
  place.chars_read_current_line =
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  place.lines_read = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  return nlohmann::detail::parse_error::create(101, place, "syntax error - a NUL byte", nullptr);
}

bool is_integer_literal(std::string_view literal) noexcept {
  return literal.find_first_not_of("-0123456789") == std::string_view::npos;
}

void append_number(std::string& out, std::int64_t value) {
  append_chars(out, value);
}
void append_number(std::string& out, std::uint64_t value) {
  append_chars(out, value);
}
void append_number(std::string& out, double value) {
  const auto start = out.size();
  append_chars(out, value);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

}  // namespace clawws::wire
