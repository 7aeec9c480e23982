// A whole server on its SQLite store: a restart, a store that is away, one that is damaged.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "support/fault_vfs.hpp"
#include "support/test_server.hpp"
#include "support/ws_bytes.hpp"

namespace clawws::test {
namespace {

using nlohmann::json;
using server::ServerConfig;

// Servers that follow each other in one state directory.
struct StoreServers : testing::Test {
  std::unique_ptr<TestServer> start() {
    return std::make_unique<TestServer>([this](ServerConfig& config) {
      config.store = ServerConfig::Store::sqlite;
      config.state_dir = dir.path() / "state";
    });
  }
  static json read_json(RawPeer& peer) {
    return json::parse(peer.read_text().value_or("null"), nullptr, false);
  }

  static std::string epoch_of(TestServer& server) { return read_json(*server.subscriber())["payload"]["epoch"]; }

  TempDir dir;
};

constexpr std::string_view k_event =
    R"({"type":"agent.status","payload":{"agentId":"a","status":"idle"}})";

TEST_F(StoreServers, ARestartKeepsPositionsEventsAndKeys) {
  auto server = start();
  const HttpAnswer first = server->request(TestServer::post(k_event, "Idempotency-Key: once\r\n"));
  ASSERT_EQ(first.status, 201) << first.body;
  const json receipt = json::parse(first.body);
  EXPECT_EQ(receipt["durability"], "written");
  const std::string epoch = receipt["epoch"];
  server->publish(20);
  server.reset();

  server = start();
  const HttpAnswer again = server->request(TestServer::post(k_event, "Idempotency-Key: once\r\n"));
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(json::parse(again.body), receipt) << "the first answer";
  EXPECT_EQ(
      server
          ->request(TestServer::post("[" + std::string(k_event) + "]", "Idempotency-Key: once\r\n"))
          .status,
      409);

  auto peer = server->subscriber("/ws?since=" + epoch + ":5");
  const json welcome = read_json(*peer);
  EXPECT_EQ(welcome["payload"]["resumed"], true) << welcome;
  EXPECT_EQ(welcome["payload"]["seq"], 21);
  server->publish(5);
  for (std::uint64_t seq = 6; seq <= 26; ++seq) EXPECT_EQ(read_json(*peer).value("seq", 0U), seq);
}

TEST_F(StoreServers, TheStateIsToldWithItsPositionAndOutlivesARestart) {
  auto server = start();
  const std::string get = "GET /clawws/state HTTP/1.1\r\nHost: localhost\r\n" + basic(k_test_login) + "\r\n";
  server->request(TestServer::post(R"([{"type":"agent.status","payload":{"agentId":"a","status":"idle"}},
      {"type":"session.created","payload":{"sessionKey":"s"}}])"));
  const HttpAnswer told = server->request(get);
  EXPECT_EQ(told.status, 200) << told.body;
  const json state = json::parse(told.body);
  EXPECT_EQ(state["agents"][0]["status"], "idle") << state;
  EXPECT_EQ(state["sessions"][0]["sessionKey"], "s") << state;
  auto peer = server->subscriber("/ws?since=" + std::string(state["position"]));
  EXPECT_EQ(read_json(*peer)["payload"]["resumed"], true);
  server->publish(1);
  EXPECT_EQ(read_json(*peer).value("seq", 0U), 3U);

  EXPECT_EQ(server->request("GET /clawws/state HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 401);
  EXPECT_EQ(server->request("POST /clawws/state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").status, 405);
  peer.reset();
  server.reset();
  server = start();
  EXPECT_EQ(json::parse(server->request(get).body)["sessions"], state["sessions"]);
}

TEST_F(StoreServers, AStoreThatIsAwayRefusesPublishersAlone) {
  auto server = start();
  server->publish(3);
  auto peer = server->subscriber();
  read_json(*peer);
  const auto file = dir.path() / "state" / "events.db";
  const std::string ready = "GET /clawws/ready HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(server->request(ready).status, 200);

  std::filesystem::rename(file, dir.path() / "away");
  const HttpAnswer refused = server->request(TestServer::post(k_event));
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_TRUE(refused.field("Retry-After").has_value());
  EXPECT_EQ(server->request(ready).status, 503);
  peer->send(client_text(R"({"type":"ping","timestamp":"t"})"));
  EXPECT_EQ(read_json(*peer)["type"], "pong") << "who is connected stays";

  std::filesystem::rename(dir.path() / "away", file);
  EXPECT_TRUE(eventually([&] { return server->request(ready).status == 200; }))
      << "without a publisher, without a restart";
  EXPECT_EQ(server->request(TestServer::post(k_event)).status, 201);
  EXPECT_EQ(read_json(*peer).value("seq", 0U), 4U) << "nothing between";
  EXPECT_NE(server->logged().find("publishing is refused"), std::string::npos);
  EXPECT_NE(server->logged().find("takes events again"), std::string::npos);
}

TEST_F(StoreServers, AnOlderCopyOfTheStoreIsANewEpochAndEachClientIsTold) {
  const auto file = dir.path() / "state" / "events.db";
  auto server = start();
  const std::string epoch = epoch_of(*server);
  server->publish(10);
  server.reset();
  std::filesystem::copy_file(file, dir.path() / "copy");
  server = start();
  EXPECT_EQ(epoch_of(*server), epoch);
  server->publish(10);
  server.reset();
  // Over the old content, so that it is the same file to the file system.
  std::filesystem::copy_file(dir.path() / "copy", file, std::filesystem::copy_options::overwrite_existing);

  server = start();
  EXPECT_NE(epoch_of(*server), epoch);
  for (const char* types : {"", "&types=agent.*"}) {
    auto peer = server->subscriber("/ws?since=" + epoch + ":15" + types);
    const json welcome = read_json(*peer)["payload"];
    EXPECT_EQ(welcome["resumed"], false) << welcome;
    EXPECT_TRUE(welcome["lost"].is_null()) << welcome;
    EXPECT_EQ(welcome["epoch"], epoch_of(*server));
    EXPECT_EQ(read_json(*peer).value("seq", 0U), 1U) << "from the oldest on";
  }
  EXPECT_NE(server->logged().find("acknowledged events are missing"), std::string::npos) << server->logged();
}

TEST_F(StoreServers, ADiskThatStandsStillHoldsNobodyWhoIsConnected) {
  FaultVfs disk(FaultVfs::Reach::everybody);
  auto server = start();
  server->publish(3);
  auto peer = server->subscriber();
  read_json(*peer);
  disk.stalled = true;
  RawPeer publisher(server->port());
  ASSERT_TRUE(publisher.handshake());
  ASSERT_TRUE(publisher.send(TestServer::post(k_event)));
  ASSERT_TRUE(eventually([&] { return disk.waiting > 0; }));
  for (int i = 0; i < 3; ++i) {
    peer->send(client_text(R"({"type":"ping","timestamp":"t"})"));
    const auto pong = peer->read_text(std::chrono::seconds(2));
    ASSERT_TRUE(pong.has_value());
    EXPECT_EQ(json::parse(*pong)["type"], "pong");
  }
  EXPECT_EQ(server->request("GET /clawws/health HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
  EXPECT_EQ(read_json(*server->subscriber())["payload"]["seq"], 3) << "who comes now is welcome";
  disk.stalled = false;
  const auto answer = publisher.read_answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 201) << answer->body;
  EXPECT_EQ(read_json(*peer).value("seq", 0U), 4U);
}

TEST_F(StoreServers, ADamagedStoreRefusesTheStart) {
  start();
  dir.write("garbage", std::string(20'000, 'x'));
  std::filesystem::rename(dir.path() / "garbage", dir.path() / "state" / "events.db");
  base::UniqueFd log_file(::memfd_create("log", MFD_CLOEXEC));
  base::Logger log(log_file.get(), base::LogFormat::text, base::LogLevel::info);
  ServerConfig config;
  config.listen = {{"127.0.0.1", 0}};
  config.state_dir = dir.path() / "state";
  server::Server server(config, log);
  const auto started = server.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, base::Errc::store_damaged);
  EXPECT_NE(started.error().message().find("events.db is damaged"), std::string::npos)
      << started.error().message();
}

}  // namespace
}  // namespace clawws::test
