#include "clawws/wire/http_gate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace clawws::wire {
namespace {

using namespace std::string_literals;
using Kind = GateVerdict::Kind;

// The verdict once it is there, feeding one byte at a time.
GateVerdict verdict_by_byte(std::string_view bytes, const HeadLimits& limits) {
  GateVerdict verdict;
  for (std::size_t size = 1; size <= bytes.size() && verdict.kind == Kind::need_more; ++size) {
    verdict = check_head(bytes.substr(0, size), limits);
  }
  return verdict;
}

// The same in one piece and byte by byte: 0 for need_more, 1 for pass, else the status.
int judge(const std::string& bytes, const HeadLimits& limits = {}) {
  const GateVerdict whole = check_head(bytes, limits);
  const GateVerdict by_byte = verdict_by_byte(bytes, limits);
  EXPECT_EQ(by_byte.kind, whole.kind);
  EXPECT_EQ(by_byte.status, whole.status);
  EXPECT_EQ(by_byte.reason, whole.reason);
  EXPECT_EQ(by_byte.head_bytes, whole.head_bytes);
  if (whole.kind == Kind::need_more) return 0;
  if (whole.kind == Kind::pass) return 1;
  EXPECT_FALSE(whole.reason.empty());
  return whole.status;
}
constexpr int k_need_more = 0;
constexpr int k_pass = 1;

std::string get(const std::string& fields) {
  return "GET /x HTTP/1.1\r\nHost: localhost:8443\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

TEST(WireHttpGate, PassesOrdinaryHeadsAndSaysWhereTheyEnd) {
  const std::string head =
      "GET /ws?since=earliest HTTP/1.1\r\nHost: localhost:8443\r\nUpgrade: websocket\r\n"
      "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\nUser-Agent: \xC3\xA4 (x)\r\nEmpty:\r\nX-Tab:\ta\tb\t\r\n\r\n";
  EXPECT_EQ(judge(head), k_pass);
  const GateVerdict verdict = check_head(head + "POST /next HTTP/1.1\r\n");
  EXPECT_EQ(verdict.kind, Kind::pass);
  EXPECT_EQ(verdict.head_bytes, head.size());
  EXPECT_EQ(judge("GET / HTTP/1.0\r\n\r\n"), k_pass);
  EXPECT_EQ(judge("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), k_pass);
  EXPECT_EQ(judge(post("Content-Length: 0\r\n")), k_pass);
  EXPECT_EQ(judge(post("Content-Length: 9999999999999999999\r\n")), k_pass);
  EXPECT_EQ(judge(post("Transfer-Encoding: chunked\r\n")), k_pass);
  EXPECT_EQ(judge(post("TRANSFER-ENCODING: Chunked \r\n")), k_pass);
}

TEST(WireHttpGate, NeedsMoreUntilTheBlankLineIsWhole) {
  const std::string head = get("A: b\r\n");
  for (std::size_t size = 0; size < head.size(); ++size) {
    EXPECT_EQ(check_head(std::string_view(head).substr(0, size)).kind, Kind::need_more) << size;
  }
}

TEST(WireHttpGate, H1_H2_TransferEncodingIsExactlyChunked) {
  for (const char* value : {"gzip", "chunked, identity", "identity, chunked", "xchunked",
                            "chunkedx", "chunked,chunked", "chunked;x=1", "\"chunked\"", ""}) {
    EXPECT_EQ(judge(post("Transfer-Encoding: "s + value + "\r\n")), 400) << value;
  }
  EXPECT_EQ(judge(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
}

TEST(WireHttpGate, H3_BothLengthsInEitherOrder) {
  EXPECT_EQ(judge(post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n")), 400);
  EXPECT_EQ(judge(post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")), 400);
}

TEST(WireHttpGate, H4_ChunkedNeedsHttp11) {
  EXPECT_EQ(judge("POST /x HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(WireHttpGate, H5_ContentLengthIsOneNumber) {
  EXPECT_EQ(judge(post("Content-Length: 4\r\nContent-Length: 4\r\n")), 400);
  EXPECT_EQ(judge(post("Content-Length: 4\r\ncontent-length: 5\r\n")), 400);
  for (const char* value : {"4, 4", "+4", "-4", "4 4", "0x4", "4.0", "", "99999999999999999999"}) {
    EXPECT_EQ(judge(post("Content-Length: "s + value + "\r\n")), 400) << value;
  }
}

TEST(WireHttpGate, H8_HostOnceAndWellFormed) {
  EXPECT_EQ(judge("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nAccept: x\r\n\r\n"), 400);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(judge("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  for (const char* host : {"a", "a.b:1", "127.0.0.1:8443", "[::1]", "[::1]:8443", "x_y-z.example",
                           "[::ffff:1.2.3.4]:65535"}) {
    EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n"), k_pass) << host;
  }
  for (const char* host :
       {"",        "a b",   "a/b",  "a,b",  "user@a",   "a:",        "a:b",  "a:123456",
        "a:65536", "::1",   "[]",   "[a]",  "[:]",      "[1.2.3.4]", "[::1", "[::1]x",
        "[::1]:",  "[::g]", "a\\b", "a%41", "\xC3\xA4", ":80"}) {
    EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n"), 400) << host;
  }
}

TEST(WireHttpGate, H9_FoldedLines) {
  EXPECT_EQ(judge(get("X: a\r\n b\r\n")), 400);
  EXPECT_EQ(judge(get("X: a\r\n\tb\r\n")), 400);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400);
  EXPECT_NE(check_head(get("X: a\r\n b\r\n")).reason.find("folded"), std::string_view::npos);
}

TEST(WireHttpGate, H10_LineEndsNamesAndControlCharacters) {
  EXPECT_EQ(judge("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: h\r\n\n"), 400);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n"), 400);
  EXPECT_EQ(judge(get("X: a\rb\r\n")), 400);
  EXPECT_EQ(judge("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  for (const char* line : {"Host : a", "X y: a", "X", ": a", "X\xC3\xA4: a", "X(: a", "X\t: a"}) {
    EXPECT_EQ(judge(get(line + "\r\n"s)), 400) << line;
  }
  EXPECT_EQ(judge(get("X: a"s + '\0' + "b\r\n")), 400);
  EXPECT_EQ(judge(get("X"s + '\0' + ": b\r\n")), 400);
  EXPECT_EQ(judge(get("X: a\x1B[31m\r\n")), 400);
  EXPECT_EQ(judge(get("X: a\x7F\r\n")), 400);
}

TEST(WireHttpGate, H11_TooManyFields) {
  std::string fields;
  for (int i = 0; i < 63; ++i) fields += "a:\r\n";
  EXPECT_EQ(judge(get(fields)), k_pass);
  EXPECT_EQ(judge(get(fields + "a:\r\n")), 431);
  for (int i = 0; i < 2000; ++i) fields += "a:\r\n";
  EXPECT_EQ(judge(get(fields)), 431);
}

TEST(WireHttpGate, H12_HeadAndRequestLineHaveALimit) {
  const HeadLimits limits;
  const std::string start = "GET /";
  const std::string end = " HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::size_t room = limits.max_head_bytes - start.size() - end.size();
  EXPECT_EQ(check_head(start + std::string(room, 'a') + end).kind, Kind::pass);
  EXPECT_EQ(check_head(start + std::string(room + 1, 'a') + end).status, 431);
  EXPECT_EQ(judge(start + std::string(9000, 'a') + end), 414);
  EXPECT_EQ(judge(get("X: " + std::string(9000, 'a') + "\r\n")), 431);
  EXPECT_EQ(judge(std::string(9000, 'G')), 414) << "without any line end";
  EXPECT_EQ(judge(std::string(100, 'a'), {.max_head_bytes = 100, .max_fields = 1}), 414);
  EXPECT_EQ(judge(std::string(99, 'a'), {.max_head_bytes = 100, .max_fields = 1}), k_need_more);
}

TEST(WireHttpGate, H16_TargetsAreVisibleAsciiFromASlash) {
  for (const char* target : {"/", "/a%2e%2e/b", "/a?b=c&d={}|", "/..", "/a\\b"}) {
    EXPECT_EQ(judge("GET "s + target + " HTTP/1.1\r\nHost: h\r\n\r\n"), k_pass) << target;
  }
  for (const char* target : {"http://h/", "https://h/ws", "h:443", "*", "ws", "", "/a b", "/a\tb",
                             "/a#b", "/\xC3\xA4", "/\x7F", "/\x01"}) {
    EXPECT_EQ(judge("GET "s + target + " HTTP/1.1\r\nHost: h\r\n\r\n"), 400) << target;
  }
  EXPECT_EQ(judge("GET /a"s + '\0' + " HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(judge("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(judge("CONNECT /ws HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

TEST(WireHttpGate, RequestLinesAreThreeParts) {
  for (const char* line : {"GET", "GET /", "GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1",
                           "G(T / HTTP/1.1", "GET / HTTP/1.1 ", "GET / http/1.1", "GET / HTTP/1.1x",
                           "GET / HTTP/11", "GET / HTTP/1.01", "GET\t/\tHTTP/1.1"}) {
    EXPECT_EQ(judge(line + "\r\nHost: h\r\n\r\n"s), 400) << line;
  }
  EXPECT_EQ(judge("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(judge("GET / HTTP/0.9\r\n\r\n"), 505);
  EXPECT_EQ(judge("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(WireHttpGate, U12_FieldsThatDecideStandOnce) {
  for (const char* name : {"Authorization", "Origin", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
                           "Content-Type", "Idempotency-Key", "Last-Event-ID"}) {
    const std::string field = name + ": x\r\n"s;
    EXPECT_EQ(judge(get(field)), k_pass) << name;
    EXPECT_EQ(judge(get(field + field)), 400) << name;
  }
  const std::string list =
      "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\nCookie: c\r\n";
  EXPECT_EQ(judge(get(list + "Cookie: d\r\n")), k_pass);
}

TEST(WireHttpGate, U1_U2_WebSocketKeyIs16Bytes) {
  EXPECT_TRUE(is_websocket_key("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_TRUE(is_websocket_key("AAAAAAAAAAAAAAAAAAAAAA=="));
  EXPECT_TRUE(is_websocket_key("/////////////////////w=="));
  for (const char* key :
       {"", "abc", "!!!!!!!!!!!!!!!!!!!!!!!!", "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25j-Q==", "dGhl HNhbXBsZSBub25jZQ=="}) {
    EXPECT_FALSE(is_websocket_key(key)) << key;
  }
}

TEST(WireHttpGate, H14_ListsOfTokens) {
  using List = std::vector<std::string_view>;
  EXPECT_EQ(header_list("clawpanel, YWRtaW46eA=="), (List{"clawpanel", "YWRtaW46eA=="}));
  EXPECT_EQ(header_list(" a ,,\tb\t, ,c"), (List{"a", "b", "c"}));
  EXPECT_EQ(header_list("a"), (List{"a"}));
  EXPECT_EQ(header_list(""), List{});
  EXPECT_EQ(header_list(std::string(8192, ',')), List{});
  EXPECT_EQ(header_list(std::string(8192, ' ')), List{});
}

}  // namespace
}  // namespace clawws::wire
