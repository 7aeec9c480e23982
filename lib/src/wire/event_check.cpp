// The second half of EventReader: the rules that an event is held to once its last brace has been
// read, and the making of its canonical form.
#include <algorithm>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "event_reader.hpp"
#include "quote.hpp"

namespace clawws::wire {
namespace {

using base::Errc;

constexpr std::size_t k_timestamp_bytes = 24;

// "a", "b" or "c"
std::string alternatives(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += in_quotes(words[i]);
  }
  return text;
}

}  // namespace

// Order of the questions: a type that --allow-type could never open gets the reason that is its
// own, and only a well-formed unknown one gets the hint about the flag.
bool EventReader::check_type(std::string_view& name, const TypeRule*& rule) {
  const auto refuse_type = [this](std::string message) {
    return refuse(Errc::invalid_event, event_path() + "/type", std::move(message));
  };
  if (type_kind_ == Kind::absent) return refuse_type("type is missing");
  name = canonical_type(type_);
  rule = find_type(name);
  if (rule != nullptr) return true;
  if (is_reserved_type(name)) {
    return refuse_type(in_quotes(name) + " is a message of the protocol itself, not an event");
  }
  if (!is_type_name(name)) {
    return refuse_type(in_quotes(name) +
                       " is not a type name: lower-case words joined by dots, such as "
                       "\"session.created\", at most 64 characters");
  }
  const auto& globs = rules_.allowed_globs;
  if (std::any_of(globs.begin(), globs.end(),
                  [&](const std::string& glob) { return glob_match(glob, name); })) {
    return true;
  }
  std::string message = "unknown type " + in_quotes(name);
  const auto near = base::nearest(name, builtin_types());
  message += near ? "; did you mean " + in_quotes(*near) + "?" : "";
  return refuse_type(message + " (the server takes further types with --allow-type)");
}

// Appends the event's time, or the request's when it brings none. Written anew in every case, so
// that all events of the log can be compared as text.
bool EventReader::check_timestamp(std::string& text) {
  std::int64_t millis = now_millis_;
  if (timestamp_kind_ != Kind::absent) {
    const auto given = base::parse_rfc3339(timestamp_);
    if (!given) {
      return refuse(Errc::invalid_event, event_path() + "/timestamp",
                    in_quotes(timestamp_) +
                        " is not an RFC 3339 time: " + given.error().message());
    }
    millis = *given;
  }
  const auto start = text.size();
  text.resize(start + k_timestamp_bytes);
  base::write_rfc3339(millis, text.data() + start);
  return true;
}

// `seen` holds canonical text, in which a word or a time has exactly one spelling; so they are
// compared as they stand between their quotes.
bool EventReader::check_member(const MemberRule& rule) {
  const Seen& what = seen(rule.member);
  const auto path = [&] { return event_path() + "/payload/" + std::string(name_of(rule.member)); };
  const auto wrong = [&](const std::string& wanted) {
    return refuse(Errc::invalid_event, path(),
                  "must be " + wanted + ", not " + std::string(word(what.kind)));
  };
  if (what.kind == Kind::absent) {
    if (rule.need == Need::required) {
      return refuse(Errc::invalid_event, path(),
                    "payload." + std::string(name_of(rule.member)) + " is missing");
    }
    if (rule.need == Need::expected) {
      parsed_.warnings.push_back(path() + ": is missing; ClawPanel's own page drops the event");
    }
    return true;
  }
  switch (rule.want) {
    case Want::string:
      return what.kind == Kind::string || wrong("a string");
    case Want::word: {
      if (what.kind != Kind::string) return wrong(alternatives(rule.words));
      const auto text = seen_text(what).substr(1, what.size - 2);
      if (std::find(rule.words.begin(), rule.words.end(), text) != rule.words.end()) return true;
      return refuse(Errc::invalid_event, path(),
                    "must be " + alternatives(rule.words) + ", not " + in_quotes(text));
    }
    case Want::integer:
      return what.kind == Kind::integer || what.kind == Kind::negative_integer ||
             wrong("an integer");
    case Want::count:
      return what.kind == Kind::integer || wrong("an integer of 0 or more");
    case Want::number:
      return what.kind == Kind::integer || what.kind == Kind::real ||
             wrong("a number of 0 or more");
    case Want::time: {
      if (what.kind != Kind::string) return wrong("an RFC 3339 string");
      const auto text = seen_text(what).substr(1, what.size - 2);
      if (base::parse_rfc3339(text)) return true;
      return refuse(Errc::invalid_event, path(), in_quotes(text) + " is not an RFC 3339 time");
    }
  }
  return true;
}

// Type first: without it no rule is known. Then in the order of the table.
bool EventReader::finish_event() {
  std::string_view name;
  const TypeRule* rule = nullptr;
  if (!check_type(name, rule)) return false;

  Event event;
  event.type = name;
  event.body.reserve(name.size() + k_timestamp_bytes + payload_.size() + 40);
  event.body += "{\"type\":\"";
  event.body += name;
  event.body += "\",\"timestamp\":\"";
  if (!check_timestamp(event.body)) return false;
  event.body += "\",\"payload\":";

  const auto is_needed = [](const MemberRule& member) { return member.need == Need::required; };
  if (payload_kind_ == Kind::absent) {
    if (rule != nullptr && std::any_of(rule->members.begin(), rule->members.end(), is_needed)) {
      return refuse(Errc::invalid_event, event_path() + "/payload", "payload is missing");
    }
    payload_ = "{}";
  }
  if (rule != nullptr) {
    for (const MemberRule& member : rule->members) {
      if (!check_member(member)) return false;
    }
  }
  event.body += payload_;
  if (event.body.size() + 1 > rules_.max_event_bytes) {
    return refuse(Errc::too_large, event_path(),
                  "the event is larger than " + base::format_size(rules_.max_event_bytes));
  }
  parsed_.events.push_back(std::move(event));
  return true;
}

}  // namespace clawws::wire
