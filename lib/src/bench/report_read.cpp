// The reverse of report_json.cpp; a test holds the two together by writing, reading and comparing
// what the other reports say of both.
//
// A member that is missing or of another type ends the reading wherever it is found; that is an
// exception inside this file and an Error at its border.
#include "clawws/bench/report_read.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/report.hpp"

namespace clawws::bench {
namespace {

using base::Errc;
using base::Error;
using nlohmann::json;

struct Wrong {
  std::string what;
};

// A value of the document and its place: "/plan/rate".
class Node {
 public:
  explicit Node(const json& value, std::string place = {})
      : value_(&value), place_(std::move(place)) {}

  [[noreturn]] void wrong(const std::string& what) const {
    throw Wrong{(place_.empty() ? "the document" : place_) + " " + what};
  }
  bool is_null() const { return value_->is_null(); }
  bool has(const char* name) const { return value_->is_object() && value_->contains(name); }
  Node operator[](const char* name) const {
    if (!value_->is_object()) wrong("is no object");
    const auto found = value_->find(name);
    if (found == value_->end()) wrong(std::string("has no member \"") + name + "\"");
    return Node(*found, place_ + "/" + name);
  }
  std::vector<Node> items() const {
    if (!value_->is_array()) wrong("is no array");
    std::vector<Node> found;
    for (const json& item : *value_)
      found.emplace_back(item, place_ + "/" + std::to_string(found.size()));
    return found;
  }
  // Harmless on a terminal: a file may come from anywhere.
  std::string text() const {
    if (!value_->is_string()) wrong("is no string");
    return base::escape_terminal(value_->get_ref<const std::string&>());
  }
  std::string text_or_null() const { return is_null() ? std::string() : text(); }
  bool truth() const {
    if (!value_->is_boolean()) wrong("is neither true nor false");
    return value_->get<bool>();
  }
  std::uint64_t count() const {
    if (!value_->is_number_unsigned()) wrong("is no whole number from 0 on");
    return value_->get<std::uint64_t>();
  }
  double number() const {
    if (!value_->is_number()) wrong("is no number");
    return value_->get<double>();
  }
  std::optional<double> number_or_null() const {
    return is_null() ? std::nullopt : std::optional(number());
  }
  // Milliseconds as nanoseconds.
  Nanos time() const {
    const double nanos = number() * 1e6;
    if (!(std::abs(nanos) < 9e18)) wrong("is no time");
    return Nanos(std::llround(nanos));
  }
  std::optional<Nanos> time_or_null() const {
    return is_null() ? std::nullopt : std::optional(time());
  }
  template <class Value>
  Value one_of(std::initializer_list<std::pair<std::string_view, Value>> words) const {
    const std::string word = text();
    for (const auto& [name, value] : words)
      if (name == word) return value;
    wrong("is a word that this version does not know");
  }

 private:
  const json* value_;
  std::string place_;
};

std::vector<Histogram::Bucket> read_buckets(const Node& node) {
  const std::string text = node.text();
  std::vector<Histogram::Bucket> buckets;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint64_t nanos = 0, times = 0;
    const auto first = std::from_chars(at, end, nanos);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':' || nanos >> 62 != 0)
      node.wrong("is no list of buckets");
    const auto second = std::from_chars(first.ptr + 1, end, times);
    if (second.ec != std::errc() || (second.ptr != end && *second.ptr != ' '))
      node.wrong("is no list of buckets");
    buckets.push_back({Nanos(static_cast<std::int64_t>(nanos)), times});
    at = second.ptr == end ? end : second.ptr + 1;
  }
  return buckets;
}

Distribution read_distribution(const Node& node) {
  Distribution d;
  d.beyond = node["beyond"].count();
  const auto buckets = read_buckets(node["buckets"]);
  const auto min = node["min"].time_or_null(), largest = node["largest"].time_or_null();
  if (buckets.empty()) return d;
  if (!min || !largest || *min > *largest) node.wrong("has buckets, but no smallest and largest");
  d.values =
      Histogram::restored(buckets, *min, *largest, node["mean"].time_or_null().value_or(Nanos(0)));
  if (d.samples() != node["samples"].count()) node.wrong("has other samples than its buckets");
  return d;
}

std::map<std::string, std::uint64_t> read_reasons(const Node& node) {
  std::map<std::string, std::uint64_t> reasons;
  for (const Node& reason : node.items()) reasons[reason["what"].text()] = reason["times"].count();
  return reasons;
}

MemoryUse read_memory(const Node& node) {
  return {node["before"].count(), node["settled"].count(), node["peak"].count(),
          node["connections"].count()};
}

Scenario read_scenario(const Node& node) {
  const std::string word = node.text();
  for (const Scenario scenario : k_scenarios)
    if (scenario_name(scenario) == word) return scenario;
  node.wrong("is a scenario that this version does not know");
}

BenchPlan read_plan(const Node& node) {
  BenchPlan plan;
  plan.scenario = read_scenario(node["scenario"]);
  plan.profile = node["profile"].text_or_null();
  plan.connections = node["connections"].count();
  plan.rate = node["rate"].number();
  plan.events = node["events"].count();
  plan.warm_up = node["warmUpEvents"].count();
  plan.size_bytes = node["eventBytes"].count();
  plan.publishers = static_cast<std::uint32_t>(node["publishers"].count());
  plan.batch = node["batch"].count();
  plan.connect_rate = node["connectRate"].number();
  plan.hold = base::Millis(node["hold"].count());
  plan.drain = base::Millis(node["drain"].count());
  plan.threads = node["threads"].count();
  plan.canaries = node["canaries"].count();
  plan.stalled = node["stalled"].count();
  plan.churn_rate = node["churnRate"].number();
  if (node.has("leavers")) plan.leavers = node["leavers"].count();
  if (node.has("away")) plan.away = node["away"].count();
  plan.cores = node["cores"].count();
  plan.seed = node["seed"].count();
  plan.count_lost =
      node["countLost"].one_of<CountLost>({{"in", CountLost::in}, {"out", CountLost::out}});
  return plan;
}

void read_connect(const Node& node, BenchResult& r) {
  r.live = node["live"].count();
  r.connect_took = node["took"].time();
  r.fleet.connect = read_distribution(node["total"]).values;
  r.fleet.tcp = read_distribution(node["tcp"]).values;
  r.fleet.tls = read_distribution(node["tls"]).values;
  r.fleet.upgrade = read_distribution(node["upgrade"]).values;
  r.fleet.first_frame = read_distribution(node["firstFrame"]).values;
  r.fleet.live_at = read_distribution(node["liveAt"]).values;
  r.fleet.connect_failures = read_reasons(node["failures"]);
}

void read_delivery(const Node& node, BenchResult& r) {
  r.delivery = read_distribution(node["all"]);
  r.first = read_distribution(node["firstReceiver"]);
  r.to_all = read_distribution(node["toAll"]);
  r.fairness_min = node["fairness"]["min"].time_or_null();
  r.fairness_median = node["fairness"]["median"].time_or_null();
  r.fairness_max = node["fairness"]["max"].time_or_null();
  const Scenario scenario = r.plan.scenario;
  if (scenario == Scenario::slow_consumer || comes_back(scenario))
    r.before = read_distribution(node["before"]);
  if (scenario == Scenario::resume) r.disturbed = read_distribution(node["others"]);
  if (scenario != Scenario::slow_consumer) return;
  r.disturbed = read_distribution(node["stalled"]);
  r.stalled_ended = node["stalledEnded"].count();
}

void read_churn(const Node& node, BenchResult& r) {
  if (node.is_null()) return;
  r.fleet.returns_failed = node["failed"].count();
  if (node.has("failures")) r.fleet.return_failures = read_reasons(node["failures"]);
  r.fleet.returns = read_distribution(node["return"]).values;
}

void read_reconnect(const Node& node, BenchResult& r) {
  if (node.is_null()) return;
  Comeback& c = r.fleet.comeback.emplace();
  c.lost = node["lost"].count();
  c.not_back = node["notBack"].count();
  r.all_back = node["all"].time_or_null();
  c.live_again = read_distribution(node["liveAgain"]).values;
  c.catch_up = read_distribution(node["catchUp"]).values;
  c.replayed = read_distribution(node["replayed"]).values;
  c.dropped = node["dropped"].count();
  c.gaps = node["gaps"].count();
  r.fleet.returns = read_distribution(node["return"]).values;
  r.fleet.returns_failed = node["failed"].count();
  r.fleet.return_failures = read_reasons(node["failures"]);
  r.server_down = node["serverDown"].time_or_null();
}

void read_ledger(const Node& node, BenchResult& r) {
  r.fleet.ledger = {node["expected"].count(), node["delivered"].count(), node["lost"].count(),
                    node["duplicated"].count(), node["reordered"].count()};
  r.fleet.corrupt = node["corrupt"].count();
  r.fleet.recorded = node["recorded"].count();
  r.fleet.unknown = node["neverSent"].count();
  r.fleet.measured = node["connections"].count();
  r.fleet.cut = node["cut"].count();
  r.fleet.cut_reasons = read_reasons(node["cutReasons"]);
}

void read_publish(const Node& node, BenchResult& r) {
  r.publish.accepted = node["accepted"].count();
  r.publish.refused = node["refused"].count();
  r.publish.failed = node["failed"].count();
  r.publish.requests = node["requests"].count();
  if (node.has("repeated")) r.publish.repeated = node["repeated"].count();
  r.publish.response = read_distribution(node["response"]).values;
  r.publish.first_problem = node["firstProblem"].text_or_null();
}

// CPU times stand in a report as shares; metric_value() makes the same shares of them again.
void read_server(const Node& node, BenchResult& r) {
  if (node.is_null()) return;
  ServerUse use;
  use.pid = static_cast<pid_t>(node["pid"].count());
  use.cores = node["cores"].number();
  use.memory = read_memory(node["memory"]);
  const auto whole = [](const Node& share, std::uint64_t among) {
    const double nanos = share.number_or_null().value_or(0) * static_cast<double>(among);
    if (!(std::abs(nanos) < 9e18)) share.wrong("is no time");
    return Nanos(std::llround(nanos));
  };
  use.cpu_measured =
      whole(node["cpuPerDeliveryNs"], r.fleet.ledger.delivered + r.canary.values.count());
  use.cpu_connect = whole(node["cpuPerConnectNs"], use.memory.connections);
  r.server = use;
}

void read_client(const Node& node, BenchResult& r) {
  r.client_cores = node["cores"].number();
  r.client_memory = read_memory(node["memory"]);
  for (const Node& thread : node["threads"].items())
    r.threads.push_back({thread["name"].text(), thread["cores"].number(),
                         thread["loopLagP99"].time(), thread["loopLagMax"].time()});
}

void read_trust(const Node& node, BenchResult& r) {
  r.verdict.valid = node["valid"].truth();
  for (const Node& reason : node["reasons"].items()) r.verdict.reasons.push_back(reason.text());
  for (const Node& note : node["notes"].items()) r.verdict.notes.push_back(note.text());
  r.publish.lag = read_distribution(node["scheduleLag"]).values;
  r.canary = read_distribution(node["canary"]);
}

Outcome read_outcome(const Node& node) {
  Outcome outcome;
  Threshold& threshold = outcome.threshold;
  threshold.metric = node["metric"].text();
  threshold.comparison = node["comparison"].one_of<Comparison>({{"<", Comparison::less},
                                                                {"<=", Comparison::less_equal},
                                                                {">", Comparison::greater},
                                                                {">=", Comparison::greater_equal},
                                                                {"==", Comparison::equal},
                                                                {"!=", Comparison::not_equal}});
  threshold.unit = node["unit"].one_of<Unit>(
      {{"ms", Unit::time}, {"count", Unit::count}, {"bytes", Unit::bytes}, {"cores", Unit::cores}});
  const double scale = threshold.unit == Unit::time ? 1e6 : 1;
  threshold.limit = node["limit"].number() * scale;
  outcome.value.unit = threshold.unit;
  if (const auto value = node["value"].number_or_null()) outcome.value.value = *value * scale;
  outcome.value.samples = node["samples"].count();
  outcome.passed = node["passed"].truth();
  outcome.why = node["why"].text_or_null();
  outcome.value.is_beyond = !outcome.value.value && outcome.why.empty();
  return outcome;
}

SeriesRow read_row(const Node& node) {
  SeriesRow row;
  const std::string word = node["phase"].text();
  const auto phase = std::find_if(std::begin(k_phases), std::end(k_phases),
                                  [&](Phase one) { return phase_word(one) == word; });
  if (phase == std::end(k_phases)) node["phase"].wrong("is no phase that this version knows");
  row.phase = *phase;
  row.at = node["at"].time();
  row.lasts = node["lasts"].time();
  row.connected = node["connected"].count();
  row.published = node["published"].count();
  row.delivered = node["delivered"].count();
  row.lost = node["lost"].count();
  row.p50 = node["p50"].time_or_null();
  row.p99 = node["p99"].time_or_null();
  row.max = node["max"].time_or_null();
  if (const Node rss = node["serverRss"]; !rss.is_null()) row.server_rss = rss.count();
  if (const Node files = node["serverFiles"]; !files.is_null()) row.server_files = files.count();
  return row;
}

void check_schema(const Node& node) {
  const std::uint64_t schema = node["schema"].count();
  if (schema != k_report_schema)
    throw Wrong{"it is of schema " + std::to_string(schema) + ", and this version reads schema " +
                std::to_string(k_report_schema)};
}

BenchResult read_run(const Node& node) {
  check_schema(node);
  BenchResult r;
  r.run = node["run"].text();
  const auto started = base::parse_rfc3339(node["started"].text());
  if (!started) node["started"].wrong("is no time");
  r.started_millis = *started;
  r.took = node["took"].time();
  r.url = node["url"].text();
  r.server_source = node["serverSource"].text();
  r.tls = node["tls"].text();
  r.plan = read_plan(node["plan"]);
  read_connect(node["connect"], r);
  read_delivery(node["delivery"], r);
  read_ledger(node["ledger"], r);
  read_churn(node["churn"], r);
  if (node.has("reconnect")) read_reconnect(node["reconnect"], r);
  read_publish(node["publish"], r);
  read_trust(node["trust"], r);
  read_server(node["server"], r);
  read_client(node["client"], r);
  for (const Node& outcome : node["thresholds"].items()) {
    r.outcomes.push_back(read_outcome(outcome));
    r.plan.thresholds.push_back(r.outcomes.back().threshold);
  }
  for (const Node& row : node["series"].items()) r.series.push_back(read_row(row));
  const std::uint64_t signal = node["signal"].count();
  if (signal > 64) node["signal"].wrong("is no signal");
  r.signal = static_cast<int>(signal);
  return r;
}

}  // namespace

base::Result<ReportFile> read_report(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return Error(Errc::usage, "not JSON");
  try {
    const Node root(document);
    if (!root.has("schema") || !root.has("tool"))
      return Error(Errc::usage, "no report of clawws bench");
    check_schema(root);
    ReportFile file;
    file.tool = root["tool"].text();
    if (!root.has("runs")) {
      file.runs.push_back(read_run(root));
    } else {
      for (const Node& run : root["runs"].items()) file.runs.push_back(read_run(run));
    }
    if (file.runs.empty()) return Error(Errc::usage, "holds no run");
    return file;
  } catch (const Wrong& wrong) {
    return Error(Errc::usage, "not a whole report of clawws bench: " + wrong.what);
  }
}

}  // namespace clawws::bench
