#include "event_reader.hpp"

#include <algorithm>

#include "clawws/base/time.hpp"

namespace clawws::wire {

using base::Errc;

bool EventReader::read(std::string_view text, std::string prefix, std::size_t line) {
  prefix_ = std::move(prefix);
  line_ = line;
  outer_ = 0;
  event_pointer_.clear();
  guard_.clear();
  return read_json(text, *this);
}

// The first problem ends the reading: what comes first in the text is what a person hears of, be it
// JSON or a rule.
bool EventReader::refuse(Errc code, std::string path, std::string message) {
  problem_ = {code, std::move(path), std::move(message)};
  return false;
}

bool EventReader::refuse_here(std::string message) {
  return refuse(Errc::invalid_event, prefix_ + guard_.path(), std::move(message));
}

std::string_view EventReader::word(Kind kind) noexcept {
  switch (kind) {
    case Kind::absent:
      return "nothing";
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "a boolean";
    case Kind::string:
      return "a string";
    case Kind::integer:
      return "an integer";
    case Kind::negative_integer:
      return "a negative integer";
    case Kind::real:
      return "a number with a fraction";
    case Kind::negative_real:
      return "a negative number";
    case Kind::object:
      return "an object";
    case Kind::array:
      return "an array";
  }
  return "";
}

// Before every value: its place, its kind where a rule may ask for it, its comma.
bool EventReader::announce(Kind kind) {
  guard_.value();
  switch (event_depth()) {
    case 0:
      if (kind == Kind::object || (kind == Kind::array && guard_.depth() == 0)) return true;
      return refuse_here("an event is a JSON object, not " + std::string(word(kind)));
    case 1:
      if (slot_ == Slot::type) {
        type_kind_ = kind;
        if (kind != Kind::string)
          return refuse_here("must be a string, not " + std::string(word(kind)));
      } else if (slot_ == Slot::timestamp) {
        timestamp_kind_ = kind;
        if (kind != Kind::string) {
          return refuse_here(
              "must be an RFC 3339 string such as \"2026-02-21T14:30:00.000Z\", not " +
              std::string(word(kind)));
        }
      } else {
        payload_kind_ = kind;
        if (kind != Kind::object) {
          return refuse_here("must be an object, not " + std::string(word(kind)));
        }
      }
      return true;
    default:
      if (member_ != nullptr) member_->kind = kind;
      if (guard_.in_array() && !guard_.is_first()) payload_ += ',';
      return true;
  }
}

// Called after each piece of payload, so that an event that is too large costs no more than the
// limit, however large the request.
bool EventReader::written() {
  if (payload_.size() <= rules_.max_event_bytes) return true;
  return refuse(Errc::too_large, event_path(),
                "the event is larger than " + base::format_size(rules_.max_event_bytes));
}

// `text` is the value's canonical form. In the event's own members it is not needed: string() has
// kept them already.
bool EventReader::scalar(Kind kind, std::string_view text) {
  if (!announce(kind)) return false;
  if (event_depth() < 2) return true;
  if (member_ != nullptr) {
    member_->offset = payload_.size();
    member_->size = text.size();
    member_ = nullptr;
  }
  payload_ += text;
  return written();
}

bool EventReader::null() {
  return scalar(Kind::null, "null");
}
bool EventReader::boolean(bool value) {
  return scalar(Kind::boolean, value ? "true" : "false");
}

// The parser calls this for negative integers only; zero with a sign comes here as well.
bool EventReader::number_integer(std::int64_t value) {
  scratch_.clear();
  append_number(scratch_, value);
  return scalar(value < 0 ? Kind::negative_integer : Kind::integer, scratch_);
}

bool EventReader::number_unsigned(std::uint64_t value) {
  scratch_.clear();
  append_number(scratch_, value);
  return scalar(Kind::integer, scratch_);
}

bool EventReader::number_float(double value, const std::string& literal) {
  if (is_integer_literal(literal)) {
    guard_.value();
    return refuse_here("an integer must be from -9223372036854775808 to 18446744073709551615");
  }
  scratch_.clear();
  append_number(scratch_, value);
  return scalar(value < 0 ? Kind::negative_real : Kind::real, scratch_);
}

bool EventReader::string(std::string& value) {
  if (event_depth() == 1) {
    if (!announce(Kind::string)) return false;
    (slot_ == Slot::type ? type_ : timestamp_) = value;
    return true;
  }
  scratch_.clear();
  append_json_string(scratch_, value);
  return scalar(Kind::string, scratch_);
}

bool EventReader::open(Kind kind) {
  if (!announce(kind)) return false;
  const bool is_object = kind == Kind::object;
  if (event_depth() == 0) {
    if (!is_object) {
      if (batch_ == Batch::refused) return refuse_here("one event a line, not an array");
      guard_.open(JsonGuard::Container::array);
      outer_ = 1;
      return true;
    }
    if (parsed_.events.size() >= rules_.max_batch) {
      return refuse(Errc::too_large, "",
                    "more than " + base::format_count(rules_.max_batch) +
                        " events in one request; send them in several");
    }
    begin_event();
  } else {
    if (event_depth() >= rules_.max_depth) {
      return refuse_here("nested deeper than " + std::to_string(rules_.max_depth));
    }
    payload_ += is_object ? '{' : '[';
    member_ = nullptr;
  }
  guard_.open(is_object ? JsonGuard::Container::object : JsonGuard::Container::array);
  return event_depth() < 2 || written();
}

bool EventReader::start_object(std::size_t) {
  return open(Kind::object);
}
bool EventReader::start_array(std::size_t) {
  return open(Kind::array);
}

// A member that is neither of the three is refused by name: dropping it, or keeping it where no
// reader looks, would lose data that a publisher believes to have sent.
bool EventReader::key(std::string& name) {
  guard_.key(name);
  if (event_depth() == 1) {
    if (name == "type") {
      slot_ = Slot::type;
    } else if (name == "timestamp") {
      slot_ = Slot::timestamp;
    } else if (name == "payload") {
      slot_ = Slot::payload;
      payload_.clear();
    } else if (name == "seq") {
      return refuse_here("the server gives each event its seq; leave it out");
    } else {
      return refuse_here("an event has type, timestamp and payload; put further data into payload");
    }
    return true;
  }
  if (!guard_.is_first()) payload_ += ',';
  append_json_string(payload_, name);
  payload_ += ':';
  if (event_depth() == 2) {
    const auto found = std::find(k_member_names.begin(), k_member_names.end(), name);
    member_ = found == k_member_names.end()
                  ? nullptr
                  : &seen_[static_cast<std::size_t>(found - k_member_names.begin())];
  }
  return written();
}

bool EventReader::close() {
  if (guard_.close()) return true;
  return refuse(Errc::invalid_event, prefix_ + guard_.duplicate_path(),
                "a second member of this name in one object");
}

bool EventReader::end_object() {
  if (!close()) return false;
  if (event_depth() == 0) return finish_event();
  payload_ += '}';
  return written();
}

bool EventReader::end_array() {
  if (!close()) return false;
  if (guard_.depth() == 0) return true;
  payload_ += ']';
  return written();
}

bool EventReader::parse_error(std::size_t position, const std::string&,
                              const nlohmann::detail::exception& error) {
  const JsonProblem found = json_problem(position, error);
  if (found.kind == JsonProblem::Kind::number) {
    guard_.value();
    return refuse_here(found.what);
  }
  // For a line of NDJSON the parser's own count of lines is always 1.
  if (line_ == 0) {
    return refuse(Errc::invalid_json, "", "not JSON at " + found.where + ": " + found.what);
  }
  return refuse(Errc::invalid_json, prefix_,
                "not JSON at line " + std::to_string(line_) + ", column " +
                    std::to_string(found.column) + ": " + found.what);
}

// The buffers keep their capacity: in a long batch an event costs one allocation for its body.
void EventReader::begin_event() {
  event_pointer_ = guard_.path();
  type_kind_ = timestamp_kind_ = payload_kind_ = Kind::absent;
  payload_.clear();
  seen_.fill({});
  member_ = nullptr;
}

ParseResult parse_events_json(std::string_view bytes, const EventRules& rules,
                              std::int64_t now_millis) {
  EventReader reader(rules, now_millis, EventReader::Batch::allowed);
  if (!reader.read(bytes, "", 0)) return std::move(reader.problem());
  if (reader.parsed().events.empty()) {
    return EventProblem{Errc::invalid_event, "", "the array holds no event"};
  }
  return std::move(reader.parsed());
}

ParseResult parse_events_ndjson(std::string_view bytes, const EventRules& rules,
                                std::int64_t now_millis) {
  EventReader reader(rules, now_millis, EventReader::Batch::refused);
  std::size_t line_number = 0;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    auto line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto prefix = '/' + std::to_string(reader.parsed().events.size());
    if (!reader.read(line, std::move(prefix), line_number)) return std::move(reader.problem());
  }
  if (reader.parsed().events.empty()) {
    return EventProblem{Errc::invalid_event, "", "no line holds an event"};
  }
  return std::move(reader.parsed());
}

}  // namespace clawws::wire
