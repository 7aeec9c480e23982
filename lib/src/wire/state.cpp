#include "clawws/wire/state.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "event_table.hpp"

namespace clawws::wire {

namespace {

constexpr std::size_t k_max_key_bytes = 256;
constexpr std::size_t k_max_member_bytes = 1'024;
constexpr std::string_view k_gateway_key = "gateway";
constexpr std::string_view k_list_names[] = {"sessions", "agents", "cronJobs"};

enum class Effect : std::uint8_t { set, remove };

struct Fold {
  std::string_view type;
  StateKind kind;
  Effect effect;
  std::string_view key;  // the payload's member; empty: there is one record
};

constexpr Fold k_folds[] = {
    {"session.created", StateKind::session, Effect::set, name_of(Member::session_key)},
    {"session.killed", StateKind::session, Effect::remove, name_of(Member::session_key)},
    {"agent.status", StateKind::agent, Effect::set, name_of(Member::agent_id)},
    {"cron.executed", StateKind::cron_job, Effect::set, name_of(Member::job_id)},
    {"gateway.status", StateKind::gateway, Effect::set, {}},
};

const Fold* find_fold(std::string_view type) noexcept {
  const auto found = std::find_if(std::begin(k_folds), std::end(k_folds), [&](const Fold& fold) { return fold.type == type; });
  return found == std::end(k_folds) ? nullptr : found;
}

bool is_kept(std::string_view type, std::string_view member) noexcept {
  if (member == name_of(Member::stdout_text) || member == name_of(Member::stderr_text)) return false;
  const auto members = find_type(type)->members;
  return std::any_of(members.begin(), members.end(), [&](const MemberRule& rule) { return name_of(rule.member) == member; });
}

// Reads the members of an object in canonical JSON: no white space, and known to be JSON, so that
// only strings and depth have to be followed. Whatever else it is given, it stays inside the text.
class Members {
 public:
  explicit Members(std::string_view object) noexcept : rest_(object) {
    if (!rest_.empty() && rest_.front() == '{') rest_.remove_prefix(1);
    else rest_ = {};
  }
  // The next member: its name without quotes, its value's text.
  bool next(std::string_view& name, std::string_view& value) noexcept {
    if (!rest_.empty() && rest_.front() == ',') rest_.remove_prefix(1);
    const std::size_t name_end = value_end();
    if (name_end < 2 || rest_.front() != '"' || name_end >= rest_.size() || rest_[name_end] != ':') return false;
    name = rest_.substr(1, name_end - 2);
    rest_.remove_prefix(name_end + 1);
    const std::size_t end = value_end();
    if (end == 0) return false;
    value = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
  }

 private:
  // The length of the value that rest_ begins with: up to the ',', ':' or bracket that ends it.
  std::size_t value_end() const noexcept {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (in_string) {
        if (c == '\\') ++i;
        else if (c == '"') in_string = false;
      } else if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return i;
        --depth;
      } else if ((c == ',' || c == ':') && depth == 0) {
        return i;
      }
    }
    return in_string || depth > 0 ? 0 : rest_.size();
  }

  std::string_view rest_;
};

void add_member(std::string& record, std::string_view name, std::string_view value) {
  record += record.empty() ? '{' : ',';
  record.append("\"").append(name).append("\":").append(value);
}

std::string whole(std::string_view record, std::uint64_t seq) {
  return std::string(record) + ",\"seq\":" + std::to_string(seq) + "}";
}

}  // namespace

std::optional<StateRow> fold_event(std::uint64_t seq, std::string_view type, std::string_view body) {
  const Fold* fold = find_fold(type);
  if (fold == nullptr) return std::nullopt;
  std::string_view name, value, timestamp, payload;
  for (Members members(body); members.next(name, value);) {
    if (name == "timestamp") timestamp = value;
    if (name == "payload") payload = value;
  }
  StateRow row{fold->kind, std::string(fold->key.empty() ? k_gateway_key : std::string_view()), seq, {}};
  for (Members members(payload); members.next(name, value);) {
    if (!fold->key.empty() && name == fold->key && value.size() > 2) row.key = value.substr(1, value.size() - 2);
    if (value.size() <= k_max_member_bytes && is_kept(type, name)) add_member(row.record, name, value);
  }
  if (row.key.empty() || row.key.size() > k_max_key_bytes) return std::nullopt;
  if (fold->effect == Effect::remove) {
    row.record.clear();
  } else {
    add_member(row.record, "timestamp", timestamp);
  }
  return row;
}

std::vector<StateRow> State::plan(std::uint64_t first, std::span<const Event> events) const {
  std::vector<StateRow> rows;
  std::array<std::unordered_map<std::string, std::size_t>, k_state_kinds> places;
  for (const Event& event : events) {
    std::optional<StateRow> row = fold_event(first++, event.type, event.body);
    if (!row) continue;
    const auto [place, is_new] = places[static_cast<std::size_t>(row->kind)].emplace(row->key, rows.size());
    if (is_new) {
      rows.push_back(std::move(*row));
    } else {
      rows[place->second] = std::move(*row);
    }
  }
  // What came and went within the batch, or was never there, leaves no trace.
  rows.erase(std::remove_if(rows.begin(), rows.end(),
                            [this](const StateRow& row) { return row.record.empty() && part(row.kind).by_key.count(row.key) == 0; }),
             rows.end());
  for (std::size_t kind = 0; kind < k_state_kinds; ++kind) make_room(static_cast<StateKind>(kind), rows);
  return rows;
}

void State::make_room(StateKind kind, std::vector<StateRow>& rows) const {
  const Part& there = part(kind);
  const std::size_t limit = limits_[static_cast<std::size_t>(kind)];
  std::size_t count = there.by_key.size();
  std::unordered_set<std::string_view> touched;
  for (const StateRow& row : rows) {
    if (row.kind != kind) continue;
    touched.insert(row.key);
    const bool known = there.by_key.count(row.key) != 0;
    if (row.record.empty()) --count;
    else if (!known) ++count;
  }
  if (count <= limit) return;
  std::vector<StateRow> gone;
  for (auto oldest = there.by_seq.begin(); oldest != there.by_seq.end() && count > limit; ++oldest) {
    if (touched.count(*oldest->second) != 0) continue;
    gone.push_back({kind, *oldest->second, oldest->first, {}});
    --count;
  }
  // The batch alone has more than there is room for: its own oldest go, too.
  std::vector<StateRow*> own;
  for (StateRow& row : rows) {
    if (row.kind == kind && !row.record.empty()) own.push_back(&row);
  }
  std::sort(own.begin(), own.end(), [](const StateRow* a, const StateRow* b) { return a->seq < b->seq; });
  for (auto row = own.begin(); row != own.end() && count > limit; ++row, --count) (*row)->record.clear();
  rows.insert(rows.end(), std::make_move_iterator(gone.begin()), std::make_move_iterator(gone.end()));
}

void State::apply(std::span<const StateRow> rows) {
  for (const StateRow& row : rows) {
    Part& to = parts_[static_cast<std::size_t>(row.kind)];
    const auto known = to.by_key.find(row.key);
    if (known != to.by_key.end()) to.by_seq.erase(known->second.seq);
    if (row.record.empty()) {
      if (known != to.by_key.end()) to.by_key.erase(known);
      continue;
    }
    const auto place = to.by_key.insert_or_assign(row.key, Record{row.seq, row.record}).first;
    to.by_seq.emplace(row.seq, &place->first);
  }
}

bool State::truncated() const noexcept {
  for (const StateKind kind : {StateKind::session, StateKind::agent, StateKind::cron_job}) {
    if (count(kind) >= limits_[static_cast<std::size_t>(kind)]) return true;
  }
  return false;
}

std::string State::to_json(std::string_view epoch, std::uint64_t seq) const {
  std::string out = "{\"position\":" + json_string(std::string(epoch) + ":" + std::to_string(seq));
  const auto add = [&out](const Part& from) {
    const char* separator = "";
    for (const auto& [at, key] : from.by_seq) {
      out.append(separator).append(whole(from.by_key.find(*key)->second.text, at));
      separator = ",";
    }
  };
  for (const StateKind kind : {StateKind::session, StateKind::agent, StateKind::cron_job}) {
    out.append(",\"").append(k_list_names[static_cast<std::size_t>(kind)]).append("\":[");
    add(part(kind));
    out += "]";
  }
  out += ",\"gateway\":";
  if (count(StateKind::gateway) == 0) out += "null";
  add(part(StateKind::gateway));
  out += truncated() ? ",\"truncated\":true}" : ",\"truncated\":false}";
  return out;
}

std::vector<std::string> State::records(StateKind kind) const {
  std::vector<std::string> all;
  const Part& from = part(kind);
  for (auto record = from.by_seq.rbegin(); record != from.by_seq.rend(); ++record) {
    all.push_back(whole(from.by_key.find(*record->second)->second.text, record->first));
  }
  return all;
}

base::Result<ToldState> parse_state(std::string_view json) {
  using Json = nlohmann::ordered_json;
  const base::Error wrong(base::Errc::protocol, "the server's state is not what clawws-protocol(7) says");
  const Json told = Json::parse(json, nullptr, false);
  if (!told.is_object() || !told.contains("position") || !told["position"].is_string()) return wrong;
  base::Result<Position> position = parse_position(told["position"].get<std::string>());
  if (!position) return wrong;
  ToldState result{std::move(*position), State()};
  std::vector<StateRow> rows;
  const auto add = [&rows](StateKind kind, std::string_view key_name, const Json& record) {
    if (!record.is_object() || !record.contains("seq") || !record["seq"].is_number_unsigned()) return false;
    StateRow row{kind, std::string(k_gateway_key), record["seq"].get<std::uint64_t>(), {}};
    if (!key_name.empty()) {
      const auto key = record.find(std::string(key_name));
      if (key == record.end() || !key->is_string()) return false;
      const std::string quoted = json_string(key->get<std::string>());  // as the fold sees it
      row.key = quoted.substr(1, quoted.size() - 2);
    }
    Json rest = record;
    rest.erase("seq");
    row.record = rest.dump(-1, ' ', false, Json::error_handler_t::replace);
    row.record.pop_back();
    rows.push_back(std::move(row));
    return true;
  };
  for (const Fold& fold : k_folds) {
    if (fold.effect == Effect::remove) continue;
    if (fold.kind == StateKind::gateway) {
      if (!told.contains("gateway")) return wrong;
      if (!told["gateway"].is_null() && !add(fold.kind, {}, told["gateway"])) return wrong;
      continue;
    }
    const auto list = told.find(std::string(k_list_names[static_cast<std::size_t>(fold.kind)]));
    if (list == told.end() || !list->is_array()) return wrong;
    for (const Json& record : *list) {
      if (!add(fold.kind, fold.key, record)) return wrong;
    }
  }
  result.state.apply(rows);
  return result;
}

}  // namespace clawws::wire
