// The whole result as JSON. Its schema is apps/bench/report.schema.json; a test holds the two
// together. Times are milliseconds, sizes bytes; null stands for what lies beyond (a percentile
// that lost deliveries reach) or was not measured.
#include <nlohmann/json.hpp>

#include "clawws/base/flags.hpp"
#include "clawws/base/time.hpp"
#include "clawws/bench/report.hpp"

namespace clawws::bench {
namespace {

using nlohmann::ordered_json;

ordered_json ms(Nanos value) {
  return static_cast<double>(value.count()) / 1e6;
}
ordered_json ms(const std::optional<Nanos>& value) {
  return value ? ms(*value) : ordered_json(nullptr);
}

// "1000:49000 2000:1000": nanoseconds and how often. A member for each number would make most of
// the report's lines.
std::string buckets_text(const Histogram& histogram) {
  std::string text;
  for (const Histogram::Bucket& bucket : histogram.buckets())
    text += (text.empty() ? "" : " ") + std::to_string(bucket.middle.count()) + ":" +
            std::to_string(bucket.count);
  return text;
}

ordered_json to_json(const Distribution& d) {
  ordered_json out = {{"samples", d.samples()}, {"beyond", d.beyond}};
  const bool any = d.values.count() > 0;
  out["min"] = any ? ms(d.values.min()) : ordered_json(nullptr);
  out["mean"] = any && d.beyond == 0 ? ms(d.values.mean()) : ordered_json(nullptr);
  for (const auto& [name, percent] :
       {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}})
    out[name] = ms(d.values.percentile(percent, d.beyond));
  out["max"] = any && d.beyond == 0 ? ms(d.values.max()) : ordered_json(nullptr);
  out["largest"] = any ? ms(d.values.max()) : ordered_json(nullptr);
  out["buckets"] = buckets_text(d.values);
  return out;
}

ordered_json to_json(const Histogram& h) {
  return to_json(Distribution{h, 0});
}

ordered_json to_json(const BenchPlan& plan) {
  return {{"scenario", scenario_name(plan.scenario)},
          {"profile", plan.profile.empty() ? ordered_json(nullptr) : ordered_json(plan.profile)},
          {"connections", plan.connections},
          {"rate", plan.rate},
          {"events", plan.events},
          {"warmUpEvents", plan.warm_up},
          {"eventBytes", plan.size_bytes},
          {"publishers", plan.publishers},
          {"batch", plan.batch},
          {"connectRate", plan.connect_rate},
          {"hold", plan.hold.count()},
          {"drain", plan.drain.count()},
          {"threads", plan.threads},
          {"canaries", plan.canaries},
          {"stalled", plan.stalled},
          {"churnRate", plan.churn_rate},
          {"leavers", plan.leavers},
          {"away", plan.away},
          {"cores", plan.cores},
          {"seed", plan.seed},
          {"countLost", plan.count_lost == CountLost::in ? "in" : "out"}};
}

ordered_json to_json(const MemoryUse& use) {
  const auto each = use.bytes_per_connection();
  return {{"before", use.before},
          {"settled", use.settled},
          {"peak", use.peak},
          {"connections", use.connections},
          {"bytesPerConnection", each ? ordered_json(*each) : ordered_json(nullptr)}};
}

ordered_json reasons(const std::map<std::string, std::uint64_t>& counted) {
  ordered_json list = ordered_json::array();
  for (const auto& [what, times] : counted) list.push_back({{"what", what}, {"times", times}});
  return list;
}

ordered_json connect_json(const BenchResult& r) {
  return {{"asked", r.plan.connections},
          {"live", r.live},
          {"failed", r.plan.connections - r.live},
          {"took", ms(r.connect_took)},
          {"total", to_json(r.fleet.connect)},
          {"tcp", to_json(r.fleet.tcp)},
          {"tls", to_json(r.fleet.tls)},
          {"upgrade", to_json(r.fleet.upgrade)},
          {"firstFrame", to_json(r.fleet.first_frame)},
          {"liveAt", to_json(r.fleet.live_at)},
          {"failures", reasons(r.fleet.connect_failures)}};
}

ordered_json delivery_json(const BenchResult& r) {
  ordered_json out = {{"all", to_json(r.delivery)},
                      {"firstReceiver", to_json(r.first)},
                      {"toAll", to_json(r.to_all)},
                      {"fairness",
                       {{"min", ms(r.fairness_min)},
                        {"median", ms(r.fairness_median)},
                        {"max", ms(r.fairness_max)}}}};
  const Scenario scenario = r.plan.scenario;
  if (scenario == Scenario::slow_consumer || comes_back(scenario))
    out["before"] = to_json(r.before);
  if (scenario == Scenario::resume) out["others"] = to_json(r.disturbed);
  if (scenario == Scenario::slow_consumer) {
    out["stalled"] = to_json(r.disturbed);
    out["stalledEnded"] = r.stalled_ended;
  }
  return out;
}

ordered_json ledger_json(const BenchResult& r) {
  const LedgerCounts& l = r.fleet.ledger;
  return {{"expected", l.expected},
          {"delivered", l.delivered},
          {"lost", l.lost},
          {"duplicated", l.duplicated},
          {"reordered", l.reordered},
          {"corrupt", r.fleet.corrupt},
          {"recorded", r.fleet.recorded},
          {"neverSent", r.fleet.unknown},
          {"connections", r.fleet.measured},
          {"cut", r.fleet.cut},
          {"cutReasons", reasons(r.fleet.cut_reasons)}};
}

ordered_json churn_json(const BenchResult& r) {
  if (r.plan.scenario != Scenario::churn) return nullptr;
  return {{"failed", r.fleet.returns_failed},
          {"failures", reasons(r.fleet.return_failures)},
          {"return", to_json(r.fleet.returns)}};
}

ordered_json reconnect_json(const BenchResult& r) {
  if (!r.fleet.comeback) return nullptr;
  const Comeback& c = *r.fleet.comeback;
  const auto rate = catch_up_rate(r);
  return {{"lost", c.lost},
          {"notBack", c.not_back},
          {"all", ms(r.all_back)},
          {"liveAgain", to_json(Distribution{c.live_again, c.not_back})},
          {"catchUp", to_json(c.catch_up)},
          {"catchUpRate", rate ? ordered_json(*rate) : ordered_json(nullptr)},
          {"replayed", to_json(c.replayed)},
          {"dropped", c.dropped},
          {"gaps", c.gaps},
          {"return", to_json(r.fleet.returns)},
          {"failed", r.fleet.returns_failed},
          {"failures", reasons(r.fleet.return_failures)},
          {"serverDown", ms(r.server_down)}};
}

ordered_json growth_json(const std::optional<Growth>& growth) {
  return growth ? ordered_json(growth->an_hour) : ordered_json(nullptr);
}

ordered_json publish_json(const BenchResult& r) {
  const PublishTally& p = r.publish;
  return {{"accepted", p.accepted},
          {"refused", p.refused},
          {"failed", p.failed},
          {"requests", p.requests},
          {"repeated", p.repeated},
          {"response", to_json(p.response)},
          {"firstProblem",
           p.first_problem.empty() ? ordered_json(nullptr) : ordered_json(p.first_problem)}};
}

ordered_json server_json(const BenchResult& r) {
  if (!r.server) return nullptr;
  const auto optional = [&](const char* metric) {
    const auto value = metric_value(r, metric).value;
    return value ? ordered_json(*value) : ordered_json(nullptr);
  };
  return {{"pid", r.server->pid},
          {"cores", r.server->cores},
          {"cpuPerDeliveryNs", optional("server.cpu-per-delivery")},
          {"cpuPerConnectNs", optional("server.cpu-per-connect")},
          {"rssGrowth", growth_json(rss_growth(r))},
          {"filesGrowth", growth_json(files_growth(r))},
          {"memory", to_json(r.server->memory)}};
}

ordered_json client_json(const BenchResult& r) {
  ordered_json threads = ordered_json::array();
  for (const ThreadUse& use : r.threads)
    threads.push_back({{"name", use.name},
                       {"cores", use.cores},
                       {"loopLagP99", ms(use.lag_p99)},
                       {"loopLagMax", ms(use.lag_max)}});
  return {{"cores", r.client_cores},
          {"memory", to_json(r.client_memory)},
          {"threads", std::move(threads)}};
}

ordered_json outcome_json(const Outcome& outcome) {
  const char* const units[] = {"ms", "count", "bytes", "cores"};
  const double scale = outcome.threshold.unit == Unit::time ? 1e-6 : 1;
  return {{"threshold", outcome.threshold.text()},
          {"metric", outcome.threshold.metric},
          {"comparison", comparison_text(outcome.threshold.comparison)},
          {"limit", outcome.threshold.limit * scale},
          {"unit", units[static_cast<std::size_t>(outcome.threshold.unit)]},
          {"value", outcome.value.value ? ordered_json(*outcome.value.value * scale)
                                        : ordered_json(nullptr)},
          {"samples", outcome.value.samples},
          {"passed", outcome.passed},
          {"why", outcome.why.empty() ? ordered_json(nullptr) : ordered_json(outcome.why)}};
}

ordered_json series_json(const BenchResult& r) {
  const auto optional = [](const std::optional<std::uint64_t>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
  };
  ordered_json rows = ordered_json::array();
  for (const SeriesRow& row : r.series)
    rows.push_back({{"at", ms(row.at)},
                    {"lasts", ms(row.lasts)},
                    {"phase", phase_word(row.phase)},
                    {"connected", row.connected},
                    {"published", row.published},
                    {"delivered", row.delivered},
                    {"lost", row.lost},
                    {"p50", ms(row.p50)},
                    {"p99", ms(row.p99)},
                    {"max", ms(row.max)},
                    {"serverRss", optional(row.server_rss)},
                    {"serverFiles", optional(row.server_files)}});
  return rows;
}

std::string tool_name() {
  return "clawws/" + std::string(base::version());
}

ordered_json run_json(const BenchResult& r) {
  ordered_json outcomes = ordered_json::array();
  for (const Outcome& outcome : r.outcomes) outcomes.push_back(outcome_json(outcome));
  return {{"schema", k_report_schema},
          {"tool", tool_name()},
          {"run", r.run},
          {"started", base::format_rfc3339(r.started_millis)},
          {"took", ms(r.took)},
          {"url", r.url},
          {"serverSource", r.server_source},
          {"tls", r.tls},
          {"plan", to_json(r.plan)},
          {"connect", connect_json(r)},
          {"delivery", delivery_json(r)},
          {"ledger", ledger_json(r)},
          {"churn", churn_json(r)},
          {"reconnect", reconnect_json(r)},
          {"publish", publish_json(r)},
          {"server", server_json(r)},
          {"client", client_json(r)},
          {"trust",
           {{"valid", r.verdict.valid},
            {"reasons", r.verdict.reasons},
            {"notes", r.verdict.notes},
            {"scheduleLag", to_json(r.publish.lag)},
            {"canary", to_json(r.canary)}}},
          {"thresholds", std::move(outcomes)},
          {"series", series_json(r)},
          {"signal", r.signal},
          {"exitCode", r.signal != 0 ? 128 + r.signal : exit_code(r)}};
}

}  // namespace

std::string json_report(std::span<const BenchResult> runs, std::uint64_t repeat) {
  ordered_json report;
  if (repeat == 1) {
    report = run_json(runs.front());
  } else {
    ordered_json list = ordered_json::array();
    for (const BenchResult& run : runs) list.push_back(run_json(run));
    const int signal = runs.empty() ? 0 : runs.back().signal;
    report = {{"schema", k_report_schema},
              {"tool", tool_name()},
              {"repeat", repeat},
              {"exitCode", signal != 0 ? 128 + signal : exit_code(runs)},
              {"runs", std::move(list)}};
  }
  // A reason that a server gave may be anything.
  return report.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace clawws::bench
