// What every row of the catalogue of hostile inputs needs: a server in this process on an ephemeral
// port, users, raw peers and what the server logged. Each test is named by its row. The server
// starts with the first call that needs it, or with serve().
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/net/certificate.hpp"
#include "support/password_hash.hpp"
#include "support/raw_peer.hpp"
#include "support/test_server.hpp"
#include "support/ws_bytes.hpp"

namespace clawws::test {

using Json = nlohmann::json;

inline constexpr std::string_view k_admin_password = "changeme";
inline constexpr std::string_view k_admin_login = "admin:changeme";
// Its base64 has a '+', a '/' and padding.
inline constexpr std::string_view k_odd_user = "odd";
inline constexpr std::string_view k_odd_password = "\xC3\xBB\xC3\xBF\xC3\xBE~~>";
inline const std::string k_odd_login = std::string(k_odd_user) + ":" + std::string(k_odd_password);

inline std::string admin() {
  return basic(k_admin_login);
}

inline std::string get(std::string_view target, std::string_view fields = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n";
}

inline std::string upgrade_fields() {
  const std::string request = upgrade_request();
  const std::size_t begin = request.find("Upgrade:");
  return request.substr(begin, request.size() - begin - 2);
}

inline std::string chunk(const std::string& data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

inline std::string event_json(const std::string& label) {
  return Json{{"type", "session.created"}, {"payload", {{"sessionKey", "k"}, {"label", label}}}}
      .dump();
}

// Everything that still comes, until the end or `limit`.
inline std::string rest_of(RawPeer& peer, RawPeer::Millis limit = k_patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::string rest;
  while (peer.end() == End::open && std::chrono::steady_clock::now() < deadline) {
    rest += peer.read_some(
        std::chrono::ceil<RawPeer::Millis>(deadline - std::chrono::steady_clock::now()));
  }
  return rest;
}

inline unsigned close_code_of(RawPeer& peer) {
  const auto close = peer.read_close();
  return close ? close->close_code() : 0;
}

// The next text message; nothing when there was none.
inline std::optional<Json> read_json(RawPeer& peer) {
  const auto text = peer.read_text();
  if (!text) return std::nullopt;
  return Json::parse(*text);
}

class Conformance : public ::testing::Test {
 protected:
  using Users = std::map<std::string, std::string>;
  using Change = std::function<void(server::ServerConfig&)>;

  void serve(const Change& change = {}) {
    write_users({{"admin", std::string(k_admin_password)},
                 {"viewer", "viewer-password"},
                 {std::string(k_odd_user), std::string(k_odd_password)},
                 {"j\xC3\xB6rg", "p\xC3\xA4:ss:w\xC3\xB6rd"}});
    server_.emplace([&](server::ServerConfig& config) {
      config.env_file.clear();
      config.users_file = path_of("users");
      if (change) change(config);
    });
  }
  void serve_with_own_certificate() {
    const auto pair = net::make_self_signed({"own.example"}, 10).value();
    write_file("cert.pem", pair.certificate);
    write_file("key.pem", pair.key);
    serve([this](server::ServerConfig& config) {
      config.cert_file = path_of("cert.pem");
      config.key_file = path_of("key.pem");
    });
  }

  TestServer& server() {
    if (!server_) serve();
    return *server_;
  }
  std::uint16_t port() { return server().port(); }
  void reload() { server()->reload(); }
  std::string logged() { return server().logged(); }
  const server::Counters& counters() { return server()->counters(); }

  static std::size_t open_files() {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

  std::string path_of(const std::string& name) const { return (directory_.path() / name).string(); }
  void write_file(const std::string& name, const std::string& content) const {
    directory_.write(name, content);
  }
  // The same password has the same hash each time: another one would be a change.
  void write_users(const Users& users) {
    std::string content;
    for (const auto& [name, password] : users) {
      std::string& hash = hashes_[name + ":" + password];
      if (hash.empty()) hash = make_hash(password, "$5$", 1000);
      content += name + ":" + hash + "\n";
    }
    write_file("users", content);
  }

  // A TLS connection.
  RawPeer connect(const PeerOptions& options = {}) {
    RawPeer peer(port(), options);
    EXPECT_TRUE(peer.handshake()) << peer.tls_error();
    return peer;
  }
  // One request on a connection of its own, `line` being "GET /path".
  HttpAnswer ask(const std::string& line, const std::string& fields = {},
                 const std::string& body = {}) {
    RawPeer peer = connect();
    std::string request = line + " HTTP/1.1\r\nHost: localhost\r\n" + fields;
    if (line.rfind("POST", 0) == 0) {
      if (fields.find("Content-Type:") == std::string::npos)
        request += "Content-Type: application/json\r\n";
      request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    peer.send(request + "\r\n" + body);
    return peer.read_answer().value_or(HttpAnswer());
  }
  // The status of the answer to these bytes; 0 when there is none.
  int status_of(const std::string& bytes) {
    RawPeer peer = connect();
    peer.send(bytes);
    return peer.read_answer().value_or(HttpAnswer()).status;
  }
  // The same, and checks that it is the only answer and that the connection ends.
  int refused(const std::string& bytes) {
    RawPeer peer = connect();
    peer.send(bytes);
    const auto answer = peer.read_answer();
    if (!answer) return 0;
    EXPECT_EQ(answer->field("Connection"), "close") << answer->head;
    EXPECT_EQ(rest_of(peer), "") << "a second answer";
    EXPECT_NE(peer.end(), End::open);
    return answer->status;
  }
  Json publish(const std::string& body) {
    const HttpAnswer answer = ask("POST /clawws/events", admin(), body);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return Json::parse(answer.body);
  }
  // A live session whose first frame was read: see welcome().
  RawPeer open_session(const PeerOptions& options = {}, const std::string& fields = admin(),
                       std::string_view target = "/ws") {
    RawPeer peer = connect(options);
    peer.send(upgrade_request(fields, target));
    EXPECT_EQ(peer.read_answer().value_or(HttpAnswer()).status, 101);
    const Json first = read_json(peer).value_or(Json::object());
    EXPECT_EQ(first.value("type", ""), "auth.success");
    welcome_ = first.value("payload", Json::object());
    return peer;
  }
  const Json& welcome() const { return welcome_; }

  // The close code that these bytes earn on a fresh session. The close frame must be a right one,
  // the last thing that comes, and TCP must end within 5 s though it is never answered.
  unsigned earned(const std::string& bytes) {
    RawPeer peer = open_session();
    peer.send(bytes);
    const auto close = peer.read_close();
    if (!close) return 0;
    EXPECT_EQ(close->first, 0x88U);
    EXPECT_LE(close->payload.size(), 125U);
    EXPECT_TRUE(base::is_utf8(close->close_reason()));
    EXPECT_EQ(rest_of(peer, std::chrono::seconds(5)), "") << "something behind the close frame";
    EXPECT_NE(peer.end(), End::open) << "TCP is still there after 5 s";
    return close->close_code();
  }

 private:
  TempDir directory_;
  Users hashes_;
  std::optional<TestServer> server_;
  Json welcome_;
};

}  // namespace clawws::test
