// Checks a JSON document against a JSON Schema, as far as the project's own schemas use that
// language: type, const, enum, pattern, minimum, required, properties, additionalProperties, items,
// oneOf, $ref into $defs. A schema that uses anything else is reported, so that nothing is passed
// over.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

namespace clawws::test {

class JsonSchema {
 public:
  explicit JsonSchema(nlohmann::json schema) : root_(std::move(schema)) {}

  // What does not hold, with its place: "/plan/rate: not of type number". Empty: all holds.
  std::vector<std::string> problems(const nlohmann::json& document) const {
    std::vector<std::string> found;
    check(root_, document, "", found);
    return found;
  }

 private:
  using Json = nlohmann::json;
  using Problems = std::vector<std::string>;

  static bool is_of(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    return type == "number" && value.is_number();
  }

  void check(const Json& schema, const Json& value, const std::string& at, Problems& found) const {
    for (const auto& [word, rule] : schema.items())
      check_word(word, rule, schema, value, at, found);
  }

  void check_word(const std::string& word, const Json& rule, const Json& schema, const Json& value,
                  const std::string& at, Problems& found) const {
    const auto complain = [&](const std::string& what) { found.push_back(at + ": " + what); };
    if (word == "$ref") {
      check(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, at, found);
    } else if (word == "oneOf") {
      check_one_of(rule, value, at, found);
    } else if (word == "type") {
      bool fits = false;
      for (const Json& type : rule.is_array() ? rule : Json::array({rule}))
        fits = fits || is_of(value, type.get<std::string>());
      if (!fits) complain("not of type " + rule.dump());
    } else if (word == "const") {
      if (value != rule) complain("not " + rule.dump());
    } else if (word == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end())
        complain(value.dump() + " is none of " + rule.dump());
    } else if (word == "pattern") {
      if (!std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>())))
        complain("does not match " + rule.dump());
    } else if (word == "minimum") {
      if (value.is_number() && value < rule) complain("less than " + rule.dump());
    } else if (word == "required") {
      for (const Json& name : rule)
        if (value.is_object() && !value.contains(name.get<std::string>()))
          complain("no member " + name.dump());
    } else if (word == "properties") {
      if (value.is_object()) check_members(rule, schema, value, at, found);
    } else if (word == "items") {
      for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
        check(rule, value[i], at + "/" + std::to_string(i), found);
    } else if (word != "description" && word != "title" && word != "$schema" && word != "$id" &&
               word != "$defs" && word != "additionalProperties") {
      complain("the schema's word " + word + " is not known to this check");
    }
  }

  // Of several that do not fit, the one that was probably meant has the fewest problems.
  void check_one_of(const Json& branches, const Json& value, const std::string& at,
                    Problems& found) const {
    std::vector<Problems> all;
    for (const Json& branch : branches) {
      all.emplace_back();
      check(branch, value, at, all.back());
    }
    const auto fitting = std::count_if(all.begin(), all.end(),
                                       [](const Problems& problems) { return problems.empty(); });
    if (fitting == 1) return;
    if (fitting > 1) {
      found.push_back(at + ": fits more than one of oneOf");
      return;
    }
    const auto least =
        std::min_element(all.begin(), all.end(),
                         [](const Problems& a, const Problems& b) { return a.size() < b.size(); });
    found.insert(found.end(), least->begin(), least->end());
  }

  void check_members(const Json& rules, const Json& schema, const Json& value,
                     const std::string& at, Problems& found) const {
    const bool is_closed = schema.value("additionalProperties", true) == false;
    for (const auto& [name, member] : value.items()) {
      if (rules.contains(name))
        check(rules.at(name), member, at + "/" + name, found);
      else if (is_closed)
        found.push_back(at + ": has a member " + name + " that the schema does not name");
    }
  }

  Json root_;
};

}  // namespace clawws::test
