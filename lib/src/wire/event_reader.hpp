// Reads events from JSON text by SAX and writes their canonical form as it goes; no DOM. One reader
// serves one request: its buffers are kept from event to event. Not thread-safe; internal to wire.
//
//   text --nlohmann SAX--> EventReader --JsonGuard: depth, duplicates, pointer
//                              |  type, timestamp: kept as text
//                              |  payload: canonical text, and what was seen of the table's members
//                              '- at the event's last brace: the table's rules, then Event::body
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "clawws/wire/event.hpp"
#include "event_table.hpp"
#include "json_guard.hpp"

namespace clawws::wire {

class EventReader {
 public:
  enum class Batch : std::uint8_t { allowed, refused };  // an array of events instead of one

  EventReader(const EventRules& rules, std::int64_t now_millis, Batch batch)
      : rules_(rules), now_millis_(now_millis), batch_(batch) {}

  // Reads one JSON text and adds its events to parsed(). `prefix` comes before every pointer;
  // `line` (0: none) is named in the message about broken JSON. False: problem() says why.
  bool read(std::string_view text, std::string prefix, std::size_t line);
  ParsedEvents& parsed() noexcept { return parsed_; }
  EventProblem& problem() noexcept { return problem_; }

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
  bool end_object();
  bool start_array(std::size_t);
  bool end_array();
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error);

 private:
  enum class Kind : std::uint8_t {
    absent,
    null,
    boolean,
    string,
    integer,
    negative_integer,
    real,
    negative_real,
    object,
    array
  };
  // A member of the table as it was seen: its kind, and where its text is in payload_.
  struct Seen {
    Kind kind = Kind::absent;
    std::size_t offset = 0, size = 0;
  };
  enum class Slot : std::uint8_t { type, timestamp, payload };

  // Depth inside the event: 0 outside, 1 among its own members, 2 and more in the payload.
  std::size_t event_depth() const noexcept { return guard_.depth() - outer_; }
  bool refuse(base::Errc code, std::string path, std::string message);
  bool refuse_here(std::string message);
  bool announce(Kind kind);
  bool scalar(Kind kind, std::string_view text);
  bool written();
  bool open(Kind kind);
  bool close();
  void begin_event();
  bool finish_event();
  bool check_type(std::string_view& name, const TypeRule*& rule);
  bool check_timestamp(std::string& text);
  bool check_member(const MemberRule& rule);
  const Seen& seen(Member member) const noexcept { return seen_[static_cast<std::size_t>(member)]; }
  std::string_view seen_text(const Seen& what) const noexcept {
    return std::string_view(payload_).substr(what.offset, what.size);
  }
  std::string event_path() const { return prefix_ + event_pointer_; }
  static std::string_view word(Kind kind) noexcept;

  const EventRules& rules_;
  std::int64_t now_millis_;
  Batch batch_;
  ParsedEvents parsed_;
  EventProblem problem_{base::Errc::internal, {}, {}};
  std::string prefix_;
  std::size_t line_ = 0;
  JsonGuard guard_;
  std::size_t outer_ = 0;      // 1 inside a batch's array
  std::string event_pointer_;  // "/2" inside a batch

  // Of the event that is being read.
  Slot slot_ = Slot::type;
  Kind type_kind_ = Kind::absent, timestamp_kind_ = Kind::absent, payload_kind_ = Kind::absent;
  std::string type_, timestamp_, payload_, scratch_;
  std::array<Seen, k_member_names.size()> seen_;
  Seen* member_ = nullptr;  // the table's member whose value comes next
};

}  // namespace clawws::wire
