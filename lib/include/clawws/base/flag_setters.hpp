// What flag tables are made of: one row, and the setters for the usual kinds of value. Each setter
// keeps a reference to the field that it fills, which must outlive the table. Header-only; used
// where tables are built (base/flags.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clawws/base/flags.hpp"
#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"

namespace clawws::base::setters {

using Setter = std::function<Result<void>(std::string_view)>;

template <class Field>
Setter duration(Field& field, Millis least) {
  return [&field, least](std::string_view text) -> Result<void> {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    if (*value < least) return Error(Errc::usage, "at least " + duration_flag_text(least));
    field = *value;
    return {};
  };
}

template <class Field>
Setter count(Field& field, std::uint64_t least, std::uint64_t most) {
  return [&field, least, most](std::string_view text) -> Result<void> {
    const auto value = parse_count(text);
    if (!value) return value.error();
    if (*value < least || *value > most)
      return Error(Errc::usage, std::to_string(least) + " to " + format_count(most));
    field = static_cast<typename Field::value_type>(*value);
    return {};
  };
}

template <class Field>
Setter text(Field& field) {
  return [&field](std::string_view value) -> Result<void> {
    if (value.empty()) return Error(Errc::usage, "must not be empty");
    field = std::string(value);
    return {};
  };
}

template <class Field, class Value>
Setter constant(Field& field, Value value) {
  return [&field, value](std::string_view) -> Result<void> {
    field = value;
    return {};
  };
}

template <class Value>
struct Word {
  const char* name;
  Value value;
};

template <class Field, class Value>
Setter one_of(Field& field, std::vector<Word<Value>> words) {
  return [&field, words = std::move(words)](std::string_view text) -> Result<void> {
    std::string list;
    std::vector<std::string> names;
    for (const auto& word : words) {
      if (text == word.name) {
        field = word.value;
        return {};
      }
      names.emplace_back(word.name);
      list += (list.empty() ? "" : ", ") + names.back();
    }
    const auto meant = nearest(text, names);
    return Error(Errc::usage, "one of " + list + (meant ? "; did you mean " + *meant + "?" : ""));
  };
}

inline Flag flag(const char* name, char letter, const char* value_name, const char* group,
                 const char* help, const char* default_text, Setter set) {
  Flag out;
  out.name = name;
  out.letter = letter;
  out.kind = *value_name == '\0' ? FlagKind::toggle : FlagKind::value;
  out.value_name = value_name;
  out.group = group;
  out.help = help;
  out.default_text = default_text;
  out.set = std::move(set);
  return out;
}

}  // namespace clawws::base::setters
