// T-rows: what may happen before the first byte of HTTP.
#include <openssl/ssl.h>

#include <vector>

#include "conformance/fixture.hpp"

namespace clawws::test {
namespace {

using namespace std::chrono_literals;

// Peers that only hold a connection are ended by the handshake's deadline; this one is short.
void quick_handshake(server::ServerConfig& config) {
  config.handshake_timeout = 500ms;
}

TEST_F(Conformance, T_01_nothing_is_sent) {
  EXPECT_LE(server::ServerConfig().handshake_timeout, 5s);
  serve(quick_handshake);
  const auto before = logged().size();
  RawPeer peer(port());
  EXPECT_NE(peer.wait_end(5s), End::open);
  EXPECT_TRUE(eventually([&] { return counters().handshakes_failed == 1; }));
  const std::string lines = logged().substr(before);
  EXPECT_EQ(lines.find("level=info"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("level=warn"), std::string::npos) << lines;
}

TEST_F(Conformance, T_02_client_hello_byte_by_byte) {
  serve(quick_handshake);
  RawPeer peer(port());
  const std::string hello = RawPeer::client_hello();
  const auto start = std::chrono::steady_clock::now();
  std::size_t sent = 0;
  while (peer.wait_end(20ms) == End::open && sent < hello.size()) {  // a byte each 20 ms
    peer.send(std::string_view(hello).substr(sent++, 1));
  }
  EXPECT_LT(sent, hello.size()) << "the deadline is for the whole handshake";
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST_F(Conformance, T_03_plain_http_on_the_tls_port) {
  RawPeer peer(port());
  peer.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(peer.wait_end(), End::open);
  EXPECT_EQ(ask("GET /clawws/health").status, 200);
}

TEST_F(Conformance, T_04_old_tls_versions) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    RawPeer peer(port());
    EXPECT_FALSE(peer.handshake({.most_version = version}));
    EXPECT_NE(peer.tls_error().find("protocol version"), std::string::npos) << peer.tls_error();
    EXPECT_EQ(peer.end(), End::alert);
  }
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawPeer peer(port());
    EXPECT_TRUE(peer.handshake({.least_version = version, .most_version = version}));
  }
}

TEST_F(Conformance, T_05_renegotiation) {
  RawPeer peer(port());
  ASSERT_TRUE(peer.handshake({.most_version = TLS1_2_VERSION}));
  EXPECT_FALSE(peer.renegotiate());
}

TEST_F(Conformance, T_06_connections_of_one_address) {
  constexpr std::size_t k_limit = 20;
  serve([](server::ServerConfig& config) {
    config.max_clients_per_ip = k_limit;
    config.loopback_limit = server::ServerConfig::LoopbackLimit::as_others;
  });
  std::vector<RawPeer> peers;
  for (int i = 0; i < 200; ++i)
    peers.emplace_back(port(), PeerOptions{.from_address = "127.0.0.9"});
  EXPECT_TRUE(eventually([&] { return counters().connections_refused == 200 - k_limit; }));
  std::size_t open = 0;
  for (RawPeer& peer : peers) {
    if (peer.wait_end(0ms) == End::open) ++open;
  }
  EXPECT_EQ(open, k_limit);

  RawPeer other(port(), {.from_address = "127.0.0.10"});
  EXPECT_TRUE(other.handshake());
  peers.clear();
  EXPECT_TRUE(eventually([&] {
    RawPeer again(port(), {.from_address = "127.0.0.9"});
    return again.handshake();
  }));
}

TEST_F(Conformance, T_07_reset_in_the_handshake) {
  serve();
  const std::string hello = RawPeer::client_hello();
  const std::size_t files = open_files();
  for (int i = 0; i < 2000; ++i) {
    RawPeer peer(port());
    if (i % 2 == 0) peer.send(std::string_view(hello).substr(0, hello.size() / 2));
    if (i % 3 == 0) peer.send(hello);
    peer.reset();
  }
  EXPECT_TRUE(eventually([&] { return counters().connections_open == 0; }));
  EXPECT_TRUE(eventually([&] { return open_files() == files; })) << open_files() << " " << files;
  EXPECT_EQ(ask("GET /clawws/health").status, 200);
}

TEST_F(Conformance, T_08_certificate_replaced_by_garbage) {
  serve_with_own_certificate();
  RawPeer before = connect();
  const std::string subject = before.certificate_subject();
  write_file("cert.pem", "garbage\n");
  reload();
  EXPECT_TRUE(eventually([&] { return logged().find("cert.pem") != std::string::npos; }));
  RawPeer after = connect();
  EXPECT_EQ(after.certificate_subject(), subject);
  EXPECT_TRUE(before.send(get("/clawws/health")));
  EXPECT_EQ(before.read_answer().value().status, 200) << "connections live on";
}

}  // namespace
}  // namespace clawws::test
