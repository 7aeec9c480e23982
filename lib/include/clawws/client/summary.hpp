// What the five built-in event types say to a person: the subject (which agent, which job) and the
// details in the order of interest. Pure; the texts come escaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace clawws::client {

enum class Mood : std::uint8_t { plain, good, warning, bad };

// What gives way on a narrow screen: long texts first, then ids, and what a person looks for (how
// it ended, how long it took) never.
enum class Weight : std::uint8_t { text, id, key };

struct Detail {
  std::string text;
  Mood mood = Mood::plain;
  Weight weight = Weight::text;
};

struct Summary {
  std::string subject;
  std::vector<Detail> details;
  Mood mood = Mood::plain;  // bad: the whole line is an error
};

// `text`: the event's JSON. Of an unknown type, or a payload that is not what the type says, the
// compact payload is the one detail.
Summary summarize(std::string_view type, std::string_view text);

}  // namespace clawws::client
