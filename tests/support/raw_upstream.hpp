// An application behind the proxy that may do everything wrong: plain TCP, POSIX calls and a tiny
// HTTP reader of its own, so that it shares no code with what it tests. Each connection runs the
// script on a thread of its own; calls block, up to k_patience.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "clawws/base/posix.hpp"
#include "support/eventually.hpp"

namespace clawws::test {

struct SeenRequest {
  std::string head;  // with the request line and the blank line
  std::string body;  // chunks joined

  std::string line() const { return head.substr(0, head.find("\r\n")); }
  // All values of a field, joined by " | "; "" when there is none.
  std::string field(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

class UpstreamPeer {
 public:
  explicit UpstreamPeer(int fd) : fd_(fd) {}

  // Nothing when the connection ended first, or what came is no well-formed request: see
  // malformed().
  std::optional<SeenRequest> read_request();
  std::optional<std::string> read_head();
  bool malformed() const { return malformed_; }
  // What has come, at least a byte; "" at the end.
  std::string read_some(std::size_t most = 64 * 1024);
  bool send(std::string_view bytes);
  // True when the other side closes within `limit`; drops what it sends.
  bool wait_end(std::chrono::milliseconds limit = k_patience);
  void close();
  void reset();  // a RST once the script has ended
  int fd() const { return fd_.get(); }

 private:
  bool fill();

  base::UniqueFd fd_;
  std::string in_;
  bool malformed_ = false;
};

class RawUpstream {
 public:
  using Script = std::function<void(UpstreamPeer& peer, int number)>;  // connections count from 0
  using App = std::function<std::string(const SeenRequest&)>;

  // Listens on 127.0.0.1; port 0 picks one.
  explicit RawUpstream(Script script, std::uint16_t port = 0);
  // Answers every request with what `app` gives, connections kept.
  explicit RawUpstream(App app, std::uint16_t port = 0);
  RawUpstream(const RawUpstream&) = delete;
  RawUpstream& operator=(const RawUpstream&) = delete;
  ~RawUpstream();

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }
  // Those that an App was asked.
  std::vector<SeenRequest> requests() const;
  // An App's peer that sent something else.
  bool saw_malformed() const { return malformed_; }

 private:
  void accept_loop();
  void listen_on(std::uint16_t port);

  Script script_;
  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false}, malformed_{false};
  mutable std::mutex mutex_;
  std::vector<SeenRequest> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// "HTTP/1.1 200 OK" with a Content-Length and further `fields`, each with its CRLF.
std::string ok(std::string_view body, std::string_view fields = {});

}  // namespace clawws::test
