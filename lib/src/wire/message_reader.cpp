#include "message_reader.hpp"

#include "clawws/wire/event.hpp"

namespace clawws::wire {
namespace {

struct NamedSlot {
  std::string_view name;
  MessageReader::Slot slot;
};
using Slot = MessageReader::Slot;

constexpr NamedSlot k_own[] = {
    {"type", Slot::type},       {"timestamp", Slot::timestamp}, {"payload", Slot::payload},
    {"seq", Slot::seq},         {"prev", Slot::prev},           {"since", Slot::top_since},
    {"types", Slot::top_types},
};
constexpr NamedSlot k_in_payload[] = {
    {"message", Slot::message}, {"userId", Slot::user_id},  {"server", Slot::server},
    {"epoch", Slot::epoch},     {"seq", Slot::payload_seq}, {"oldest", Slot::oldest},
    {"resumed", Slot::resumed}, {"lost", Slot::lost},       {"behind", Slot::behind},
    {"types", Slot::types},     {"since", Slot::since},     {"receivedAt", Slot::received_at},
    {"code", Slot::code},
};

template <std::size_t N>
Slot find_slot(const NamedSlot (&slots)[N], std::string_view name) noexcept {
  for (const NamedSlot& each : slots) {
    if (each.name == name) return each.slot;
  }
  return Slot::count_;
}

}  // namespace

bool MessageReader::read(std::string_view text) {
  return read_json(text, *this);
}

bool MessageReader::refuse(std::string why) {
  problem_ = std::move(why);
  return false;
}

// A value that stands where no slot is, deeper or under another name, is only counted by the guard.
MessageReader::Value* MessageReader::put(Kind kind) {
  guard_.value();
  accepted_ = true;
  if (guard_.depth() == 0) {
    accepted_ = refuse("a message is a JSON object");
    return nullptr;
  }
  // One element that is no string spoils the list for good: types[] of the wrong kind must not be
  // taken for a shorter filter.
  if (in_types_ && kind != Kind::string) {
    values_[static_cast<std::size_t>(Slot::types)].kind = Kind::other;
    return nullptr;
  }
  const bool has_slot = !in_types_ && slot_ != Slot::count_ &&
                        (guard_.depth() == 1 || (guard_.depth() == 2 && in_payload_));
  if (!has_slot) return nullptr;
  Value& value = values_[static_cast<std::size_t>(slot_)];
  value = Value{};
  value.kind = kind;
  return &value;
}

bool MessageReader::null() {
  put(Kind::null);
  return accepted_;
}

bool MessageReader::boolean(bool truth) {
  if (Value* value = put(Kind::boolean)) value->truth = truth;
  return accepted_;
}

bool MessageReader::number_integer(std::int64_t number) {
  if (Value* value = put(Kind::number)) append_number(value->text, number);
  return accepted_;
}

bool MessageReader::number_unsigned(std::uint64_t number) {
  if (Value* value = put(Kind::count)) {
    value->count = number;
    append_number(value->text, number);
  }
  return accepted_;
}

bool MessageReader::number_float(double number, const std::string& literal) {
  if (is_integer_literal(literal)) return refuse("an integer beyond 64 bits");
  if (Value* value = put(Kind::number)) append_number(value->text, number);
  return accepted_;
}

bool MessageReader::string(std::string& text) {
  if (Value* value = put(Kind::string)) {
    value->text = text;
  } else if (in_types_) {
    if (types_.size() < k_max_types) {
      types_.push_back(text);
    } else {
      // Counted on, not kept: a list of ten thousand must not cost ten thousand strings.
      too_many_types_ = true;
    }
  }
  return accepted_;
}

bool MessageReader::open(JsonGuard::Container kind) {
  const bool is_object = kind == JsonGuard::Container::object;
  if (guard_.depth() == 0) {
    if (!is_object) return refuse("a message is a JSON object");
  } else {
    if (guard_.depth() >= k_max_depth) {
      return refuse("nested deeper than " + std::to_string(k_max_depth));
    }
    const Slot slot = slot_;
    Value* value = put(Kind::other);
    if (value != nullptr && slot == Slot::payload && is_object) {
      value->kind = Kind::object;
      in_payload_ = true;
    } else if (value != nullptr && slot == Slot::types && !is_object) {
      value->kind = Kind::strings;
      types_.clear();
      in_types_ = true;
    }
  }
  guard_.open(kind);
  return true;
}

bool MessageReader::start_object(std::size_t) {
  return open(JsonGuard::Container::object);
}
bool MessageReader::start_array(std::size_t) {
  return open(JsonGuard::Container::array);
}

// Names count only where they belong: `seq` in the payload is not the message's own.
bool MessageReader::key(std::string& name) {
  guard_.key(name);
  if (guard_.depth() == 1) {
    slot_ = find_slot(k_own, name);
  } else if (guard_.depth() == 2 && in_payload_) {
    slot_ = find_slot(k_in_payload, name);
  } else {
    slot_ = Slot::count_;
  }
  return true;
}

bool MessageReader::close() {
  if (!guard_.close()) {
    return refuse("a second member of one name at " + guard_.duplicate_path());
  }
  if (guard_.depth() == 2) in_types_ = false;
  if (guard_.depth() == 1) in_payload_ = false;
  return true;
}

bool MessageReader::parse_error(std::size_t position, const std::string&,
                                const nlohmann::detail::exception& error) {
  JsonProblem found = json_problem(position, error);
  if (found.kind == JsonProblem::Kind::number) return refuse(std::move(found.what));
  return refuse("not JSON at byte " + std::to_string(found.column) + ": " + found.what);
}

}  // namespace clawws::wire
