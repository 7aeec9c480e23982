// What every reader of foreign JSON in this layer shares: the place (as a JSON pointer), the depth
// and the check for duplicate members, fed by the events of nlohmann's SAX parser. No DOM is ever
// built, so hostile text costs time linear in its size (times log n for the names of an object) and
// memory of the order of its names. Owned by one reader, used on one thread; internal to wire.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace clawws::wire {

class JsonGuard {
 public:
  enum class Container : std::uint8_t { object, array };

  // Call order, as the parser goes: value() before each scalar and before open(); key() before a
  // member's value. close() returns false when the object has two members of one name; the
  // container stays open then and duplicate_path() says which.
  void value();
  void open(Container kind);
  void key(std::string_view name);
  bool close();

  // Containers that are open.
  std::size_t depth() const noexcept { return levels_.size(); }
  // True exactly for the first value or key since the innermost open container was opened.
  bool is_first() const noexcept { return levels_.back().count == 1; }
  bool in_array() const noexcept {
    return !levels_.empty() && levels_.back().kind == Container::array;
  }
  // JSON pointer of the value that value() or key() announced last, "" for the whole text. Names
  // are cut to 64 bytes.
  std::string path() const { return path_of(levels_.size()); }
  std::string duplicate_path() const;
  void clear() noexcept;

 private:
  struct Name {
    std::uint32_t offset, size;
  };
  struct Level {
    Container kind;
    std::uint32_t first_name;  // index into names_
    std::uint32_t first_byte;  // index into bytes_
    std::uint32_t count = 0;   // values of an array, members of an object
  };
  std::string_view text(const Name& name) const noexcept {
    return std::string_view(bytes_).substr(name.offset, name.size);
  }
  std::string path_of(std::size_t levels) const;

  std::vector<Level> levels_;
  std::vector<Name> names_;  // of the open objects, in the order in which they came
  std::string bytes_;        // their text, end to end
  Name duplicate_{0, 0};
};

// What the SAX parser found wrong, in our words.
struct JsonProblem {
  enum class Kind : std::uint8_t { syntax, number } kind = Kind::syntax;
  std::size_t column = 0;  // bytes from the start of the text, from 1
  std::string where;       // "line 1, column 5"
  std::string what;        // harmless on a terminal, cut to 200 bytes
};
JsonProblem json_problem(std::size_t position, const nlohmann::detail::exception& error);
// As the parser itself would report a NUL after `before`.
nlohmann::detail::parse_error nul_error(std::string_view before);

// Runs `reader` over the whole of `text`. A NUL is refused here, since nlohmann takes it for the
// end of input and would ignore what follows.
template <class Reader>
bool read_json(std::string_view text, Reader& reader) {
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return reader.parse_error(nul + 1, "", nul_error(text.substr(0, nul)));
  }
  return nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &reader);
}

// True for the literal of an integer. The parser hands one that does not fit into 64 bits to
// number_float(), which would change its value.
bool is_integer_literal(std::string_view literal) noexcept;

void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, std::uint64_t value);
// The shortest text that reads back as the same double, always with a '.' or an exponent, so that
// it stays a double.
void append_number(std::string& out, double value);

}  // namespace clawws::wire
