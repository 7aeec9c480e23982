// `clawws tail` as an object: a Session whose events go through a Renderer to an Output, notes
// about what a person must know, the limits of a bounded run, and the exit code. Signals come in as
// calls, so tests need none.
//
//   net -> Session -> Tail -> Renderer -> Output (its own thread) -> stdout, stderr
//
// Lives on the io_context's thread; ends by stopping that context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "clawws/client/run_tail.hpp"

namespace clawws::client {

class CLAWWS_API Tail {
 public:
  // `config` has been validated. SIGPIPE must be ignored.
  Tail(boost::asio::io_context& io, TailConfig config, Environment environment,
       TailStreams streams);
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;
  ~Tail();

  // Asks for a password when one is needed, then begins. io.run() does the rest.
  void start();
  // SIGINT, SIGTERM: clean end, at once the second time. SIGUSR1: summary. SIGUSR2: retry now.
  void signal(int number);
  // After io.run() has returned.
  TailResult result() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace clawws::client
