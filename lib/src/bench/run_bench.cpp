#include "clawws/bench/run_bench.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <thread>

#include "clawws/base/posix.hpp"
#include "clawws/bench/output.hpp"
#include "clawws/bench/process.hpp"
#include "clawws/bench/progress.hpp"
#include "clawws/bench/report.hpp"
#include "clawws/bench/run.hpp"
#include "clawws/client/local_server.hpp"

namespace clawws::bench {
namespace {

using base::Errc;
using base::Error;

constexpr std::chrono::milliseconds k_server_start{15'000};
constexpr std::chrono::milliseconds k_poll{10};
constexpr std::chrono::milliseconds k_server_stop{10'000};

// SIGINT and SIGTERM as numbers to ask for, while it lives. Made before any thread, so that all of
// them leave these signals alone.
class Signals {
 public:
  Signals() {
    sigset_t taken;
    ::sigemptyset(&taken);
    ::sigaddset(&taken, SIGINT);
    ::sigaddset(&taken, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &taken, &before_);
    fd_.reset(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
    ::signal(SIGPIPE, SIG_IGN);
  }
  ~Signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The first that came; 0: none yet.
  int number() {
    signalfd_siginfo info{};
    if (number_ == 0 && ::read(fd_.get(), &info, sizeof info) == sizeof info)
      number_ = static_cast<int>(info.ssi_signo);
    return number_;
  }

 private:
  sigset_t before_{};
  base::UniqueFd fd_;
  int number_ = 0;
};

// The server that this run measures: where, and which process it is.
struct Measured {
  std::unique_ptr<ServerProcess> process;  // null: it was there already
  std::shared_ptr<const Target> target;
  std::optional<pid_t> pid;
  std::string source;
};

BenchExit fail(int code, const std::string& what, int signal = 0) {
  say(what);
  return {code, signal};
}

BenchExit fail(const Error& error) {
  return fail(base::info(error.code).exit_code, error.message());
}

// Waits until the server that was started says where it listens.
base::Result<void> wait_for_record(ServerProcess& process, Signals& signals) {
  const auto deadline = base::SteadyClock::now() + k_server_start;
  while (!net::read_server_record(process.state_dir())) {
    if (!process.is_running())
      return Error(Errc::connect_failed,
                   "the server ended before it listened; it said:\n" + process.log_tail());
    if (base::SteadyClock::now() >= deadline)
      return Error(Errc::connect_failed,
                   "the server does not listen after 15 s; it said:\n" + process.log_tail());
    if (signals.number() != 0) return Error(Errc::interrupted, "interrupted");
    std::this_thread::sleep_for(k_poll);
  }
  return {};
}

// Which server: one that is started for the run unless a URL or a state directory names one; with
// --spawn and a URL both. Without --server-pid its process is the started one, or the local
// server's when that is the one that is measured.
base::Result<Measured> find_measured(const BenchConfig& config,
                                     const client::Environment& environment, Signals& signals) {
  Measured measured;
  client::ApproachConfig approach = config.approach;
  const bool starts_one = !config.spawn.empty() || (!approach.url && !approach.state_dir);
  if (starts_one) {
    auto process = ServerProcess::start(config.spawn);
    if (!process) return process.error();
    measured.process = std::move(*process);
    measured.source = config.spawn.empty() ? "own server" : "--spawn";
    if (!approach.url) {
      if (auto ready = wait_for_record(*measured.process, signals); !ready) return ready.error();
      approach.state_dir = measured.process->state_dir();
    }
    measured.pid = measured.process->pid();
  } else {
    measured.source = "already running";
  }
  client::Approach way(approach, environment);
  if (auto asked = way.ask_now(); !asked) return asked.error();
  auto attempt = way.prepare();
  if (!attempt) return attempt.error();
  auto target = make_target(*attempt);
  if (!target) return target.error();
  measured.target = std::move(*target);
  if (config.server_pid) measured.pid = config.server_pid;
  if (!measured.pid) {
    const auto local =
        client::find_local_server(client::state_directories(approach.state_dir, environment));
    if (local.found && client::is_local_server(local.found->record, measured.target->ws->url))
      measured.pid = local.found->record.pid;
  }
  return measured;
}

// What a restart needs: only of a server that this process has started.
std::optional<ServerControl> control_of(const Measured& measured) {
  ServerProcess* const process = measured.process.get();
  if (process == nullptr) return std::nullopt;
  const std::shared_ptr<const Target> target = measured.target;
  ServerControl control;
  control.end = [process](int signal) { process->send(signal); };
  control.has_ended = [process] { return !process->is_running(); };
  control.start = [process, target] { return process->start_again(target->ws->url.port); };
  control.is_listening = [target] { return is_listening(*target); };
  control.pid = [process] { return std::optional(process->pid()); };
  return control;
}

// ---- reports ------------------------------------------------------------------------------------

ProgressLine::Form progress_form(const BenchConfig& config) {
  const bool is_terminal = client::stream_kind(STDERR_FILENO) == client::StreamKind::terminal;
  switch (config.progress) {
    case ProgressChoice::never:
      return ProgressLine::Form::none;
    case ProgressChoice::always:
      break;
    case ProgressChoice::automatic:
      if (config.verbosity == BenchConfig::Verbosity::quiet) return ProgressLine::Form::none;
  }
  if (config.verbosity == BenchConfig::Verbosity::verbose) return ProgressLine::Form::phases;
  return is_terminal ? ProgressLine::Form::redrawn : ProgressLine::Form::lines;
}

// What the text goes to: stderr when stdout is taken by another report.
int text_fd(const BenchConfig& config) {
  const bool is_taken = config.json_file == "-" || config.junit_file == "-" ||
                        config.csv_file == "-" || config.html_file == "-";
  return is_taken ? STDERR_FILENO : STDOUT_FILENO;
}

base::Result<void> write_text(const BenchConfig& config, const client::Environment& environment,
                              const BenchResult& result, std::size_t number, std::size_t of) {
  const int fd = text_fd(config);
  const client::Color color =
      client::decide_color(config.color, client::stream_kind(fd), environment);
  auto written = write_all(fd, numbered_report(result, number, of, color));
  const std::string summary = environment("GITHUB_STEP_SUMMARY");
  if (written && !summary.empty()) written = append_report(summary, summary_report(result));
  return written;
}

// A report that was asked for and cannot be written is a failure of the run.
base::Result<void> write_files(const BenchConfig& config, std::span<const BenchResult> runs) {
  auto written = write_all(text_fd(config), runs_summary(runs));
  if (written && !config.json_file.empty())
    written = write_report(config.json_file, json_report(runs, config.repeat));
  if (written && !config.junit_file.empty())
    written = write_report(config.junit_file, junit_report(runs));
  if (written && !config.csv_file.empty())
    written = write_report(config.csv_file, csv_report(runs));
  if (written && !config.html_file.empty())
    written = write_report(config.html_file, html_report(runs));
  return written;
}

// Runs, and runs again while the result cannot be trusted and retries are left.
std::variant<BenchResult, RunFailure> run_until_valid(const RunSetup& setup,
                                                      std::uint64_t retries) {
  for (;;) {
    std::variant<BenchResult, RunFailure> outcome = run_once(setup);
    const auto* const result = std::get_if<BenchResult>(&outcome);
    if (result == nullptr || result->verdict.valid || result->signal != 0 || retries == 0)
      return outcome;
    --retries;
    std::string reasons;
    for (const std::string& reason : result->verdict.reasons)
      reasons += (reasons.empty() ? "" : "; ") + reason;
    say("the run cannot be trusted (" + reasons + "); once more");
  }
}

// A run that found nothing. What earlier runs of --repeat found is still written.
BenchExit end_early(const BenchConfig& config, std::span<const BenchResult> runs,
                    Measured& measured, const RunFailure& failure) {
  std::string log;
  if (measured.process) measured.process->stop(k_server_stop);
  if (measured.process && failure.signal == 0) log = measured.process->log_tail();
  if (!runs.empty())
    if (const auto written = write_files(config, runs); !written) say(written.error().message());
  return fail(failure.exit_code, failure.what + (log.empty() ? "" : "\nthe server said:\n" + log),
              failure.signal);
}

}  // namespace

// The server outlives retries and repeats.
BenchExit run_bench(const BenchConfig& config, const client::Environment& environment) {
  Signals signals;
  auto measured = find_measured(config, environment, signals);
  if (!measured) {
    if (signals.number() != 0) return fail(128 + signals.number(), "interrupted", signals.number());
    return fail(measured.error());
  }
  const ProgressLine::Form form = progress_form(config);
  ProgressLine progress(STDERR_FILENO, form);
  RunSetup setup;
  setup.plan = make_plan(config, std::max(1U, std::thread::hardware_concurrency()));
  setup.target = measured->target;
  setup.server_source = measured->source;
  setup.server_pid = measured->pid;
  if (is_restart(setup.plan.scenario)) setup.control = control_of(*measured);
  setup.signal = [&] { return signals.number(); };
  if (form != ProgressLine::Form::none)
    setup.progress = [&](const Snapshot& snapshot) { progress.show(snapshot); };
  if (form != ProgressLine::Form::redrawn) setup.progress_every = std::chrono::seconds(1);
  const bool is_guest =
      measured->process == nullptr && config.verbosity != BenchConfig::Verbosity::quiet;
  if (is_guest) say("publishes bench.sample events at " + measured->target->ws->url.text());

  std::vector<BenchResult> runs;
  while (runs.size() < config.repeat && (runs.empty() || runs.back().signal == 0)) {
    std::variant<BenchResult, RunFailure> outcome =
        run_until_valid(setup, config.retries.value_or(0));
    progress.clear();
    if (const auto* failure = std::get_if<RunFailure>(&outcome))
      return end_early(config, runs, *measured, *failure);
    runs.push_back(std::move(std::get<BenchResult>(outcome)));
    // The server has ended before the last report: what its end has to say is in its log by then.
    if (measured->process && (runs.size() == config.repeat || runs.back().signal != 0))
      measured->process->stop(k_server_stop);
    if (auto written = write_text(config, environment, runs.back(), runs.size(), config.repeat);
        !written)
      return fail(written.error());
  }
  const auto written = write_files(config, runs);
  if (const int signal = runs.back().signal; signal != 0) return {128 + signal, signal};
  if (!written) return fail(written.error());
  return {exit_code(runs), 0};
}

}  // namespace clawws::bench
