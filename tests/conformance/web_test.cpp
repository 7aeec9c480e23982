// What a browser is given: the dashboard and its files, the prompt for a password when a person
// opened the page, and answers that pages of listed origins may read.
#include <tuple>
#include <vector>

#include "conformance/fixture.hpp"

namespace clawws::test {
namespace {

using namespace std::string_literals;

const std::string k_listed = "https://panel.example";
const std::string k_from_listed = "Origin: " + k_listed + "\r\n";
const std::string k_as_browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

class Web : public Conformance {
 protected:
  void serve_listed() {
    serve([](server::ServerConfig& config) { config.origins = {k_listed}; });
  }
  HttpAnswer head(const std::string& target, const std::string& fields = {}) {
    RawPeer peer = connect();
    peer.send("HEAD " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
              "Connection: close\r\n\r\n");
    HttpAnswer answer = peer.read_answer(k_patience, RawPeer::Body::none).value_or(HttpAnswer());
    answer.body = rest_of(peer);
    return answer;
  }
  HttpAnswer preflight(const std::string& target, const std::string& origin,
                       const std::string& method = "POST") {
    return ask("OPTIONS " + target, (origin.empty() ? "" : "Origin: " + origin + "\r\n") +
                                        "Access-Control-Request-Method: " + method +
                                        "\r\nAccess-Control-Request-Headers: authorization\r\n");
  }
};

bool holds(const std::optional<std::string>& field, const std::string& part) {
  return field && field->find(part) != std::string::npos;
}

// ---- the dashboard ------------------------------------------------------------------------------

TEST_F(Web, Page_for_a_browser_text_for_a_program) {
  const auto page = ask("GET /clawws/", admin() + k_as_browser);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.body.rfind("<!doctype html>", 0), 0U);
  EXPECT_EQ(page.field("Vary"), "Accept, Origin");
  for (const char* accept : {"", "Accept: */*\r\n", "Accept: text/plain\r\n"}) {
    const auto text = ask("GET /clawws/", admin() + accept);
    EXPECT_EQ(text.status, 200);
    EXPECT_EQ(text.field("Content-Type"), "text/plain; charset=utf-8") << accept;
    EXPECT_NE(text.body.find("clawws tail"), std::string::npos);
    EXPECT_NE(text.body.find("dashboard   https://"), std::string::npos) << text.body;
  }
  EXPECT_EQ(ask("GET /clawws/", k_as_browser).status, 401);
  EXPECT_EQ(ask("GET /clawws/index.html", admin()).status, 404)
      << "the page has one name, and that asks who it is";
}

TEST_F(Web, Short_addresses_lead_to_the_page) {
  for (const char* request : {"GET /", "GET /clawws", "GET /clawws?a=b"}) {
    const auto answer = ask(request);
    EXPECT_EQ(answer.status, 302) << request;
    EXPECT_EQ(answer.field("Location"), "/clawws/") << request;
  }
  EXPECT_EQ(head("/clawws").status, 302);
  EXPECT_EQ(ask("POST /clawws").status, 404);
  EXPECT_EQ(ask("GET /clawwsx").status, 404);
}

TEST_F(Web, Files_need_no_credentials) {
  const std::pair<const char*, const char*> files[] = {
      {"clawws.js", "text/javascript; charset=utf-8"},
      {"dashboard.js", "text/javascript; charset=utf-8"},
      {"dashboard.css", "text/css; charset=utf-8"},
      {"icon.svg", "image/svg+xml"}};
  for (const auto& [name, type] : files) {
    const auto file = ask("GET /clawws/"s + name);
    EXPECT_EQ(file.status, 200) << name;
    EXPECT_EQ(file.field("Content-Type"), type) << name;
    std::ifstream source(std::string(CLAWWS_SOURCE_DIR) + "/lib/web/" + name, std::ios::binary);
    EXPECT_EQ(file.body, std::string(std::istreambuf_iterator<char>(source), {})) << name;
  }
  for (const char* name :
       {"embed.cmake", "package.json", "react.js", "nothing.js", "clawws.js/", "Clawws.js"}) {
    EXPECT_EQ(ask("GET /clawws/"s + name).status, 404) << name;
  }
  const auto posted = ask("POST /clawws/clawws.js");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.field("Allow"), "GET, HEAD");
}

TEST_F(Web, Page_and_files_hold_the_browser_to_themselves) {
  for (const auto& answer :
       {ask("GET /clawws/", admin() + k_as_browser), ask("GET /clawws/clawws.js")}) {
    EXPECT_EQ(answer.field("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer.field("Referrer-Policy"), "no-referrer");
    const auto policy = answer.field("Content-Security-Policy");
    for (const char* rule : {"default-src 'none'", "script-src 'self'", "style-src 'self'",
                             "img-src 'self'", "connect-src 'self'", "frame-ancestors 'none'",
                             "require-trusted-types-for 'script'", "trusted-types 'none'"}) {
      EXPECT_TRUE(holds(policy, rule)) << rule;
    }
    EXPECT_FALSE(holds(policy, "unsafe"));
    EXPECT_FALSE(holds(policy, "*"));
  }
}

TEST_F(Web, Etag_and_304) {
  const auto first = ask("GET /clawws/clawws.js");
  const std::string tag = first.field("ETag").value_or("");
  ASSERT_GE(tag.size(), 4U);
  EXPECT_EQ(first.field("Cache-Control"), "no-cache");
  EXPECT_NE(ask("GET /clawws/view.js").field("ETag"), tag);
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, "*"s}) {
    const auto again = ask("GET /clawws/clawws.js", "If-None-Match: " + known + "\r\n");
    EXPECT_EQ(again.status, 304) << known;
    EXPECT_EQ(again.body, "") << known;
    EXPECT_EQ(again.field("ETag"), tag);
    EXPECT_FALSE(again.field("Content-Length")) << "it would be that of the file";
  }
  EXPECT_EQ(ask("GET /clawws/clawws.js", "If-None-Match: \"other\"\r\n").status, 200);
  const auto page = ask("GET /clawws/", admin() + k_as_browser);
  EXPECT_EQ(ask("GET /clawws/",
                k_as_browser + "If-None-Match: " + page.field("ETag").value_or("") + "\r\n")
                .status,
            401)
      << "what somebody has does not say who it is";
}

TEST_F(Web, The_connection_goes_on_behind_a_304) {
  const std::string tag = ask("GET /clawws/clawws.js").field("ETag").value_or("");
  RawPeer peer = connect();
  peer.send(get("/clawws/clawws.js", "If-None-Match: " + tag + "\r\n") + get("/clawws/health"));
  EXPECT_EQ(peer.read_answer(k_patience, RawPeer::Body::none).value().status, 304);
  EXPECT_EQ(peer.read_answer().value().status, 200);
}

TEST_F(Web, Head_is_get_without_the_body) {
  for (const auto& [target, fields] :
       {std::pair{"/clawws/"s, admin() + k_as_browser}, std::pair{"/clawws/clawws.js"s, ""s}}) {
    const auto whole = ask("GET " + target, fields);
    const auto only = head(target, fields);
    EXPECT_EQ(only.status, 200) << target;
    EXPECT_EQ(only.body, "") << target;
    for (const char* name :
         {"Content-Length", "Content-Type", "ETag", "Content-Security-Policy", "Vary"}) {
      EXPECT_EQ(only.field(name), whole.field(name)) << target << ' ' << name;
    }
  }
}

// ---- the prompt for a password ------------------------------------------------------------------

TEST_F(Web, Only_a_person_is_prompted) {
  const std::pair<const char*, bool> modes[] = {{"navigate", true},     {"cors", false},
                                                {"same-origin", false}, {"no-cors", false},
                                                {"websocket", false},   {nullptr, true}};
  for (const char* target :
       {"GET /clawws/", "GET /clawws/state", "POST /clawws/tickets", "GET /clawws/events"}) {
    for (const auto& [mode, prompts] : modes) {
      const auto answer = ask(target, mode == nullptr ? ""s : "Sec-Fetch-Mode: "s + mode + "\r\n");
      EXPECT_EQ(answer.status, 401);
      EXPECT_EQ(answer.field("WWW-Authenticate"),
                prompts ? R"(Basic realm="Dashboard")" : R"(ClawwsBasic realm="Dashboard")")
          << target << ' ' << (mode == nullptr ? "no mode" : mode);
    }
  }
}

// ---- pages of other origins ---------------------------------------------------------------------

TEST_F(Web, Preflight_before_authentication) {
  serve_listed();
  for (const char* target : {"/clawws/events", "/clawws/tickets", "/clawws/state"}) {
    const auto answer = preflight(target, k_listed);
    EXPECT_EQ(answer.status, 204) << target;
    EXPECT_EQ(answer.body, "");
    EXPECT_FALSE(answer.field("Content-Length"));
    EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), k_listed);
    EXPECT_EQ(answer.field("Access-Control-Allow-Credentials"), "true");
    EXPECT_TRUE(holds(answer.field("Access-Control-Allow-Methods"), "POST"));
    for (const char* name : {"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"}) {
      EXPECT_TRUE(holds(answer.field("Access-Control-Allow-Headers"), name)) << name;
    }
    EXPECT_TRUE(holds(answer.field("Vary"), "Origin"));
  }
}

TEST_F(Web, No_preflight_for_others) {
  serve_listed();
  for (const char* origin :
       {"https://evil.example", "null", "http://panel.example", "https://panel.example.evil"}) {
    const auto answer = preflight("/clawws/events", origin);
    EXPECT_EQ(answer.status, 403) << origin;
    EXPECT_FALSE(answer.field("Access-Control-Allow-Origin")) << origin;
    EXPECT_FALSE(answer.field("Access-Control-Allow-Credentials")) << origin;
  }
  EXPECT_EQ(preflight("/clawws/events", "").status, 403);
  EXPECT_EQ(ask("OPTIONS /clawws/events", k_from_listed).status, 405)
      << "no preflight: it asks for no method";
  EXPECT_EQ(preflight("/ws", k_listed).status, 405) << "a WebSocket knows no preflight";
}

TEST_F(Web, A_listed_page_may_read_the_answer) {
  serve_listed();
  const std::vector<HttpAnswer> answers = {
      ask("GET /clawws/state", admin() + k_from_listed),
      ask("GET /clawws/events", admin() + k_from_listed),
      ask("POST /clawws/events", admin() + k_from_listed, event_json("x")),
      ask("POST /clawws/events", admin() + k_from_listed, "no event"),
      ask("POST /clawws/tickets", admin() + k_from_listed),
      ask("POST /clawws/tickets", k_from_listed),
      ask("GET /clawws/clawws.js", k_from_listed),
      ask("GET /clawws/health", k_from_listed)};
  const int expected[] = {200, 200, 201, 400, 200, 401, 200, 200};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].status, expected[i]) << answers[i].head;
    EXPECT_EQ(answers[i].field("Access-Control-Allow-Origin"), k_listed) << answers[i].head;
    EXPECT_EQ(answers[i].field("Access-Control-Allow-Credentials"), "true");
    EXPECT_TRUE(holds(answers[i].field("Vary"), "Origin"));
  }
}

TEST_F(Web, A_listed_page_may_read_why_its_body_was_refused) {
  serve([](server::ServerConfig& config) {
    config.origins = {k_listed};
    config.body_timeout = std::chrono::milliseconds(300);
  });
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  const std::tuple<int, const char*, std::string> bodies[] = {
      {413, "announced", "Content-Length: 1048577\r\n\r\n"},
      {413, "in chunks", chunked + "100001\r\n"},
      {400, "no chunk", chunked + "zz\r\n"},
      {408, "never comes", "Content-Length: 5\r\n\r\n"}};
  for (const auto& [status, what, rest] : bodies) {
    RawPeer peer = connect();
    peer.send(
        "POST /clawws/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
        admin() + k_from_listed + rest);
    const auto answer = peer.read_answer().value_or(HttpAnswer());
    EXPECT_EQ(answer.status, status) << what;
    EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), k_listed) << what;
    EXPECT_EQ(answer.field("Access-Control-Allow-Credentials"), "true") << what;
    EXPECT_TRUE(holds(answer.field("Vary"), "Origin")) << what;
  }
}

TEST_F(Web, A_stream_for_a_listed_page) {
  serve_listed();
  RawPeer peer = connect();
  peer.send(get("/clawws/events", admin() + k_from_listed + "Accept: text/event-stream\r\n"));
  const auto answer = peer.read_answer(k_patience, RawPeer::Body::none).value();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), k_listed) << answer.head;
  EXPECT_EQ(answer.field("Content-Type"), "text/event-stream");
  publish(event_json("live"));
  std::string seen;
  EXPECT_TRUE(eventually([&] {
    seen += peer.read_some(RawPeer::Millis(100));
    return seen.find("live") != std::string::npos;
  })) << seen;
}

TEST_F(Web, Nothing_for_a_page_that_is_not_listed) {
  serve_listed();
  const std::string evil = "Origin: https://evil.example\r\n";
  for (const char* line : {"GET /clawws/", "GET /clawws/state", "GET /clawws/events",
                           "POST /clawws/events", "POST /clawws/tickets"}) {
    const auto answer = ask(line, admin() + evil, event_json("x"));
    EXPECT_EQ(answer.status, 403) << line;
    EXPECT_FALSE(answer.field("Access-Control-Allow-Origin")) << line;
    EXPECT_TRUE(holds(answer.field("Vary"), "Origin")) << line;
  }
  EXPECT_FALSE(ask("GET /clawws/clawws.js", evil).field("Access-Control-Allow-Origin"));
  const auto plain = ask("GET /clawws/state", admin());
  EXPECT_FALSE(plain.field("Access-Control-Allow-Origin")) << "nobody asked";
  EXPECT_TRUE(holds(plain.field("Vary"), "Origin")) << "a cache must not give this to a page";
}

}  // namespace
}  // namespace clawws::test
