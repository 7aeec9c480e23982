// Requests through --upstream: what the application sees, what the client gets, what happens when
// one of them leaves.
#include <gtest/gtest.h>

#include <functional>

#include "support/fake_server.hpp"
#include "support/proxied_server.hpp"

namespace clawws::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::string get(std::string_view target, std::string_view fields = {},
                std::string_view version = "1.1") {
  return ProxiedServer::get(target, fields, version);
}

TEST(ServerProxy, AnswersAndBodiesOfAllKindsComeThrough) {
  RawUpstream app([](const SeenRequest& request) {
    if (request.line().starts_with("GET /chunked")) {
      return "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"s;
    }
    if (request.line().starts_with("GET /none"))
      return "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"s;
    if (request.line().starts_with("GET /old"))
      return "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"e\"\r\n\r\n"s;
    if (request.line().starts_with("HEAD "))
      return "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"s;
    return ok(request.line() + "\n" + request.body, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  const auto ask = [&](const std::string& bytes, RawPeer::Body body = RawPeer::Body::as_announced) {
    client->send(bytes);
    return client->read_answer(k_patience, body).value_or(HttpAnswer{});
  };
  // All on one connection of the client and one of the application.
  HttpAnswer answer = ask(get("/a/b?c=d%20e"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "GET /a/b?c=d%20e HTTP/1.1\n");
  EXPECT_NE(answer.head.find("a=1"), std::string::npos);
  EXPECT_NE(answer.head.find("b=2"), std::string::npos);
  answer = ask(get("/chunked"));
  EXPECT_EQ(answer.body, "abcde");
  EXPECT_NE(answer.head.find("200 Fine"), std::string::npos);
  EXPECT_EQ(ask(get("/none"), RawPeer::Body::none).status, 204);
  answer = ask(get("/old"), RawPeer::Body::none);
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(answer.field("Content-Length"), "9");
  answer = ask("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n", RawPeer::Body::none);
  EXPECT_EQ(answer.field("Content-Length"), "1234");
  answer = ask("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(answer.body, "POST /p HTTP/1.1\nhello");
  answer =
      ask("PATCH /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
          "chunked\r\n\r\n3;e=1\r\nabc\r\n1\r\nd\r\n0\r\nX-T: 1\r\n\r\n");
  EXPECT_EQ(answer.body, "PATCH /p HTTP/1.1\nabcd");
  EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").body, "OPTIONS * HTTP/1.1\n");
  EXPECT_EQ(app.connections(), 1) << "kept between requests";
  for (const SeenRequest& seen : app.requests())
    EXPECT_EQ(seen.field("X-T"), "") << "trailers end here";
  EXPECT_FALSE(app.saw_malformed());
}

TEST(ServerProxy, OwnPathsStayHere) {
  RawUpstream app([](const SeenRequest&) { return ok("application"); });
  ProxiedServer server(app.url());
  EXPECT_EQ(server.request(get("/clawws/health")).body, "{\"status\":\"ok\"}\n");
  EXPECT_EQ(server.request(get("/clawws/nothing")).status, 404);
  EXPECT_EQ(server.request(get("/%63lawws/health")).status, 400);
  EXPECT_EQ(server.request(get("/ws")).status, 426);
  for (const char* path : {"/clawws", "/clawws?a=b"}) {
    const HttpAnswer answer = server.request(get(path));
    EXPECT_EQ(answer.status, 302) << path;
    EXPECT_EQ(answer.field("Location"), "/clawws/") << path;
  }
  EXPECT_EQ(app.connections(), 0);
  EXPECT_EQ(server.request("POST /clawws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").body,
            "application");
  for (const char* path : {"/", "/clawwsx", "/ws/", "/wsx", "/api/ws"}) {
    EXPECT_EQ(server.request(get(path)).body, "application") << path;
  }
  EXPECT_NE(server.subscriber(), nullptr) << "/ws is a live stream of events as ever";
}

TEST(ServerProxy, TheApplicationLearnsWhoAsksAndGetsTheCredentials) {
  RawUpstream app([](const SeenRequest&) { return ok("x"); });
  {
    ProxiedServer server(app.url());
    server.request(get(
        "/a", basic("ann:secret") + "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n"
                                         "Forwarded: for=10.0.0.9\r\nX-Real-IP: 10.0.0.9\r\n"));
    EXPECT_EQ(server.logged().find("secret"), std::string::npos);
    EXPECT_EQ(server.logged().find("YW5uOnNlY3JldA"), std::string::npos);
  }
  ProxiedServer trusting(
      app.url(), [](server::ServerConfig& config) { config.trusted_proxies = {"127.0.0.0/8"}; });
  trusting.request(get("/b", "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n"));
  const auto seen = app.requests();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].field("Host"), "panel.example");
  EXPECT_EQ("Authorization: " + seen[0].field("Authorization") + "\r\n", basic("ann:secret"));
  EXPECT_EQ(seen[0].field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(seen[0].field("X-Forwarded-Proto"), "https");
  EXPECT_EQ(seen[0].field("X-Forwarded-Host"), "panel.example");
  EXPECT_EQ(seen[0].field("Forwarded") + seen[0].field("X-Real-IP"), "");
  EXPECT_EQ(seen[1].field("X-Forwarded-For"), "10.0.0.9, 127.0.0.1");
  EXPECT_EQ(seen[1].field("X-Forwarded-Proto"), "http");
}

TEST(ServerProxy, ARequestThatGoesRoundIs508) {
  // Another proxy, whose upstream is the server again.
  std::function<HttpAnswer(const std::string&)> ask_server;
  RawUpstream app([&](const SeenRequest& request) {
    const std::string path = request.line().substr(4, request.line().find(' ', 4) - 4);
    const std::string via = "Via: " + request.field("Via") + "\r\n";
    const bool round = path != "/once";
    return ok(round ? ask_server(get(path, via + "Via: 1.1 other\r\n")).body : via);
  });
  ProxiedServer server(app.url());
  ask_server = [&](const std::string& bytes) { return server.request(bytes); };
  const std::string via = server.request(get("/once")).body;
  EXPECT_TRUE(via.starts_with("Via: 1.1 clawws-")) << via;

  for (const char* path : {"/a", "/b"}) {
    const HttpAnswer answer = server.request(get(path));
    EXPECT_NE(answer.body.find("{\"error\":\"loop_detected\""), std::string::npos) << answer.body;
  }
  EXPECT_EQ(app.requests().size(), 3U) << "each went out once";
  EXPECT_EQ(server.request(get("/x", via)).status, 508);
  const auto client = server.client();
  client->send(upgrade_request(via, "/socket"));
  EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).status, 508);
  const std::string log = server.logged();
  const std::size_t said = log.find("it goes round");
  ASSERT_NE(said, std::string::npos);
  EXPECT_EQ(log.find("it goes round", said + 1), std::string::npos) << "once a minute";
}

TEST(ServerProxy, AnHttp10ClientGetsWhatItCanRead) {
  RawUpstream app([](const SeenRequest& request) {
    if (request.line().starts_with("GET /chunked")) {
      return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"s;
    }
    return ok("sized");
  });
  ProxiedServer server(app.url());
  auto client = server.client();
  client->send("GET /sized HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  HttpAnswer answer = client->read_answer().value_or(HttpAnswer{});
  EXPECT_TRUE(answer.head.starts_with("HTTP/1.0 200")) << answer.head;
  EXPECT_EQ(answer.field("Connection"), "keep-alive");
  EXPECT_EQ(answer.body, "sized");
  client->send("GET /chunked HTTP/1.0\r\n\r\n");
  answer = client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{});
  EXPECT_FALSE(answer.field("Transfer-Encoding"));
  EXPECT_EQ(client->read_some(), "hello");
  EXPECT_EQ(client->wait_end(), End::close_notify)
      << "the end of the connection is the end of the body";
  EXPECT_EQ(app.requests()[0].field("Host"), app.url().substr(7));
}

TEST(ServerProxy, AnAnswerThatEndsWithTheConnectionIsWhole) {
  RawUpstream app([](UpstreamPeer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  for (int i = 0; i < 2; ++i) {
    client->send(get("/"));
    const HttpAnswer answer = client->read_answer().value_or(HttpAnswer{});
    EXPECT_EQ(answer.body, "until the end");
    EXPECT_EQ(answer.field("Transfer-Encoding"), "chunked") << "so the client's connection stays";
  }
  EXPECT_EQ(app.connections(), 2);
}

TEST(ServerProxy, AnAnswerThatIsCutOffIsSeenToBe) {
  RawUpstream app([](UpstreamPeer& peer, int number) {
    peer.read_request();
    if (number == 0) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    if (number == 1)
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    // More than is read at once, so that the head is with the client before the fault is seen.
    if (number == 2)
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80000\r\n" +
                std::string(0x80000, 'h') + "\r\nzz\r\n");
    if (number == 3) {
      peer.send("HTTP/1.1 200 OK\r\n\r\nhalf");
      peer.reset();
    }
  });
  ProxiedServer server(app.url());
  for (int i = 0; i < 4; ++i) {
    const auto client = server.client();
    client->send(get("/"));
    EXPECT_FALSE(client->read_answer()) << i;
    EXPECT_NE(client->end(), End::close_notify) << i;
    EXPECT_NE(client->end(), End::open) << i;
  }
}

TEST(ServerProxy, InterimAnswersComeThrough) {
  RawUpstream app([](UpstreamPeer& peer, int) {
    const auto head = peer.read_head();
    if (!head || head->find("Expect: 100-continue") == std::string::npos) return;
    peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    const std::string body = peer.read_some();
    peer.send(ok("got " + body));
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  HttpAnswer answer = client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{});
  EXPECT_EQ(answer.status, 103);
  EXPECT_EQ(answer.field("Link"), "</a.css>");
  answer = client->read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer{});
  EXPECT_EQ(answer.status, 100);
  client->send("body");
  answer = client->read_answer().value_or(HttpAnswer{});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "got body");
}

TEST(ServerProxy, AnAnswerBeforeTheBodysEndIsReturned) {
  RawUpstream app([](UpstreamPeer& peer, int) {
    peer.read_head();
    peer.send(
        "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!");
    peer.close();
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  client->send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nonly this");
  const HttpAnswer answer = client->read_answer().value_or(HttpAnswer{});
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "no!");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_NE(client->wait_end(), End::open);
}

TEST(ServerProxy, DownItIsA502AndWorksAgainOnceItIsBack) {
  std::uint16_t port = 0;
  {
    RawUpstream app([](const SeenRequest&) { return ok("x"); });
    port = app.port();
  }
  ProxiedServer server("http://127.0.0.1:" + std::to_string(port));
  const auto client = server.client();
  for (int i = 0; i < 3; ++i) {
    client->send(get("/"));
    const HttpAnswer answer = client->read_answer().value_or(HttpAnswer{});
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(answer.field("Content-Type"), "application/json");
    EXPECT_NE(answer.body.find("\"error\":\"bad_gateway\""), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("--upstream"), std::string::npos) << "what to do: " << answer.body;
    EXPECT_EQ(answer.body.find("127.0.0.1"), std::string::npos)
        << "where it runs is nobody's business";
  }
  const std::string log = server.logged();
  const std::size_t first = log.find("the upstream does not answer");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("the upstream does not answer", first + 1), std::string::npos) << "said once";
  RawUpstream app([](const SeenRequest&) { return ok("here again"); }, port);
  client->send(get("/"));
  EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).body, "here again");
  EXPECT_NE(server.logged().find("the upstream answers again"), std::string::npos);
}

TEST(ServerProxy, TooSlowItIsA504) {
  RawUpstream app([](UpstreamPeer& peer, int) {
    peer.read_request();
    peer.wait_end();
  });
  ProxiedServer server(app.url(),
                       [](server::ServerConfig& config) { config.upstream_timeout = 300ms; });
  const HttpAnswer answer = server.request(get("/"));
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find("\"error\":\"gateway_timeout\""), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("300ms"), std::string::npos) << answer.body;
}

TEST(ServerProxy, ASilentStreamOfEventsIsNotTooSlow) {
  std::atomic<bool> go_on{false};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    eventually([&] { return go_on.load(); });
    peer.send("data: 2\n\n");
  });
  ProxiedServer server(app.url(),
                       [](server::ServerConfig& config) { config.upstream_timeout = 200ms; });
  const auto client = server.client();
  client->send(get("/stream"));
  std::string seen;
  while (seen.find("data: 1") == std::string::npos && client->end() == End::open)
    seen += client->read_some();
  EXPECT_EQ(client->read_some(1500ms), "") << "nothing comes";
  EXPECT_EQ(client->end(), End::open) << "nor does it end";
  EXPECT_EQ(server->counters().requests_running, 0U) << "a stop would not wait for it";
  go_on = true;
  while (seen.find("data: 2") == std::string::npos && client->end() == End::open)
    seen += client->read_some();
  EXPECT_NE(seen.find("data: 2"), std::string::npos);
}

TEST(ServerProxy, AConnectionThatWasClosedMeanwhileIsNotUsed) {
  std::atomic<int> closed{0};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    if (peer.read_request()) peer.send(ok("once"));
    peer.close();
    ++closed;
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  for (int i = 0; i < 3; ++i) {
    client->send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).body, "once") << i;
    ASSERT_TRUE(eventually([&] { return closed == i + 1; }));
  }
  EXPECT_EQ(app.connections(), 3);
}

TEST(ServerProxy, ARequestIsRepeatedOnceWhenAKeptConnectionEndsUnderIt) {
  // Each connection answers once, and ends without a word at the second request.
  RawUpstream app([](UpstreamPeer& peer, int) {
    if (!peer.read_request()) return;
    peer.send(ok("first"));
    peer.read_request();
  });
  ProxiedServer server(app.url());
  const auto client = server.client();
  for (int i = 0; i < 4; ++i) {
    client->send(get("/"));
    EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).body, "first") << i;
  }
  // What may have had an effect is not.
  client->send(get("/"));
  client->read_answer();
  client->send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  const HttpAnswer answer = client->read_answer().value_or(HttpAnswer{});
  EXPECT_EQ(answer.status, 502) << answer.body;
}

// A kept connection that ends under a request with a body: whatever had gone up is lost, and a
// second head without it would make the next request of anybody its body.
TEST(ServerProxy, ARequestWithABodyIsNeverRepeated) {
  const std::string smuggled = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
  const std::string sized = "Content-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  for (const char* method : {"PUT", "DELETE", "GET"}) {
    for (const bool at_once : {true, false}) {
      for (const std::string& framing : {sized, chunked}) {
        const std::string name = method + (at_once ? " at once, "s : " in two, "s) + framing;
        std::atomic<bool> has_head{false};
        RawUpstream app([&](UpstreamPeer& peer, int) {
          if (!peer.read_request()) return;
          peer.send(ok("first"));
          if (!peer.read_head()) return;
          has_head = true;
          const std::string end = framing == chunked ? "\r\n0\r\n\r\n" : smuggled;
          for (std::string body, more; body.find(end) == std::string::npos; body += more) {
            more = peer.read_some();
            if (more.empty()) return;
          }
        });
        ProxiedServer server(app.url());
        const auto client = server.client();
        client->send(get("/"));
        EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).body, "first");
        const std::string head = method + " /b HTTP/1.1\r\nHost: a\r\n"s + framing;
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", smuggled.size());
        const std::string body = framing == chunked ? size + smuggled + "\r\n0\r\n\r\n" : smuggled;
        client->send(at_once ? head + body : head);
        if (!at_once) {
          ASSERT_TRUE(eventually([&] { return has_head.load(); })) << name;
          client->send(body);
        }
        EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).status, 502) << name;
        EXPECT_EQ(app.connections(), 1) << name;
        EXPECT_EQ(server.request(get("/other")).body, "first") << name;
      }
    }
  }
}

TEST(ServerProxy, TheApplicationsHintOnKeepAliveIsHeeded) {
  RawUpstream app([](const SeenRequest&) { return ok("x", "Keep-Alive: timeout=1\r\n"); });
  ProxiedServer server(app.url());
  const auto client = server.client();
  for (int i = 0; i < 3; ++i) {
    client->send(get("/"));
    EXPECT_EQ(client->read_answer().value_or(HttpAnswer{}).status, 200);
  }
  EXPECT_EQ(app.connections(), 3) << "a second less than a second";
}

TEST(ServerProxy, AClientThatLeavesCancelsItsRequest) {
  std::atomic<bool> asked{false}, ended{false};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    peer.read_request();
    asked = true;
    ended = peer.wait_end();
  });
  ProxiedServer server(app.url());
  {
    const auto client = server.client();
    client->send(get("/slow"));
    EXPECT_TRUE(eventually([&] { return asked.load(); }));
  }
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
  EXPECT_TRUE(eventually([&] { return server->counters().requests_running == 0; }));
}

TEST(ServerProxy, AStreamOfEventsEndsWithAClientThatLeavesBehindWaitingBytes) {
  for (const bool by_reset : {false, true}) {
    std::atomic<bool> ended{false};
    RawUpstream app([&](UpstreamPeer& peer, int) {
      peer.read_request();
      peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
      ended = peer.wait_end();
    });
    ProxiedServer server(app.url());
    const auto client = server.client();
    client->send(get("/sse") + std::string(20'000, 'x'));
    EXPECT_TRUE(client->read_answer(k_patience, RawPeer::Body::none));
    if (by_reset) {
      client->reset();
    } else {
      client->send_fin();
    }
    EXPECT_TRUE(eventually([&] { return ended.load(); })) << by_reset;
    EXPECT_TRUE(eventually([&] { return server->counters().connections_open == 0; })) << by_reset;
  }
}

TEST(ServerProxy, ABodyThatBreaksOffNeverEndsAtTheApplication) {
  std::atomic<bool> whole{false}, over{false};
  RawUpstream app([&](UpstreamPeer& peer, int) {
    whole = peer.read_request().has_value();
    over = true;
  });
  ProxiedServer server(app.url());
  {
    const auto client = server.client();
    client->send("POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    EXPECT_TRUE(eventually([&] { return app.connections() == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return over.load(); }));
  EXPECT_FALSE(whole);
}

TEST(ServerProxy, AnswersThatAreNoHttpAre502) {
  for (const char* nonsense :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n", "HTTP/1.1 20"}) {
    RawUpstream app([&](UpstreamPeer& peer, int) {
      peer.read_request();
      peer.send(nonsense);
    });
    ProxiedServer server(app.url());
    EXPECT_EQ(server.request(get("/")).status, 502) << nonsense;
  }
}

TEST(ServerProxy, OverTlsTheApplicationIsVerified) {
  const FakeServer::Script script = [](FakePeer& peer, int) {
    peer.request();
    peer.refuse(200, {}, "over TLS");
  };
  FakeServer app(script);
  const std::string url = "https://127.0.0.1:" + std::to_string(app.port());
  TempDir files;
  const std::string ca = files.write("ca.pem", app.certificate_pem()).string();
  {
    ProxiedServer server(url, [&](server::ServerConfig& config) { config.upstream_cacert = ca; });
    const HttpAnswer answer = server.request(get("/"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "over TLS");
  }
  ProxiedServer strict(url);
  EXPECT_EQ(strict.request(get("/")).status, 502);
  EXPECT_NE(strict.logged().find("--upstream-cacert"), std::string::npos) << strict.logged();
}

}  // namespace
}  // namespace clawws::test
