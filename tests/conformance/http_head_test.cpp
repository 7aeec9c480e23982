// H-rows: request heads and bodies that two parsers could read differently, or that never end.
// After a malformed request there is one answer and the connection ends.
#include "conformance/fixture.hpp"

namespace clawws::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// A publisher's request, and a second one hidden behind it.
std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST /clawws/events HTTP/1.1\r\nHost: localhost\r\n" + admin() +
         "Content-Type: application/json\r\n" + fields + "\r\n" + body;
}
std::string smuggled() {
  return get("/clawws/health");
}

TEST_F(Conformance, H_01_transfer_encoding_gzip) {
  const int status = refused(post("Transfer-Encoding: gzip\r\n", smuggled()));
  EXPECT_TRUE(status == 400 || status == 501) << status;
}

TEST_F(Conformance, H_02_transfer_encoding_lists) {
  for (const char* value : {"chunked, identity", "xchunked", "identity, chunked", "chunked;q=1"}) {
    EXPECT_EQ(refused(post("Transfer-Encoding: "s + value + "\r\n", "0\r\n\r\n" + smuggled())), 400)
        << value;
  }
}

TEST_F(Conformance, H_03_both_lengths) {
  const std::string body = "0\r\n\r\n" + smuggled();
  EXPECT_EQ(refused(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", body)), 400);
  EXPECT_EQ(refused(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", body)), 400);
}

TEST_F(Conformance, H_04_chunked_in_http_1_0) {
  EXPECT_EQ(refused("POST /clawws/events HTTP/1.0\r\nHost: localhost\r\n" + admin() +
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled()),
            400);
}

TEST_F(Conformance, H_05_content_length) {
  for (const char* fields :
       {"Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: 2\r\nContent-Length: 4\r\n",
        "Content-Length: 2, 2\r\n", "Content-Length: +2\r\n", "Content-Length: -2\r\n",
        "Content-Length: 99999999999999999999\r\n", "Content-Length: 2 2\r\n",
        "Content-Length:\r\n"}) {
    EXPECT_EQ(refused(post(fields, "{}" + smuggled())), 400) << fields;
  }
}

TEST_F(Conformance, H_06_credentials_in_a_trailer) {
  const std::string body = "2\r\n{}\r\n0\r\n" + admin() + "\r\n";
  RawPeer peer = connect();
  peer.send(
      "POST /clawws/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
      body);
  EXPECT_EQ(peer.read_answer().value().status, 401);

  // With good credentials the trailer changes nothing: the event is published once, and the
  // trailer's key is not one.
  const std::string event = event_json("H-6");
  for (int i = 0; i < 2; ++i) {
    RawPeer publisher = connect();
    publisher.send(
        post("Transfer-Encoding: chunked\r\n",
             chunk(event) + "0\r\nIdempotency-Key: k\r\nContent-Type: text/plain\r\n\r\n"));
    EXPECT_EQ(publisher.read_answer().value().status, 201);
  }
}

TEST_F(Conformance, H_07_chunk_extension_of_64_KiB) {
  const std::string extension = ";x=" + std::string(64 * 1024, 'a');
  EXPECT_EQ(
      refused(post("Transfer-Encoding: chunked\r\n", "2" + extension + "\r\n{}\r\n0\r\n\r\n")),
      400);
}

TEST_F(Conformance, H_08_host) {
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\r\n\r\n" + smuggled()), 400);
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
}

TEST_F(Conformance, H_09_folded_line) {
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n"), 400);
}

TEST_F(Conformance, H_10_line_ends_names_and_nul) {
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\nHost: localhost\n\n"), 400);
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\r\nHost : localhost\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\r\nHost: localhost\r\nX: a"s + '\0' + "\r\n\r\n"),
            400);
  EXPECT_EQ(refused("GET /clawws/health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n"), 400);
}

TEST_F(Conformance, H_11_two_thousand_fields) {
  std::string fields;
  for (int i = 0; i < 2000; ++i) fields += "a:\r\n";
  EXPECT_EQ(refused(upgrade_request(admin() + fields)), 431);
}

TEST_F(Conformance, H_12_nine_KiB) {
  EXPECT_EQ(refused(get("/clawws/health", "X: " + std::string(9 * 1024, 'a') + "\r\n")), 431);
  EXPECT_EQ(refused(get("/clawws/" + std::string(9 * 1024, 'a'))), 414);
}

TEST_F(Conformance, H_13_head_byte_by_byte) {
  EXPECT_LE(server::ServerConfig().header_timeout, 5s);
  serve([](server::ServerConfig& config) { config.header_timeout = 500ms; });
  RawPeer peer = connect();
  const std::string head = get("/clawws/health", "X: " + std::string(1000, 'a') + "\r\n");
  std::size_t sent = 0;
  std::string answer;
  while (peer.end() == End::open && sent < head.size()) {
    peer.send(std::string_view(head).substr(sent++, 1));
    answer += peer.read_some(20ms);  // a byte each 20 ms
  }
  EXPECT_LT(sent, 200U) << "the deadline is for the whole head";
  EXPECT_TRUE(answer.rfind("HTTP/1.1 408", 0) == 0) << answer;
}

TEST_F(Conformance, H_13_nothing_after_the_tls_handshake) {
  serve([](server::ServerConfig& config) { config.header_timeout = 300ms; });
  RawPeer silent = connect();
  EXPECT_NE(silent.wait_end(5s), End::open);
}

TEST_F(Conformance, H_14_lists_of_nothing) {
  for (const char* name : {"Sec-WebSocket-Extensions: ", "Sec-WebSocket-Protocol: "}) {
    for (const char filler : {' ', ','}) {
      RawPeer peer = connect();
      peer.send(upgrade_request(admin() + name + std::string(7 * 1024, filler) + "\r\n"));
      EXPECT_EQ(peer.read_answer().value().status, 101) << name << filler;
    }
  }
}

TEST_F(Conformance, H_15_body_over_the_limit) {
  EXPECT_EQ(refused(post("Content-Length: 1048577\r\n")), 413) << "at the head";
  EXPECT_EQ(refused(post("Content-Length: 9999999999999999999\r\n")), 413);
  RawPeer peer = connect();
  peer.send(post("Transfer-Encoding: chunked\r\n"));
  const std::string piece = chunk(std::string(60 * 1024, ' '));
  for (int i = 0; i < 20 && peer.send(piece); ++i) {
  }
  EXPECT_EQ(peer.read_answer().value().status, 413);
}

TEST_F(Conformance, H_15_slow_body) {
  serve([](server::ServerConfig& config) { config.body_timeout = 500ms; });
  RawPeer peer = connect();
  peer.send(post("Content-Length: 1000\r\n", "{"));
  std::string answer;
  for (int i = 0; i < 200 && peer.end() == End::open && answer.empty(); ++i) {
    peer.send(" ");
    answer = peer.read_some(20ms);  // a byte each 20 ms
  }
  EXPECT_EQ(answer.rfind("HTTP/1.1 408", 0), 0U) << answer;
  EXPECT_NE(peer.wait_end(), End::open);
}

TEST_F(Conformance, H_16_paths) {
  for (const char* path :
       {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/clawws/../../etc/passwd",
        "/clawws/..%2f..%2fetc/passwd", "/clawws/%00"}) {
    const int status = ask("GET "s + path).status;
    EXPECT_TRUE(status == 404 || status == 400 || status == 401) << path << " " << status;
  }
  for (const char* path : {"//ws", "/x/../ws", "/%77s", "/%2e/clawws/health", "/clawws%2fhealth",
                           "/x\\..\\ws", "/%2577s"}) {
    EXPECT_EQ(ask("GET "s + path).status, 400) << path;
  }
  EXPECT_EQ(refused("GET /clawws/health"s + '\0' + " HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET https://localhost/clawws/health HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            400);
  EXPECT_EQ(refused("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400);
}

TEST_F(Conformance, H_18_request_behind_an_upgrade) {
  RawPeer peer = connect();
  peer.send(upgrade_request(admin()) + smuggled());
  ASSERT_EQ(peer.read_answer().value().status, 101);
  EXPECT_EQ(close_code_of(peer), 1002) << "'G' is a frame with a reserved bit";

  RawPeer frames = connect();
  frames.send(upgrade_request(admin()) + client_text(R"({"type":"ping","timestamp":1})"));
  ASSERT_EQ(frames.read_answer().value().status, 101);
  EXPECT_EQ(read_json(frames).value()["type"], "auth.success");
  EXPECT_EQ(read_json(frames).value()["type"], "pong");

  RawPeer refused = connect();
  refused.send(upgrade_request() + smuggled());
  EXPECT_EQ(refused.read_answer().value().status, 401);
  EXPECT_EQ(rest_of(refused), "") << "nor as HTTP when it is refused";
}

}  // namespace
}  // namespace clawws::test
