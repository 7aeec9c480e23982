// `clawws tail --state`: takes the server's state, shows it and ends; with --follow it subscribes
// from the state's position, folds each event into it and keeps what is shown up to date, over
// reconnects, and takes the state anew when events were lost. Everything on the io_context's one
// thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "clawws/client/run_tail.hpp"

namespace clawws::client {

class StateTail {
 public:
  // `config` has been validated. SIGPIPE must be ignored.
  StateTail(boost::asio::io_context& io, TailConfig config, const Environment& environment, TailStreams streams);
  StateTail(const StateTail&) = delete;
  StateTail& operator=(const StateTail&) = delete;
  ~StateTail();

  // Asks for a password when one is needed, then begins. io.run() does the rest.
  void start();
  // SIGINT, SIGTERM: the end. SIGUSR2: retry now.
  void signal(int number);
  // After io.run() has returned.
  TailResult result() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace clawws::client
