// One GET over a connection of its own: what a program asks a server once. Follows no redirects.
// Everything on the executor's one thread. Destroying it drops the request; no callback then.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clawws/base/time.hpp"
#include "clawws/net/dial_target.hpp"
#include "clawws/net/ending.hpp"
#include "clawws/net/tls_stream.hpp"

namespace clawws::net {

struct HttpGetRequest {
  std::string path;           // and query, of the request line
  std::string authorization;  // the header's value; empty: none. Wiped after use
  std::string user_agent;
  std::size_t most_body_bytes = 64u << 20;
  base::Millis answer_timeout{10'000};  // from the established connection to the last byte
};

struct HttpGetResult {
  std::optional<std::string> body;  // of a 200
  Ending ending;                    // why not, without `body`
};

class HttpGet {
 public:
  using Done = std::function<void(HttpGetResult)>;

  HttpGet(Executor executor, std::shared_ptr<const DialTarget> target);
  HttpGet(const HttpGet&) = delete;
  HttpGet& operator=(const HttpGet&) = delete;
  ~HttpGet();

  // Once. `done` is called once, never from inside.
  void start(HttpGetRequest request, Done done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace clawws::net
