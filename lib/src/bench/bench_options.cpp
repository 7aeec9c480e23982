#include "clawws/bench/bench_options.hpp"

#include <algorithm>
#include <limits>

#include "clawws/base/flag_setters.hpp"

namespace clawws::bench {
namespace {

using base::Errc;
using base::Error;
using base::Flag;
using base::FlagKind;
using base::Millis;
using base::Result;
using namespace base::setters;

constexpr const char* k_load = "Load";
constexpr const char* k_gate = "Gate";
constexpr const char* k_server = "Server";
constexpr const char* k_reports = "Reports";

constexpr std::uint64_t k_most_events = 20'000'000;

// What a profile says where no flag does. `smoke` proves that events flow at all and is done in a
// few seconds; `ci` has the limits that a build is held to; `full` is for a machine of its own.
// Each limit can be met in each scenario: a percentile has its samples there.
struct ProfileRow {
  Profile profile;
  std::string_view name;
  std::uint64_t connections, rate;
  Millis duration;
  std::vector<std::string_view> thresholds;
};
const std::vector<ProfileRow>& profiles() {
  static const std::vector<ProfileRow> rows{
      {Profile::smoke,
       "smoke",
       10,
       20,
       Millis(3'000),
       {"delivery.p90<1s", "lost==0", "dup==0", "reordered==0", "corrupt==0"}},
      {Profile::ci,
       "ci",
       50,
       50,
       Millis(20'000),
       {"delivery.p99<100ms", "lost==0", "dup==0", "reordered==0", "corrupt==0", "connect.max<1s"}},
      {Profile::full,
       "full",
       1'000,
       50,
       Millis(60'000),
       {"delivery.p99<100ms", "to-all.p99<200ms", "lost==0", "dup==0", "reordered==0", "corrupt==0",
        "connect.p99<1s"}},
  };
  return rows;
}

const ProfileRow* row_of(std::optional<Profile> profile) {
  for (const ProfileRow& row : profiles())
    if (row.profile == profile) return &row;
  return nullptr;
}

Result<void> add_thresholds(std::vector<Threshold>& thresholds, std::string_view texts) {
  auto threshold = parse_threshold(texts);
  if (!threshold) return threshold.error();
  thresholds.push_back(std::move(*threshold));
  return {};
}

void add_load(std::vector<Flag>& flags, BenchConfig& config) {
  flags.push_back(flag("scenario", 's', "NAME", k_load,
                       "steady, idle, connect-storm, slow-consumer, churn, soak, reconnect-storm, "
                       "resume, restart or restart:kill9",
                       "steady",
                       one_of<std::optional<Scenario>, Scenario>(
                           config.scenario, {{"steady", Scenario::steady},
                                             {"idle", Scenario::idle},
                                             {"connect-storm", Scenario::connect_storm},
                                             {"slow-consumer", Scenario::slow_consumer},
                                             {"churn", Scenario::churn},
                                             {"soak", Scenario::soak},
                                             {"reconnect-storm", Scenario::reconnect_storm},
                                             {"resume", Scenario::resume},
                                             {"restart", Scenario::restart},
                                             {"restart:kill9", Scenario::restart_kill9}})));
  flags.push_back(
      flag("profile", 0, "NAME", k_load,
           "smoke, ci or full: size, duration and thresholds in one word", "",
           one_of<std::optional<Profile>, Profile>(
               config.profile,
               {{"smoke", Profile::smoke}, {"ci", Profile::ci}, {"full", Profile::full}})));
  flags.push_back(flag("connections", 'c', "N", k_load, "clients that subscribe", "50",
                       count(config.connections, 1, 1'000'000)));
  flags.push_back(flag("rate", 'r', "N", k_load, "events a second, all publishers together", "50",
                       count(config.rate, 1, 1'000'000)));
  flags.push_back(flag("duration", 'd', "DUR", k_load, "how long is measured", "10s",
                       duration(config.duration, Millis(100))));
  flags.push_back(flag("size", 0, "SIZE", k_load, "bytes of an event as it is published", "256",
                       [&config](std::string_view v) -> Result<void> {
                         const auto size = base::parse_size(v);
                         if (!size) return size.error();
                         if (*size > 64 * 1024) return Error(Errc::usage, "at most 64KiB");
                         config.size_bytes = *size;
                         return {};
                       }));
  flags.push_back(flag("publishers", 0, "N", k_load, "connections that publish, in turn", "1",
                       count(config.publishers, 1, 1'000)));
  flags.push_back(flag("batch", 0, "N", k_load, "most events in one request, when several wait",
                       "100", count(config.batch, 1, 1'000)));
  flags.push_back(flag("connect-rate", 0, "N", k_load, "new connections a second", "500",
                       count(config.connect_rate, 1, 1'000'000)));
  flags.push_back(flag("stalled", 0, "N", k_load,
                       "slow-consumer: clients that stop reading half-way",
                       "2 % of --connections, at least 1", count(config.stalled, 1, 100'000)));
  flags.push_back(flag("churn", 0, "N", k_load, "churn: clients that leave and come back, a second",
                       "10 % of --connections, at least 1", count(config.churn, 1, 100'000)));
  flags.push_back(flag("leavers", 0, "N", k_load, "resume: clients that leave",
                       "10 % of --connections, at least 1", count(config.leavers, 1, 1'000'000)));
  flags.push_back(flag("away", 0, "N", k_load, "resume: events that they miss",
                       "half of those of --duration", count(config.away, 1, k_most_events / 2)));
  flags.push_back(flag("warmup", 0, "DUR", k_load, "events for this long before those that count",
                       "1s", duration(config.warm_up, Millis(0))));
  flags.push_back(flag("drain", 0, "DUR", k_load,
                       "what has not come this long after the last event is lost", "5s",
                       duration(config.drain, Millis(100))));
  flags.push_back(flag("threads", 0, "N", k_load,
                       "threads that receive, beside one that publishes and one of canaries",
                       "one per core, at most 2", count(config.threads, 1, 64)));
  flags.push_back(flag("seed", 0, "N", k_load,
                       "of the events' padding and of the delays before connecting again", "1",
                       count(config.seed, 0, std::numeric_limits<std::uint32_t>::max())));
}

void add_gate(std::vector<Flag>& flags, BenchConfig& config) {
  flags.push_back(
      flag("threshold", 't', "EXPR", k_gate,
           "what must hold, as in 'delivery.p99<100ms' or 'lost==0'; else exit 20", "",
           [&config](std::string_view v) { return add_thresholds(config.thresholds, v); }));
  flags.back().kind = FlagKind::repeat;
  flags.push_back(flag("count-lost", 0, "in|out", k_gate,
                       "lost deliveries in the percentiles, or out of them", "in",
                       one_of<std::optional<CountLost>, CountLost>(
                           config.count_lost, {{"in", CountLost::in}, {"out", CountLost::out}})));
  flags.push_back(flag("retries", 0, "N", k_gate,
                       "repeat a run that cannot be trusted, at most N times", "0",
                       count(config.retries, 0, 100)));
  flags.push_back(flag("repeat", 0, "N", k_gate,
                       "measure N times, for `clawws bench compare`, which wants 5", "1",
                       [&config](std::string_view v) -> Result<void> {
                         const auto times = base::parse_count(v);
                         if (!times) return times.error();
                         // Each run's histograms are kept to the end: 4 MiB.
                         if (*times < 1 || *times > 50) return Error(Errc::usage, "1 to 50");
                         config.repeat = *times;
                         return {};
                       }));
}

void add_server(std::vector<Flag>& flags, BenchConfig& config) {
  flags.push_back(flag("spawn", 0, "CMD", k_server,
                       "start this server (with sh), measure its CPU and memory, end it afterwards",
                       "", [&config](std::string_view v) -> Result<void> {
                         if (v.empty()) return Error(Errc::usage, "must not be empty");
                         config.spawn = v;
                         return {};
                       }));
  flags.push_back(flag("server-pid", 0, "PID", k_server, "measure CPU and memory of this process",
                       "the local server's",
                       count(config.server_pid, 1, std::numeric_limits<pid_t>::max())));
}

void add_reports(std::vector<Flag>& flags, BenchConfig& config) {
  const auto file = [&](const char* name, std::string& field, const char* help) {
    flags.push_back(
        flag(name, 0, "FILE|-", k_reports, help, "", [&field](std::string_view v) -> Result<void> {
          if (v.empty()) return Error(Errc::usage, "must not be empty");
          field = v;
          return {};
        }));
  };
  file("json", config.json_file,
       "write the whole result as JSON; with - to stdout, the other report to stderr");
  file("junit", config.junit_file, "write thresholds and trust as JUnit XML");
  file("csv", config.csv_file, "write the time series, a row a second");
  file("html", config.html_file, "write one page with charts that needs nothing else");
  flags.push_back(flag(
      "progress", 0, "WHEN", k_reports,
      "on stderr: auto (a line that is redrawn on a terminal, else one each 10 s), always or never",
      "auto",
      one_of<ProgressChoice, ProgressChoice>(config.progress, {{"auto", ProgressChoice::automatic},
                                                               {"always", ProgressChoice::always},
                                                               {"never", ProgressChoice::never}})));
  flags.push_back(flag("color", 0, "WHEN", k_reports, "auto, always or never", "auto",
                       one_of<client::ColorChoice, client::ColorChoice>(
                           config.color, {{"auto", client::ColorChoice::automatic},
                                          {"always", client::ColorChoice::always},
                                          {"never", client::ColorChoice::never}})));
  flags.push_back(flag("quiet", 'q', "", k_reports, "only the report and errors", "",
                       constant(config.verbosity, BenchConfig::Verbosity::quiet)));
  flags.push_back(flag("verbose", 'v', "", k_reports, "a line on stderr for each phase, too", "",
                       constant(config.verbosity, BenchConfig::Verbosity::verbose)));
}

constexpr const char* k_epilog =
    "Without a URL it starts a clawws serve of its own, on a free port and with a temporary state\n"
    "directory, and measures that. With one it publishes bench.sample events there.\n"
    "\n"
    "Commands, each with a --help of its own:\n"
    "  clawws bench compare OLD NEW    is NEW slower? [--min-effect 10%,2ms] [--json FILE]\n"
    "  clawws bench report FILE        the reports of a saved --json FILE again\n"
    "  clawws bench doctor             which limits stand in the way? [-c N]\n"
    "\n"
    "Exit status: 0 all thresholds hold; 1 internal or I/O failure; 2 usage; 3 could not connect; "
    "4 not\n"
    "accepted; 5 TLS; 6 protocol; 20 a threshold failed; 22 the run cannot be trusted; 23 the "
    "preflight\n"
    "failed; 130, 143 signal.\n"
    "\n"
    "Examples:\n"
    "  clawws bench                                        50 clients, 50 events a second, 10 s\n"
    "  clawws bench --profile ci --junit bench.xml         the gate of a build\n"
    "  clawws bench -c 1000 -r 200 -t 'delivery.p99<50ms'  a larger one, with a limit\n"
    "  clawws bench -s idle -c 10k                         memory of an idle client\n"
    "  clawws bench --repeat 5 --json new.json             runs to compare with others\n"
    "  clawws bench -u admin --password-file pw wss://panel.example/ws\n";

// A profile's limit gives way to one for the same metric.
void add_profile_thresholds(const ProfileRow& profile, BenchPlan& plan) {
  const std::vector<Threshold> given = plan.thresholds;
  const auto add = [&](Threshold threshold) {
    const bool is_given = std::any_of(given.begin(), given.end(), [&](const Threshold& t) {
      return t.metric == threshold.metric;
    });
    if (!is_given) plan.thresholds.push_back(std::move(threshold));
  };
  for (const std::string_view text : profile.thresholds) {
    Threshold threshold = *parse_threshold(text);
    const bool is_latency =
        threshold.metric.starts_with("delivery.") || threshold.metric.starts_with("to-all.");
    // Percentiles need more than the one event of idle and connect-storm. Who was away gets events
    // late, and so does everybody after a restart.
    const bool has_outage = is_restart(plan.scenario) ||
                            (comes_back(plan.scenario) && threshold.metric.starts_with("to-all."));
    if (is_latency && (plan.events == 1 || has_outage)) continue;
    add(threshold);
    if (threshold.metric != "delivery.p99" || plan.scenario != Scenario::slow_consumer) continue;
    // The others' p99 must hold while some read nothing.
    threshold.metric = "delivery.stalled.p99";
    add(threshold);
  }
}

}  // namespace

std::string_view scenario_name(Scenario scenario) noexcept {
  switch (scenario) {
    case Scenario::steady:
      return "steady";
    case Scenario::idle:
      return "idle";
    case Scenario::connect_storm:
      return "connect-storm";
    case Scenario::slow_consumer:
      return "slow-consumer";
    case Scenario::churn:
      return "churn";
    case Scenario::soak:
      return "soak";
    case Scenario::reconnect_storm:
      return "reconnect-storm";
    case Scenario::resume:
      return "resume";
    case Scenario::restart:
      return "restart";
    case Scenario::restart_kill9:
      return "restart:kill9";
  }
  return "?";
}

base::Millis series_step(const BenchPlan& plan) noexcept {
  constexpr double k_most_rows = 3'600;
  const double seconds = static_cast<double>(plan.events) / plan.rate;
  return std::max(Millis(1'000),
                  Millis(static_cast<std::int64_t>(seconds / k_most_rows * 1'000 + 0.999)));
}

base::FlagSpec bench_flags(BenchConfig& config) {
  base::FlagSpec spec;
  spec.program = "clawws bench";
  spec.summary =
      "Measures what a clawws server delivers and how fast, and says whether to believe it.";
  spec.usage = "clawws bench [OPTIONS] [URL]";
  spec.example_flag = "duration";
  spec.example_value = "20s";
  spec.epilog = k_epilog;
  add_load(spec.flags, config);
  add_gate(spec.flags, config);
  add_reports(spec.flags, config);
  add_server(spec.flags, config);
  client::add_credential_flags(spec.flags, config);
  client::add_server_flags(spec.flags, config);
  for (Flag& one : spec.flags) {
    if (one.name == "url") one.default_text = "a server of its own";
    if (one.name == "connect-timeout") one.default_text = "30s";
  }
  config.approach.connect_timeout = Millis(30'000);
  spec.positionals.push_back({"URL", "the server to measure", [&config](std::string_view v) {
                                return client::set_server_url(config, v, "URL");
                              }});
  return spec;
}

Result<void> validate(BenchConfig& config, const base::FlagOutcome& outcome,
                      const client::Environment& environment) {
  if (auto approach = client::validate_approach(config, outcome, environment); !approach)
    return approach;
  const auto files = {config.json_file, config.junit_file, config.csv_file, config.html_file};
  if (std::count(files.begin(), files.end(), "-") > 1)
    return Error(Errc::usage, "only one of --json, --junit, --csv and --html can go to stdout");
  if (outcome.given.contains("quiet") && outcome.given.contains("verbose"))
    return Error(Errc::usage, "--quiet and --verbose contradict each other");
  if (config.server_pid && !config.spawn.empty())
    return Error(Errc::usage, "--spawn knows its server's process: leave --server-pid out");
  if (config.stalled && config.scenario != Scenario::slow_consumer)
    return Error(Errc::usage, "--stalled belongs to --scenario slow-consumer");
  if (config.churn && config.scenario != Scenario::churn)
    return Error(Errc::usage, "--churn belongs to --scenario churn");
  if ((config.leavers || config.away) && config.scenario != Scenario::resume)
    return Error(Errc::usage, std::string(config.leavers ? "--leavers" : "--away") +
                                  " belongs to --scenario resume");
  const bool is_guest = config.spawn.empty() && (config.approach.url || config.approach.state_dir);
  if (is_guest && is_restart(config.scenario.value_or(Scenario::steady)))
    return Error(Errc::usage,
                 "--scenario restart ends the server and starts it again, so it must be one that "
                 "bench has started: leave the URL (and --state-dir) out, or say with --spawn how "
                 "to start it");
  const BenchPlan plan = make_plan(config, 1);
  if (plan.leavers > plan.connections && plan.scenario == Scenario::resume)
    return Error(Errc::usage, "--leavers is more than --connections");
  if (plan.away > 0 && plan.away >= plan.events)
    return Error(Errc::usage, "--away " + base::format_count(plan.away) +
                                  " leaves nothing of the " + base::format_count(plan.events) +
                                  " events for the time before and after: make --duration longer");
  if (plan.events + plan.warm_up > k_most_events)
    return Error(Errc::usage, "--rate and --duration make " +
                                  base::format_count(plan.events + plan.warm_up) +
                                  " events; at most " + base::format_count(k_most_events) +
                                  " can be accounted for");
  if (plan.events == 0) return Error(Errc::usage, "--rate and --duration make no event");
  return {};
}

BenchPlan make_plan(const BenchConfig& config, std::size_t cores) {
  BenchPlan plan;
  const ProfileRow* const profile = row_of(config.profile);
  plan.scenario = config.scenario.value_or(Scenario::steady);
  if (profile != nullptr) plan.profile = profile->name;
  plan.connections = config.connections.value_or(profile != nullptr ? profile->connections : 50);
  // A soak lasts long enough for the server's log in memory to be full well before its half; who
  // resumes has missed enough for the catch-up to take a time.
  const bool is_soak = plan.scenario == Scenario::soak;
  const bool is_dense = is_soak || plan.scenario == Scenario::resume;
  plan.rate = static_cast<double>(config.rate.value_or(is_dense             ? 200
                                                       : profile != nullptr ? profile->rate
                                                                            : 50));
  const Millis lasts = config.duration.value_or(is_soak              ? Millis(600'000)
                                                : profile != nullptr ? profile->duration
                                                                     : Millis(10'000));
  const auto events_in = [&plan](Millis time) {
    return static_cast<std::uint64_t>(plan.rate * static_cast<double>(time.count()) / 1000);
  };
  plan.events = events_in(lasts);
  plan.warm_up = events_in(config.warm_up.value_or(Millis(1'000)));
  plan.connect_rate = static_cast<double>(config.connect_rate.value_or(500));
  plan.size_bytes = config.size_bytes.value_or(256);
  switch (plan.scenario) {
    case Scenario::steady:
    case Scenario::soak:
      break;
    case Scenario::slow_consumer:
      plan.size_bytes = config.size_bytes.value_or(4096);
      plan.stalled = config.stalled.value_or(std::max<std::uint64_t>(plan.connections / 50, 1));
      break;
    case Scenario::churn:
      plan.churn_rate = static_cast<double>(
          config.churn.value_or(std::max<std::uint64_t>(plan.connections / 10, 1)));
      break;
    case Scenario::reconnect_storm:
      plan.leavers = plan.connections;
      break;
    case Scenario::resume:
      // As long before and after it together.
      if (config.away && !config.duration) plan.events = *config.away * 2;
      plan.away = config.away.value_or(plan.events / 2);
      plan.leavers = config.leavers.value_or(std::max<std::uint64_t>(plan.connections / 10, 1));
      break;
    case Scenario::restart:
    case Scenario::restart_kill9:
      break;
    case Scenario::connect_storm:
      if (!config.connect_rate) plan.connect_rate = 0;
      plan.events = 1;
      plan.warm_up = 0;
      break;
    case Scenario::idle:
      plan.hold = lasts;
      plan.events = 1;
      plan.warm_up = 0;
      break;
  }
  plan.publishers = static_cast<std::uint32_t>(config.publishers.value_or(1));
  plan.batch = config.batch.value_or(100);
  plan.connect_limit = config.approach.connect_timeout;
  plan.return_limit =
      std::min(plan.connect_limit, client::ApproachConfig().connect_timeout);  // as tail's
  plan.drain = config.drain.value_or(Millis(5'000));
  plan.threads = config.threads.value_or(std::clamp<std::size_t>(cores, 1, 2));
  plan.threads = std::min(plan.threads, plan.connections);
  plan.cores = cores;
  plan.canaries = std::clamp<std::size_t>(plan.connections / 10, 2, 8);
  plan.seed = config.seed.value_or(1);
  plan.count_lost = config.count_lost.value_or(CountLost::in);
  plan.thresholds = config.thresholds;
  if (profile != nullptr) add_profile_thresholds(*profile, plan);
  return plan;
}

}  // namespace clawws::bench
