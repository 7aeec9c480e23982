// GET /clawws/events as a stream of server-sent events: the same log, positions, filters and rules
// as over a WebSocket, over real TLS.
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "support/event_stream.hpp"

namespace clawws::test {
namespace {

using nlohmann::json;

constexpr PeerOptions k_small_buffer{4096, ""};

std::string epoch_of(TestServer& server) {
  return server->hub().facts().epoch;
}

// Reads events until `last`; their seqs must follow each other from `first`.
void expect_events(EventStream& stream, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = first; seq <= last; ++seq) {
    const auto event = stream.event();
    ASSERT_TRUE(event) << "the stream ended before " << seq;
    ASSERT_EQ(json::parse(event->data).value("seq", 0U), seq) << event->data;
    ASSERT_TRUE(event->id.ends_with(":" + std::to_string(seq))) << event->id;
  }
}

HttpAnswer refusal(TestServer& server, const std::string& query, const std::string& fields) {
  return server.request("GET /clawws/events" + query + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
                        "Accept: text/event-stream\r\n\r\n");
}

TEST(ServerEventStream, SendsWhatComes) {
  TestServer server;
  server.publish(7);
  EventStream stream(server);
  EXPECT_EQ(stream.head().status, 200);
  EXPECT_EQ(stream.head().field("Content-Type"), "text/event-stream");
  EXPECT_EQ(stream.head().field("Content-Length"), std::nullopt);
  auto first = stream.block();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->retry.empty());
  // The place is known before anything happens.
  first = stream.block();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, epoch_of(server) + ":7");
  EXPECT_EQ(first->data_lines, 0u);
  server.publish(1, "session.killed");
  const auto event = stream.block();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->id, epoch_of(server) + ":8");
  EXPECT_EQ(event->event, "session.killed");
  EXPECT_EQ(event->data_lines, 1u);
  EXPECT_EQ(event->stray, "");
  const json data = json::parse(event->data);
  EXPECT_EQ(data["type"], "session.killed");
  EXPECT_EQ(data["seq"], 8);
  EXPECT_FALSE(data.contains("prev"));
  server.publish(2'500);
  expect_events(stream, 9, 2'508);
  EXPECT_EQ(server->counters().sessions_open.load(), 1u);
}

TEST(ServerEventStream, ResumesBehindTheLastEventId) {
  TestServer server;
  server.publish(100);
  EventStream stream(server, "?since=earliest", "Last-Event-ID: " + epoch_of(server) + ":40\r\n");
  expect_events(stream, 41, 100);
  server.publish(1);
  expect_events(stream, 101, 101);
  EventStream newest(server, "?last=2");
  expect_events(newest, 100, 101);
  // Where nothing was sent yet, the id of the beginning resumes without a hole.
  EventStream quiet(server);
  ASSERT_TRUE(quiet.block());
  ASSERT_TRUE(quiet.block());
  server.publish(3);
  EventStream back(server, "", "Last-Event-ID: " + quiet.last_id() + "\r\n");
  expect_events(back, 102, 104);
}

TEST(ServerEventStream, SaysAGapBeforeItGoesOn) {
  TestServer server([](server::ServerConfig& config) { config.retention.events = 10; });
  server.publish(100);
  const std::string epoch = epoch_of(server);
  EventStream stream(server, "", "Last-Event-ID: " + epoch + ":50\r\n");
  auto gap = stream.event();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->event, "clawws.gap");
  EXPECT_EQ(gap->id, epoch + ":90");
  json payload = json::parse(gap->data)["payload"];
  EXPECT_EQ(payload, json::parse(R"({"cause":"retention","lost":40,"from":")" + epoch +
                                 R"(:50","to":")" + epoch + ":90\"}"));
  expect_events(stream, 91, 100);

  EventStream other(server, "?since=zzzzzzzz:5");
  gap = other.event();
  ASSERT_TRUE(gap);
  payload = json::parse(gap->data)["payload"];
  EXPECT_EQ(payload["cause"], "new_epoch");
  EXPECT_TRUE(payload["lost"].is_null());
  expect_events(other, 91, 100);
}

TEST(ServerEventStream, AFilterMovesOnThoughNothingMatches) {
  TestServer server(
      [](server::ServerConfig& config) { config.ping_interval = base::Millis(1'000); });
  EventStream stream(server, "?types=session.*");
  server.publish(3);
  server.publish(1, "session.killed");
  server.publish(2);
  const auto event = stream.event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->event, "session.killed");
  EXPECT_EQ(json::parse(event->data)["prev"], 0);
  // A heartbeat is a comment, and brings the place.
  const auto heartbeat = stream.block();
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->data_lines, 0u);
  EXPECT_FALSE(heartbeat->comments.empty());
  EXPECT_EQ(heartbeat->id, epoch_of(server) + ":6");
}

TEST(ServerEventStream, CatchesUpOverManyTimesTheLogInMemory) {
  TestServer server([](server::ServerConfig& config) {
    config.log_memory_bytes = 1u << 20;
    config.max_lag_time = base::Millis(600'000);
  });
  server.publish(4'000, "agent.status", 1'500);
  EventStream all(server, "?since=earliest", "", k_small_buffer);
  EventStream some(server, "?since=earliest&types=agent.*", "", k_small_buffer);
  EventStream live(server, "", "", k_small_buffer);
  ASSERT_TRUE(live.block());
  server.publish(2'000, "agent.status", 1'500);
  expect_events(all, 1, 6'000);
  expect_events(some, 1, 6'000);
  expect_events(live, 4'001, 6'000);
  server.publish(10);
  expect_events(all, 6'001, 6'010);
  expect_events(some, 6'001, 6'010);
  expect_events(live, 6'001, 6'010);
}

TEST(ServerEventStream, ManyClientsShareTheFramesOfAView) {
  TestServer server(
      [](server::ServerConfig& config) { config.max_lag_time = base::Millis(600'000); });
  std::vector<std::unique_ptr<EventStream>> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(std::make_unique<EventStream>(server));
  server.publish(500);
  for (auto& stream : streams) expect_events(*stream, 1, 500);
  EXPECT_EQ(server->hub().frames_encoded(), 500u);
}

TEST(ServerEventStream, WhoTakesNoByteIsEnded) {
  TestServer server([](server::ServerConfig& config) {
    config.log_memory_bytes = 1u << 20;
    config.max_lag_time = base::Millis(1'500);
  });
  EventStream dead(server, "", "", k_small_buffer);
  ASSERT_TRUE(eventually([&] {
    server.publish(40, "agent.status", 1'500);
    return server->counters().sessions_slow.load() == 1;
  }));
  EXPECT_EQ(server->counters().sessions_open.load(), 0u);
}

TEST(ServerEventStream, RevokedCredentialsEndIt) {
  TestServer server;
  EventStream stream(server);
  ASSERT_TRUE(stream.block());
  server.dir().write(".env", "DASHBOARD_USERNAME=tester\nDASHBOARD_PASSWORD='another'\n");
  server->reload();
  EXPECT_NE(stream.peer().wait_end(), End::open);
  EXPECT_TRUE(eventually([&] { return server->counters().sessions_open.load() == 0; }));
  EXPECT_NE(server.logged().find("4001 credentials changed"), std::string::npos);
}

TEST(ServerEventStream, AStopEndsItBehindWhatIsDue) {
  TestServer server([](server::ServerConfig& config) { config.drain = base::Millis(60'000); });
  EventStream stream(server, "", "", k_small_buffer);
  ASSERT_TRUE(stream.block());
  ASSERT_TRUE(stream.block());
  server.publish(100, "agent.status", 1'500);
  auto stopped = std::async(std::launch::async, [&server] { server->stop(); });
  expect_events(stream, 1, 100);
  const auto last = stream.block();
  ASSERT_TRUE(last);
  ASSERT_FALSE(last->comments.empty());
  EXPECT_EQ(last->comments[0], " 1012 restart");
  EXPECT_FALSE(stream.block());
  EXPECT_EQ(stream.peer().end(), End::close_notify);
  stream.peer().send_fin();
  EXPECT_EQ(stopped.wait_for(k_patience), std::future_status::ready);
}

TEST(ServerEventStream, RefusesWhatItCannotServe) {
  TestServer server([](server::ServerConfig& config) { config.max_clients = 1; });
  const std::string login = basic(k_test_login);
  const auto message = [&](const HttpAnswer& answer) {
    return json::parse(answer.body, nullptr, false).value("message", "");
  };
  HttpAnswer answer = refusal(server, "", login + "Last-Event-ID: 17\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(message(answer).find("Last-Event-ID"), std::string::npos);
  answer = refusal(server, "?types=A!", login);
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(message(answer).find("types"), std::string::npos);
  EXPECT_EQ(refusal(server, "?limit=3", login).status, 400);
  EXPECT_EQ(refusal(server, "", "").status, 401);
  EXPECT_EQ(refusal(server, "", login + "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(refusal(server, "", login + "Content-Length: 2\r\n").status, 400);
  EventStream only(server);
  ASSERT_EQ(only.head().status, 200);
  EXPECT_EQ(refusal(server, "", login).status, 503);
}

TEST(ServerEventStream, AClientThatTalksIsEnded) {
  TestServer server([](server::ServerConfig& config) { config.message_rate = 2; });
  EventStream stream(server);
  ASSERT_TRUE(stream.block());
  EXPECT_TRUE(eventually([&] {
    stream.peer().send("GET / HTTP/1.1\r\n\r\n");
    return server->counters().sessions_open.load() == 0;
  }));
}

}  // namespace
}  // namespace clawws::test
