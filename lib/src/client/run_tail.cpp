#include "clawws/client/run_tail.hpp"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>

#include "clawws/base/posix.hpp"
#include "clawws/client/notes.hpp"
#include "clawws/client/session.hpp"
#include "clawws/client/state_tail.hpp"
#include "clawws/client/tail.hpp"

namespace clawws::client {
namespace {

namespace asio = boost::asio;

// The loop's own, a connection, a probe beside it, the cursor's, and files that are read at each
// attempt.
constexpr std::size_t k_files_needed = 14;

using Signals = asio::basic_signal_set<Session::Executor>;

template <class Tool>
void pass_on_signals(Signals& signals, Tool& tail) {
  signals.async_wait([&signals, &tail](const boost::system::error_code& error, int number) {
    if (error) return;
    tail.signal(number);
    pass_on_signals(signals, tail);
  });
}

template <class Tool>
TailResult run_tool(const TailConfig& config, const Environment& environment, TailStreams streams) {
  asio::io_context io(1);
  Tool tail(io, config, environment, streams);
  // Started first: while a person is asked for a password, signals do what they always do.
  tail.start();
  Signals signals(io.get_executor(), SIGINT, SIGTERM, SIGUSR1);
  signals.add(SIGUSR2);
  pass_on_signals(signals, tail);
  io.run();
  return tail.result();
}

}  // namespace

TailResult run_tail(const TailConfig& config, const Environment& environment, TailStreams streams) {
  ::signal(SIGPIPE, SIG_IGN);
  if (const auto enough = base::check_free_files(k_files_needed); !enough) {
    const std::string line = error_line("clawws tail", enough.error().message(), Color::off);
    [[maybe_unused]] const ssize_t written =
        ::write(streams.notes_fd, line.data(), line.size());  // there is no other place to say it
    return {base::info(enough.error().code).exit_code, 0};
  }
  return config.shows_state ? run_tool<StateTail>(config, environment, streams) : run_tool<Tail>(config, environment, streams);
}

}  // namespace clawws::client
