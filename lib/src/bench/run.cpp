// The controller never touches a connection: it posts to the loops and waits for the fleets' atomic
// counters. What the loops own is read only by call(), between their turns.
//
//   preflight -> connect -> settle [-> hold] -> warm-up -> measure -> drain -> close -> collect
//                                                ^ the schedule begins   ^ or when all has come
//
// Warm-up and measure are one schedule: nothing pauses between them, the counting alone begins at
// its event. CPU times are taken at that boundary and after the drain, so in an overloaded run the
// backlog of the warm-up is in them; bursts are therefore run without one.
#include "clawws/bench/run.hpp"

#include <algorithm>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/bench/collect.hpp"
#include "clawws/bench/preflight.hpp"
#include "clawws/bench/sampler.hpp"
#include "clawws/bench/use_meter.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;

constexpr Nanos k_close_limit = std::chrono::seconds(3);
// Between planning and the first event: time for every thread to learn of the plan.
constexpr Nanos k_lead = milliseconds(20);

class Run {
 public:
  explicit Run(const RunSetup& setup);
  ~Run();
  std::variant<BenchResult, RunFailure> execute();

 private:
  using Failure = std::optional<RunFailure>;

  Failure preflight();
  Failure connect();
  Failure settle();
  Failure publish();
  Failure disturb();
  void begin_churn();
  void cut_short();
  void drain();
  void close();
  void collect_all();
  void fill(Snapshot& snapshot, Nanos since);
  void look(SeriesRow& row);

  template <class Get>
  std::uint64_t sum(Get get) const {
    std::uint64_t total = 0;
    for (const auto& fleet : fleets_) total += get(fleet->progress());
    return total;
  }
  std::uint64_t live() const {
    return sum([](const Fleet::Progress& p) { return p.live.load(); });
  }
  std::uint64_t failed() const {
    return sum([](const Fleet::Progress& p) { return p.failed.load(); });
  }
  Loop& canary_loop() { return *threads_.back().loop; }
  Loop& publisher_loop() { return *threads_[threads_.size() - 2].loop; }

  const RunSetup& setup_;
  const BenchPlan& plan_;
  std::vector<LoopThread> threads_;  // workers, publisher, canary
  std::shared_ptr<const SampleCodec> codec_;
  std::unique_ptr<Probe> probe_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::vector<std::unique_ptr<Fleet>> fleets_;
  std::vector<std::unique_ptr<Fleet>> canaries_;  // one connection each, opened at their own time
  std::unique_ptr<Fleet> stalled_;
  UseMeter use_;
  Sampler sampler_;
  Watch watch_;
  Measure measure_;
  Schedule schedule_;
  std::vector<std::uint64_t> sent_;  // by each publisher
  Nanos disturbed_at_{0};
  BenchResult result_;
  std::uint64_t shown_delivered_ = 0;
};

Run::Run(const RunSetup& setup)
    : setup_(setup),
      plan_(setup.plan),
      use_(threads_, setup.server_pid),
      sampler_(series_step(plan_), [this](SeriesRow& row) { look(row); }),
      watch_({setup.signal, setup.progress, setup.progress_every,
              [this](Snapshot& snapshot, Nanos since) { fill(snapshot, since); },
              [this](Phase phase, Nanos now) { sampler_.turn(phase, now); }}) {
  for (std::size_t i = 0; i < plan_.threads; ++i)
    threads_.push_back({"worker " + std::to_string(i), std::make_unique<Loop>()});
  threads_.push_back({"publisher", std::make_unique<Loop>()});
  threads_.push_back({"canary", std::make_unique<Loop>()});

  result_.plan = plan_;
  result_.run = base::hex_encode(base::random_bytes(4));
  result_.url = setup.target->ws->url.text();
  result_.server_source = setup.server_source;
  result_.started_millis = base::unix_millis();
  codec_ = std::make_shared<SampleCodec>(result_.run, plan_.size_bytes, plan_.seed);

  std::size_t source = 0;
  const auto make = [&](Loop& loop, std::size_t connections, int receive_buffer) {
    Fleet::Config config;
    config.connections = connections;
    config.first_source = source;
    config.receive_buffer_bytes = receive_buffer;
    // Canaries are cut off by a restart alone.
    const bool is_cut_off =
        &loop == &canary_loop() ? is_restart(plan_.scenario) : comes_back(plan_.scenario);
    if (is_cut_off) config.afterwards = Fleet::Config::Afterwards::resume;
    config.return_limit = plan_.return_limit;
    config.seed = plan_.seed << 32;
    source += connections;
    return std::make_unique<Fleet>(loop, setup.target, config);
  };
  for (std::size_t i = 0; i < plan_.threads; ++i) {
    const std::size_t share =
        plan_.connections / plan_.threads + (i < plan_.connections % plan_.threads ? 1 : 0);
    fleets_.push_back(make(*threads_[i].loop, share, 0));
  }
  for (std::size_t i = 0; i < plan_.canaries; ++i) canaries_.push_back(make(canary_loop(), 1, 0));
  // A small buffer: what a stalled reader does not take must soon be the server's trouble.
  if (plan_.stalled > 0) stalled_ = make(canary_loop(), plan_.stalled, 4096);
  for (std::uint32_t p = 0; p < plan_.publishers; ++p) {
    Publisher::Config config;
    config.index = p;
    config.publishers = plan_.publishers;
    config.batch = plan_.batch;
    config.source = source++;
    config.seed = plan_.seed + p;
    if (is_restart(plan_.scenario)) config.repeat_key = "bench-" + result_.run + "-";
    publishers_.push_back(
        std::make_unique<Publisher>(publisher_loop(), setup.target, codec_, config));
  }
  probe_ = std::make_unique<Probe>(canary_loop(), setup.target, codec_, plan_.publishers);
  for (LoopThread& thread : threads_) thread.loop->start();
}

// Threads first: connections are used by their loop alone.
Run::~Run() {
  for (LoopThread& thread : threads_) thread.loop->stop();
}

std::variant<BenchResult, RunFailure> Run::execute() {
  const Nanos begin = steady_now();
  if (auto failure = preflight()) return *failure;
  if (auto failure = connect()) return *failure;
  if (auto failure = settle()) return *failure;
  if (auto failure = publish()) return *failure;
  drain();
  close();
  collect_all();
  result_.took = steady_now() - begin;
  judge(result_);
  return std::move(result_);
}

// ---- progress -----------------------------------------------------------------------------------

void Run::fill(Snapshot& snapshot, Nanos since) {
  snapshot.asked = plan_.connections;
  snapshot.live = live();
  const bool comes_and_goes = plan_.churn_rate > 0 || comes_back(plan_.scenario);
  if (comes_and_goes) snapshot.live -= sum([](const Fleet::Progress& p) { return p.ended.load(); });
  snapshot.failed = failed();
  snapshot.delivered = sum([](const Fleet::Progress& p) { return p.delivered.load(); });
  snapshot.lost = sum([](const Fleet::Progress& p) { return p.overtaken.load(); });
  if (snapshot.phase >= Phase::measure && since > Nanos(0)) {
    snapshot.rate = static_cast<double>(snapshot.delivered - shown_delivered_) * 1e9 /
                    static_cast<double>(since.count());
    Histogram so_far;
    for (const auto& fleet : fleets_) so_far.merge(fleet->delivery_so_far());
    snapshot.p50 = so_far.percentile(50);
    snapshot.p99 = so_far.percentile(99);
    if (so_far.count() > 0) snapshot.max = so_far.max();
    const std::uint64_t due = std::min(schedule_.count_due(steady_now()), measure_.total);
    // Who comes and goes is not owed everything; who comes back is.
    const std::uint64_t owed_to = plan_.churn_rate > 0         ? 0
                                  : comes_back(plan_.scenario) ? result_.live
                                                               : snapshot.live;
    const std::uint64_t expected = (due - std::min(due, measure_.warm_up)) * owed_to;
    snapshot.outstanding = expected - std::min(expected, snapshot.delivered);
  }
  shown_delivered_ = snapshot.delivered;
}

void Run::look(SeriesRow& row) {
  row.connected = live() - sum([](const Fleet::Progress& p) { return p.ended.load(); });
  const auto pid = setup_.control ? setup_.control->pid() : setup_.server_pid;
  if (!pid) return;
  const auto use = process_use(*pid);
  if (use && use->rss_bytes > 0) row.server_rss = use->rss_bytes;
  if (plan_.scenario == Scenario::soak) row.server_files = open_files(*pid);
}

// ---- connect ------------------------------------------------------------------------------------

Run::Failure Run::preflight() {
  watch_.enter(Phase::preflight);
  if (auto failure = check_limits(plan_)) return failure;
  if (auto failure = ask_server(plan_, *probe_, *publishers_.front(), watch_)) return failure;
  result_.tls = probe_->tls_text();
  probe_->leave();
  return {};
}

Run::Failure Run::connect() {
  watch_.enter(Phase::connect);
  use_.before_connect();
  Ramp ramp;
  ramp.begin = ramp.start = steady_now();
  ramp.limit = plan_.connect_limit;
  const bool all_at_once = plan_.connect_rate <= 0;
  if (all_at_once) ramp.most_at_once = plan_.connections;
  const auto workers = static_cast<std::int64_t>(fleets_.size());
  const Nanos step =
      all_at_once ? Nanos(0) : Nanos(static_cast<std::int64_t>(1e9 / plan_.connect_rate));
  ramp.interval = step * workers;
  // The stalled ones come first, so that they are in everybody's way.
  if (stalled_) stalled_->connect(ramp);
  for (const auto& fleet : fleets_) {
    fleet->connect(ramp);
    ramp.start += step;
  }
  std::size_t canaries_dialled = 0;
  const auto settled = [&] {
    const std::uint64_t dialled = sum([](const Fleet::Progress& p) { return p.dialled.load(); });
    while (canaries_dialled < canaries_.size() &&
           dialled * canaries_.size() >= (canaries_dialled + 1) * plan_.connections) {
      Ramp now = ramp;
      now.start = steady_now();
      canaries_[canaries_dialled++]->connect(now);
    }
    const auto is_settled = [](const auto& fleet) { return fleet->settled(); };
    return canaries_dialled == canaries_.size() && (!stalled_ || is_settled(stalled_)) &&
           std::all_of(fleets_.begin(), fleets_.end(), is_settled) &&
           std::all_of(canaries_.begin(), canaries_.end(), is_settled);
  };
  const Nanos begin = steady_now();
  // Each connection has its own limit; this one is for a loop that hangs.
  watch_.wait_until(
      begin + step * static_cast<std::int64_t>(plan_.connections) + plan_.connect_limit * 4,
      settled);
  result_.connect_took = steady_now() - begin;
  if (watch_.signal() != 0) return interrupted(watch_);
  if (live() > 0) return {};
  for (const auto& fleet : fleets_) {
    const Tally tally = fleet->tally();
    if (!tally.first_failure) continue;
    const int exit = base::info(tally.first_failure->code).exit_code;
    return RunFailure{exit, "no connection could be opened: " + tally.first_failure->what, 0};
  }
  return RunFailure{k_exit_preflight, "no connection could be opened", 0};
}

Run::Failure Run::settle() {
  watch_.enter(Phase::settle, plan_.settle);
  if (watch_.pause_until(steady_now() + plan_.settle) && plan_.hold > milliseconds(0)) {
    watch_.enter(Phase::hold, plan_.hold);
    watch_.pause_until(steady_now() + plan_.hold);
  }
  if (watch_.signal() != 0) return interrupted(watch_);
  use_.settled();
  result_.live = live();
  return {};
}

// ---- events -------------------------------------------------------------------------------------

Run::Failure Run::publish() {
  measure_.codec = codec_;
  measure_.count_lost = plan_.count_lost;
  measure_.publishers = plan_.publishers;
  measure_.warm_up = plan_.warm_up;
  measure_.total = plan_.warm_up + plan_.events;
  measure_.split = measure_.total;
  if (stalled_) measure_.split = plan_.warm_up + plan_.events / 2;
  if (comes_back(plan_.scenario)) {
    measure_.split = lost_at(plan_);
    measure_.window = 2;
  }
  for (const auto& canary : canaries_) canary->begin(measure_);
  measure_.events_a_row = plan_.rate * std::chrono::duration<double>(series_step(plan_)).count();
  for (const auto& fleet : fleets_) fleet->begin(measure_);
  schedule_ = Schedule(steady_now() + k_lead, plan_.rate);
  for (const auto& publisher : publishers_) publisher->run(schedule_, measure_.total);

  watch_.enter(Phase::warm_up, schedule_.due(measure_.warm_up) - steady_now());
  watch_.pause_until(schedule_.due(measure_.warm_up));
  watch_.enter(Phase::measure, schedule_.due(measure_.total) - steady_now());
  use_.measure_begins();
  if (plan_.churn_rate > 0) begin_churn();
  if (stalled_ && watch_.pause_until(schedule_.due(measure_.split))) stalled_->stall();
  if (comes_back(plan_.scenario))
    if (auto failure = disturb()) return failure;
  if (!watch_.pause_until(schedule_.due(measure_.total - 1))) {
    cut_short();
    return {};
  }
  for (const Ledger::Stream& stream : measure_.streams()) sent_.push_back(stream.end);
  return {};
}

Run::Failure Run::disturb() {
  std::vector<Fleet*> fleets;
  for (const auto& fleet : fleets_) fleets.push_back(fleet.get());
  Disturbance disturbance(
      {plan_, std::move(fleets), result_.live, setup_.control ? &*setup_.control : nullptr},
      schedule_, watch_);
  auto failure = disturbance.run();
  disturbed_at_ = disturbance.began_at();
  result_.server_down = disturbance.server_down();
  return failure;
}

// Each fleet has its share, so that together they make the rate.
void Run::begin_churn() {
  Churn churn;
  churn.schedule = schedule_;
  churn.linger = plan_.drain;
  const auto step = Nanos(static_cast<std::int64_t>(1e9 / plan_.churn_rate));
  churn.interval = step * static_cast<std::int64_t>(fleets_.size());
  churn.start = steady_now() + step;
  for (const auto& fleet : fleets_) {
    fleet->churn(churn);
    churn.start += step;
  }
}

// What was sent is the whole plan now: an event that nobody sent is not lost.
void Run::cut_short() {
  for (const auto& fleet : fleets_) fleet->end_churn();
  for (const auto& publisher : publishers_) sent_.push_back(publisher->halt());
  for (const auto& fleet : fleets_) fleet->shorten(sent_);
  for (const auto& canary : canaries_) canary->shorten(sent_);
  const auto streams = measure_.streams();
  result_.plan.events = 0;
  for (std::size_t p = 0; p < sent_.size(); ++p)
    result_.plan.events += sent_[p] - std::min(sent_[p], streams[p].skip);
  result_.signal = watch_.signal();
}

void Run::drain() {
  const Nanos last = result_.signal == 0 ? schedule_.due(measure_.total - 1) : steady_now();
  watch_.enter(Phase::drain, plan_.drain);
  for (const auto& fleet : fleets_) fleet->end_churn();
  // A signal ends the publishing; what was published is still waited for.
  watch_.insist_until(last + plan_.drain, [&] {
    const bool all_answered = std::all_of(publishers_.begin(), publishers_.end(),
                                          [](const auto& publisher) { return publisher->done(); });
    return all_answered &&
           sum([](const Fleet::Progress& p) { return p.missing.load() + p.away.load(); }) == 0;
  });
  use_.measure_ends(
      result_.live + canaries_.size() + (stalled_ ? stalled_->progress().live.load() : 0), result_);
  for (const auto& fleet : fleets_) fleet->end();
  for (const auto& canary : canaries_) canary->end();
}

// ---- the end ------------------------------------------------------------------------------------

void Run::close() {
  watch_.enter(Phase::close, k_close_limit);
  if (stalled_) result_.stalled_ended = stalled_->progress().ended.load();
  for (const auto& publisher : publishers_) {
    result_.publish.add(publisher->tally());
    publisher->stop();
  }
  std::vector<Fleet*> all;
  for (const auto& fleet : fleets_) all.push_back(fleet.get());
  for (const auto& canary : canaries_) all.push_back(canary.get());
  for (Fleet* fleet : all) fleet->leave();
  if (stalled_) stalled_->abandon();
  watch_.insist_until(steady_now() + k_close_limit, [&] {
    return std::all_of(all.begin(), all.end(), [](const Fleet* f) { return f->gone(); });
  });
}

void Run::collect_all() {
  for (const auto& fleet : fleets_) {
    result_.fleet.add(fleet->tally());
    fleet->abandon();
  }
  Tally canaries;
  for (const auto& canary : canaries_) {
    canaries.add(canary->tally());
    canary->abandon();
  }
  const auto& comeback = result_.fleet.comeback;
  if (comeback && disturbed_at_ > Nanos(0) && comeback->not_back == 0 && comeback->lost > 0)
    result_.all_back = comeback->last_back - disturbed_at_;
  result_.series = sampler_.take();
  collect(result_, canaries, measure_, sent_);
}

}  // namespace

std::variant<BenchResult, RunFailure> run_once(const RunSetup& setup) {
  return Run(setup).execute();
}

}  // namespace clawws::bench
