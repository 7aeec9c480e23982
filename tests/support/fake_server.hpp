// A WSS server that does what a script says, faults above all: it refuses, resets, falls silent,
// lies about positions. Made of Beast over Asio's blocking ssl::stream, so that it shares neither
// transport nor codec with what it tests.
//
// Each connection runs the script on a thread of its own, calls block. A call on a connection that
// the client has left ends the script (by an exception that the server keeps to itself).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace clawws::test {

class FakePeer {
 public:
  struct Impl;
  explicit FakePeer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  // The TLS handshake; ends the script when the client does not like it.
  void tls();
  // Reads the upgrade request (after tls() if that has not happened).
  void request();
  const std::string& target() const;                  // "/ws?since=…"
  std::string header(const std::string& name) const;  // "" when absent
  // Answers the request; each does what is before it when that has not happened.
  void accept(const std::string& subprotocol = "clawws.v1");
  void refuse(int status, const std::vector<std::pair<std::string, std::string>>& headers = {},
              const std::string& body = "");
  void send_raw(const std::string& bytes);  // inside TLS

  void send(const std::string& text);
  void send_binary(const std::string& bytes);
  // auth.success with these numbers.
  void welcome(const std::string& epoch, std::uint64_t seq, std::uint64_t oldest = 1,
               bool resumed = false, std::optional<std::uint64_t> lost = 0);
  void event(std::uint64_t seq, const std::string& type = "agent.status",
             std::optional<std::uint64_t> prev = {});
  void close(unsigned code, const std::string& reason = "");
  void reset();  // RST
  // The next text message; answers pings meanwhile. Nothing when the client has gone.
  std::optional<std::string> read();
  // Reads until the client has gone, answering `ping` messages with this position; returns the
  // close code it gave (1006: none).
  unsigned serve(const std::string& epoch, std::uint64_t seq);
  // Neither reads nor writes until the server is stopped.
  void fall_silent();

 private:
  std::shared_ptr<Impl> impl_;
};

class FakeServer {
 public:
  // `number` counts connections from 0.
  using Script = std::function<void(FakePeer& peer, int number)>;

  // Listens on 127.0.0.1; port 0 picks one.
  explicit FakeServer(Script script, std::uint16_t port = 0);
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer();

  std::uint16_t port() const { return port_; }
  std::string url() const;  // wss://127.0.0.1:PORT/ws
  const std::string& certificate_pem() const;
  std::string pin() const;
  int connections() const { return connections_; }

 private:
  struct Listener;
  void accept_loop();

  Script script_;
  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<FakePeer::Impl>> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// A whole event as a server sends it.
std::string event_text(std::uint64_t seq, const std::string& type = "agent.status",
                       std::optional<std::uint64_t> prev = {});

}  // namespace clawws::test
