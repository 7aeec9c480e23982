// GET /clawws/events as JSON, over real TLS.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/test_server.hpp"

namespace clawws::test {
namespace {

using nlohmann::json;

class ServerHistoryOverTls : public testing::Test {
 protected:
  static std::string get(const std::string& query, const std::string& fields = basic(k_test_login),
                         const std::string& method = "GET") {
    return method + " /clawws/events" + query + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
           "\r\n";
  }
  json page(TestServer& server, const std::string& query) {
    const HttpAnswer answer = server.request(get(query));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.field("Content-Type"), "application/json");
    return json::parse(answer.body, nullptr, false);
  }
  // "first-last" of a page that has no hole, "" of an empty one.
  static std::string span(const json& page) {
    const json& events = page["events"];
    for (std::size_t i = 1; i < events.size(); ++i)
      EXPECT_EQ(events[i]["seq"], events[i - 1]["seq"].get<std::uint64_t>() + 1);
    if (events.empty()) return "";
    return events.front()["seq"].dump() + "-" + events.back()["seq"].dump();
  }
};

TEST_F(ServerHistoryOverTls, PagesFollowEachOther) {
  TestServer server;
  server.publish(250);
  const std::string epoch = server->hub().facts().epoch;
  json now = page(server, "");
  EXPECT_EQ(span(now), "1-100");
  EXPECT_EQ(now["epoch"], epoch);
  EXPECT_EQ(now["oldest"], 1);
  EXPECT_EQ(now["next"], epoch + ":100");
  EXPECT_EQ(now["more"], true);
  now = page(server, "?limit=130&since=" + now["next"].get<std::string>());
  EXPECT_EQ(span(now), "101-230");
  EXPECT_EQ(now["resumed"], true);
  now = page(server, "?since=" + now["next"].get<std::string>());
  EXPECT_EQ(span(now), "231-250");
  EXPECT_EQ(now["more"], false);
  now = page(server, "?since=" + now["next"].get<std::string>());
  EXPECT_EQ(span(now), "");
  EXPECT_EQ(now["next"], epoch + ":250");
}

TEST_F(ServerHistoryOverTls, BeginsWhereItIsAsked) {
  TestServer server;
  server.publish(30);
  const std::int64_t before = base::unix_millis();
  EXPECT_TRUE(eventually([&] { return base::unix_millis() > before + 1; }));
  const std::string then = base::format_rfc3339(base::unix_millis());
  server.publish(10);
  EXPECT_EQ(span(page(server, "?since=" + then)), "31-40");
  EXPECT_EQ(span(page(server, "?since=earliest&limit=5")), "1-5");
  EXPECT_EQ(span(page(server, "?last=7")), "34-40");
  EXPECT_EQ(span(page(server, "?last=7&limit=2")), "34-35");
}

TEST_F(ServerHistoryOverTls, AFilterScansToTheEnd) {
  TestServer server;
  server.publish(3, "session.killed");
  server.publish(5'000);  // more than one chunk of the store
  server.publish(2, "session.created");
  json now = page(server, "?types=session.*");
  EXPECT_EQ(now["events"].size(), 5u);
  EXPECT_EQ(now["events"].back()["seq"], 5'005);
  EXPECT_EQ(now["more"], false);
  now = page(server, "?types=session.*&last=3");
  EXPECT_EQ(now["events"].front()["seq"], 3);
  now = page(server, "?types=cron.*");
  EXPECT_TRUE(now["events"].empty());
  EXPECT_TRUE(now["next"].get<std::string>().ends_with(":5005"));
}

TEST_F(ServerHistoryOverTls, NeverAPartInSilence) {
  TestServer server([](server::ServerConfig& config) { config.retention.events = 10; });
  server.publish(100);
  const std::string epoch = server->hub().facts().epoch;
  json now = page(server, "?since=" + epoch + ":50");
  EXPECT_EQ(now["resumed"], false);
  EXPECT_EQ(now["lost"], 40);
  EXPECT_EQ(now["oldest"], 91);
  EXPECT_EQ(span(now), "91-100");
  now = page(server, "?since=zzzzzzzz:50");
  EXPECT_EQ(now["resumed"], false);
  EXPECT_TRUE(now["lost"].is_null());
  EXPECT_EQ(span(now), "91-100");
  now = page(server, "?since=" + epoch + ":101");
  EXPECT_EQ(now["resumed"], false);
  EXPECT_TRUE(now["lost"].is_null());
}

TEST_F(ServerHistoryOverTls, AnAnswerHasALargestSize) {
  TestServer server([](server::ServerConfig& config) { config.retention.bytes = 64u << 20; });
  server.publish(200, "agent.status", 60'000);
  const HttpAnswer answer = server.request(get("?limit=1000"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_LE(answer.body.size(), (4u << 20) + 1024);
  const json now = json::parse(answer.body);
  EXPECT_GT(now["events"].size(), 60u);
  EXPECT_LT(now["events"].size(), 80u);
  EXPECT_EQ(now["more"], true);
}

TEST_F(ServerHistoryOverTls, SaysWhatIsWrongWithAQuestion) {
  TestServer server;
  const auto refusal = [&](const std::string& query) {
    const HttpAnswer answer = server.request(get(query));
    EXPECT_EQ(answer.status, 400) << query;
    return json::parse(answer.body).value("message", "");
  };
  for (const char* const query : {"?limit=0", "?limit=1001", "?limit=x", "?limit=5&limit=6"})
    EXPECT_NE(refusal(query).find("'limit'"), std::string::npos) << query;
  EXPECT_NE(refusal("?since=yesterday").find("'since'"), std::string::npos);
  EXPECT_NE(refusal("?last=0").find("'last'"), std::string::npos);
  EXPECT_NE(refusal("?types=A!").find("'types'"), std::string::npos);
  EXPECT_NE(refusal("?since=earliest&last=3").find("'last'"), std::string::npos);
  EXPECT_EQ(server.request(get("", "")).status, 401);
  EXPECT_EQ(
      server.request(get("", basic(k_test_login) + "Origin: https://evil.example\r\n")).status,
      403);
}

TEST_F(ServerHistoryOverTls, TakesTheMethodsThatItSays) {
  TestServer server;
  server.publish(3);
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.handshake());
  peer.send(get("", basic(k_test_login), "HEAD"));
  const auto head = peer.read_answer(k_patience, RawPeer::Body::none);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  const HttpAnswer whole = server.request(get(""));
  EXPECT_EQ(head->field("Content-Length"), std::to_string(whole.body.size()));
  const HttpAnswer wrong = server.request(get("", basic(k_test_login), "DELETE"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.field("Allow"), "GET, HEAD, POST");
}

}  // namespace
}  // namespace clawws::test
