// The way to a server as a client: DNS, TCP, TLS and the certificate's check, one attempt, with the
// time that each took. What is spoken over the stream is its user's business. Several addresses are
// tried one after the other, each with its share of the time.
//
// Everything on the executor's one thread. Destroying it drops the attempt; no callback then.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clawws/base/time.hpp"
#include "clawws/net/dial_target.hpp"
#include "clawws/net/ending.hpp"
#include "clawws/net/tls_stream.hpp"

namespace clawws::net {

struct Dialed {
  TlsStream stream;
  std::string peer;  // "127.0.0.1:8443"
  std::string tls;   // "TLSv1.3 TLS_AES_128_GCM_SHA256"
  PhaseTimes times;  // of resolve, connect and tls
};

struct DialResult {
  std::optional<Dialed> dialed;
  Ending ending;  // why not, without `dialed`
};

class Dialer {
 public:
  using Done = std::function<void(DialResult)>;

  Dialer(Executor executor, std::shared_ptr<const DialTarget> target);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  ~Dialer();

  // Once. `done` is called once, never from inside. `local_address`: to connect from; empty: any.
  void start(const std::string& local_address, base::SteadyTime deadline, Done done);
  Phase phase() const noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// "no answer within 2.5 s (TLS, localhost:8443)"
Ending no_answer(const DialTarget& target, Phase phase);
// A read, write or handshake that failed on an established TCP connection: cut off, or
// `tls_detail`.
Ending cut_off(Phase phase, const error_code& error, const std::string& tls_detail);

}  // namespace clawws::net
