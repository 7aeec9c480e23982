// Reads one message of the protocol (not an event) by SAX into a fixed set of slots: the members of
// the message and of its payload that some message has. What it does not know it passes over, with
// the same limits: nesting, duplicate members. Internal to wire; used for one text, on one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json_guard.hpp"

namespace clawws::wire {

class MessageReader {
 public:
  static constexpr std::size_t k_max_depth = 32;

  enum class Kind : std::uint8_t {
    absent,
    null,
    boolean,
    string,
    count,
    number,
    object,
    strings,
    other
  };
  struct Value {
    Kind kind = Kind::absent;
    bool truth = false;       // boolean
    std::uint64_t count = 0;  // count: an integer of 0 to 2^64-1
    std::string text;         // string: decoded; count, number: canonical JSON
    bool is(Kind k) const noexcept { return kind == k; }
  };
  enum class Slot : std::uint8_t {
    // the message's own
    type,
    timestamp,
    payload,
    seq,
    prev,
    top_since,
    top_types,
    // its payload's
    message,
    user_id,
    server,
    epoch,
    payload_seq,
    oldest,
    resumed,
    lost,
    behind,
    received_at,
    types,
    since,
    code,
    count_
  };

  // False when the text is not a JSON object within the limits; problem() says why.
  bool read(std::string_view text);
  const Value& operator[](Slot slot) const noexcept {
    return values_[static_cast<std::size_t>(slot)];
  }
  // The payload's `types` when it is a list of strings (Kind::strings), at most k_max_types of
  // them.
  static constexpr std::size_t k_max_types = 64;
  const std::vector<std::string>& types() const noexcept { return types_; }
  bool has_too_many_types() const noexcept { return too_many_types_; }
  const std::string& problem() const noexcept { return problem_; }

  // What nlohmann's SAX parser calls; false ends it.
  bool null();
  bool boolean(bool value);
  bool number_integer(std::int64_t value);
  bool number_unsigned(std::uint64_t value);
  bool number_float(double value, const std::string& literal);
  bool string(std::string& value);
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t);
  bool key(std::string& name);
  bool end_object() { return close(); }
  bool start_array(std::size_t);
  bool end_array() { return close(); }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error);

 private:
  bool refuse(std::string why);
  // Announces a value and returns its slot to fill, or nullptr when it has none; then accepted_
  // says whether to go on.
  Value* put(Kind kind);
  bool open(JsonGuard::Container kind);
  bool close();

  JsonGuard guard_;
  std::array<Value, static_cast<std::size_t>(Slot::count_)> values_;
  std::vector<std::string> types_;
  std::string problem_;
  Slot slot_ = Slot::count_;  // of the newest name; count_: none
  bool in_payload_ = false;
  bool in_types_ = false;
  bool too_many_types_ = false;
  bool accepted_ = true;
};

}  // namespace clawws::wire
