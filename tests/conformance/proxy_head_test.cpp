// The H-rows through the proxy: whatever a client sends, the application sees exactly one
// well-formed request, or none.
#include "conformance/fixture.hpp"
#include "support/raw_upstream.hpp"

namespace clawws::test {
namespace {

using namespace std::string_literals;

class ProxyConformance : public Conformance {
 protected:
  ProxyConformance()
      : app_([](const SeenRequest& request) { return ok(request.line() + "\n" + request.body); }) {
    serve([this](server::ServerConfig& config) {
      config.threads = 1;
      config.upstream = net::parse_url(app_.url()).value();
    });
  }

  static std::string post(const std::string& fields, const std::string& body = {}) {
    return "POST /app HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
  }
  static std::string smuggled() { return get("/smuggled"); }

  // All that the client gets for these bytes until the connection ends. Then nothing is on its way.
  std::string ends_with(const std::string& bytes) {
    RawPeer peer = connect();
    peer.send(bytes);
    return rest_of(peer, std::chrono::seconds(5));
  }
  // Refused with this status, and the application has seen nothing at all.
  void expect_refused(const std::string& bytes, int status, const std::string& what) {
    const std::size_t before = app_.requests().size();
    const std::string answers = ends_with(bytes);
    EXPECT_TRUE(answers.starts_with("HTTP/1.1 " + std::to_string(status)))
        << what << ": " << answers.substr(0, 200);
    EXPECT_EQ(answers.find("\nHTTP/1.1 ", 1), std::string::npos) << what << ": one answer";
    EXPECT_EQ(app_.requests().size(), before) << what;
    EXPECT_FALSE(app_.saw_malformed()) << what;
  }

  RawUpstream app_;
};

TEST_F(ProxyConformance, H_01_H_02_transfer_encodings) {
  for (const char* value :
       {"gzip", "chunked, identity", "xchunked", "identity, chunked", "chunked;q=1",
        "\x0b"
        "chunked",
        "chunked, chunked"}) {
    expect_refused(post("Transfer-Encoding: "s + value + "\r\n", "0\r\n\r\n" + smuggled()), 400,
                   value);
  }
  expect_refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                      "0\r\n\r\n" + smuggled()),
                 400, "two");
  expect_refused(post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + smuggled()), 400,
                 "a space before the colon");
}

TEST_F(ProxyConformance, H_03_H_04_both_lengths_and_http_1_0) {
  const std::string body = "0\r\n\r\n" + smuggled();
  expect_refused(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", body), 400, "TE, CL");
  expect_refused(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", body), 400, "CL, TE");
  expect_refused(
      "POST /app HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body, 400,
      "1.0");
}

TEST_F(ProxyConformance, H_05_content_length) {
  for (const char* fields :
       {"Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: 2\r\nContent-Length: 4\r\n",
        "Content-Length: 2, 2\r\n", "Content-Length: +2\r\n", "Content-Length: -2\r\n",
        "Content-Length: 0x2\r\n", "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 2 2\r\n", "Content-Length:\r\n"}) {
    expect_refused(post(fields, "{}" + smuggled()), 400, fields);
  }
}

TEST_F(ProxyConformance, H_06_trailers_end_here) {
  const std::string fields = "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n";
  expect_refused(post(fields, "2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n" + smuggled()), 400,
                 "a length in a trailer");
  RawPeer peer = connect();
  peer.send(post(fields, "2\r\n{}\r\n0\r\nAuthorization: Basic eDp5\r\n\r\n"));
  EXPECT_EQ(peer.read_answer().value().status, 200);
  ASSERT_EQ(app_.requests().size(), 1U);
  EXPECT_EQ(app_.requests()[0].field("Authorization"), "");
  EXPECT_EQ(app_.requests()[0].body, "{}");
  EXPECT_FALSE(app_.saw_malformed());
}

TEST_F(ProxyConformance, H_07_chunk_extensions_end_here) {
  RawPeer peer = connect();
  peer.send(post("Transfer-Encoding: chunked\r\n", "2;x=\"y\"\r\n{}\r\n0;z\r\n\r\n" + smuggled()));
  EXPECT_EQ(peer.read_answer().value().body, "POST /app HTTP/1.1\n{}");
  EXPECT_EQ(peer.read_answer().value().body, "GET /smuggled HTTP/1.1\n")
      << "the next request, as it was meant";
  EXPECT_FALSE(app_.saw_malformed()) << "extensions";
  expect_refused(post("Transfer-Encoding: chunked\r\n",
                      "2;x=" + std::string(64 * 1024, 'a') + "\r\n{}\r\n0\r\n\r\n"),
                 400, "64 KiB");
}

TEST_F(ProxyConformance, H_07_chunks_that_are_none) {
  for (const char* chunks :
       {"2\n{}\n0\n\n", "0x2\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n",
        "2\r\n{}x\r\n0\r\n\r\n", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", "\r\n\r\n",
        "2;\r\r\n{}\r\n0\r\n\r\n", "g\r\n\r\n"}) {
    const std::size_t before = app_.requests().size();
    const std::string answers =
        ends_with(post("Transfer-Encoding: chunked\r\n", chunks + smuggled()));
    EXPECT_TRUE(answers.starts_with("HTTP/1.1 400")) << chunks << ": " << answers;
    EXPECT_EQ(answers.find("HTTP/1.", 1), std::string::npos) << chunks;
    EXPECT_EQ(app_.requests().size(), before)
        << "the application sees no whole request of: " << chunks;
  }
}

TEST_F(ProxyConformance, H_08_to_H_10_host_folds_lines_and_nul) {
  expect_refused("GET /app HTTP/1.1\r\n\r\n" + smuggled(), 400, "no Host");
  expect_refused("GET /app HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled(), 400, "two Hosts");
  expect_refused("GET /app HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "no name");
  expect_refused("GET /app HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, "folded");
  expect_refused("GET /app HTTP/1.1\r\nHost: a\r\n Content-Length: 5\r\n\r\n", 400,
                 "folded length");
  expect_refused("GET /app HTTP/1.1\nHost: a\n\n", 400, "bare LF");
  expect_refused("GET /app HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 9\r\n\r\n", 400, "bare CR");
  expect_refused("GET /app HTTP/1.1\r\nHost : a\r\n\r\n", 400, "a space before the colon");
  expect_refused("GET /app HTTP/1.1\r\nHost: a\r\nX: a"s + '\0' + "b\r\n\r\n", 400, "NUL");
  expect_refused("GET /app HTTP/1.1\r\nHost: a\r\nX"s + '\0' + ": b\r\n\r\n", 400, "NUL in a name");
}

TEST_F(ProxyConformance, H_11_H_12_too_much) {
  std::string fields;
  for (int i = 0; i < 2000; ++i) fields += "a:\r\n";
  expect_refused(get("/app", fields), 431, "2,000 fields");
  const auto field = [](std::size_t bytes) { return "X: " + std::string(bytes, 'a') + "\r\n"; };
  expect_refused(get("/app", field(16 * 1024)), 431, "over 16 KiB");
  expect_refused(get("/app/" + std::string(16 * 1024, 'a')), 414, "over 16 KiB of target");
  for (const char* own : {"/clawws/state", "/ws", "/clawws/../app"})
    expect_refused(get(own, field(9 * 1024)), 431, own);
  expect_refused(get("/clawws/" + std::string(9 * 1024, 'a')), 414, "a long path of ours");
  expect_refused(std::string(9 * 1024, 'a'), 414, "no request line");
}

TEST_F(ProxyConformance, H_12_the_application_gets_heads_of_16_KiB) {
  RawPeer peer = connect();
  const std::string value(15 * 1024, 'a');
  peer.send(get("/app", "Cookie: " + value + "\r\n") + get("/b"));
  EXPECT_EQ(peer.read_answer().value_or(HttpAnswer()).status, 200);
  EXPECT_EQ(peer.read_answer().value_or(HttpAnswer()).body, "GET /b HTTP/1.1\n");
  ASSERT_EQ(app_.requests().size(), 2U);
  EXPECT_EQ(app_.requests()[0].field("Cookie"), value);
  peer.send(get("/app?" + value));
  EXPECT_EQ(peer.read_answer().value_or(HttpAnswer()).body, "GET /app?" + value + " HTTP/1.1\n");
  EXPECT_FALSE(app_.saw_malformed());
}

TEST_F(ProxyConformance, H_16_targets) {
  // Those that only a normalising hop would take for ours; the connection stays.
  for (const char* target : {"//ws", "/x/../ws", "/%77s", "/%2e/clawws/health", "/clawws%2fhealth",
                             "/x\\..\\ws", "/%2577s"}) {
    EXPECT_EQ(ask("GET "s + target).status, 400) << target;
    EXPECT_TRUE(app_.requests().empty()) << target;
  }
  for (const char* target : {"http://127.0.0.1/app", "https://localhost/ws", "/app#x", "app"}) {
    expect_refused("GET "s + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, target);
  }
  expect_refused("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "CONNECT");
  expect_refused("GET /app /x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "two targets");
  expect_refused("GET /app HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "two versions");
  expect_refused("GET /app HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, "HTTP/2.0");
}

TEST_F(ProxyConformance, H_18_pipelined_requests_stay_apart) {
  RawPeer peer = connect();
  peer.send(post("Content-Length: 2\r\n", "{}") + get("/a") +
            post("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n") + get("/b"));
  for (const char* expected : {"POST /app HTTP/1.1\n{}", "GET /a HTTP/1.1\n",
                               "POST /app HTTP/1.1\nx", "GET /b HTTP/1.1\n"}) {
    EXPECT_EQ(peer.read_answer().value_or(HttpAnswer()).body, expected);
  }
  EXPECT_EQ(app_.requests().size(), 4U);
  EXPECT_FALSE(app_.saw_malformed());
}

}  // namespace
}  // namespace clawws::test
