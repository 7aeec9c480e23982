// P-rows: what publishers may send.
#include "conformance/fixture.hpp"

namespace clawws::test {
namespace {

using namespace std::string_literals;

TEST_F(Conformance, P_01_events_that_are_none) {
  const auto refusal = [&](const std::string& body) {
    const HttpAnswer answer = ask("POST /clawws/events", admin(), body);
    const Json said = Json::parse(answer.body, nullptr, false);
    return std::to_string(answer.status) + " " + said.value("path", "none");
  };
  EXPECT_EQ(refusal(R"({"type":"nonsense.type","payload":{}})"), "422 /type");
  EXPECT_EQ(refusal(R"({"type":"session.created","payload":{}})"), "422 /payload/sessionKey");
  EXPECT_EQ(refusal(R"([{"type":"agent.status","payload":{"agentId":"a","status":"asleep"}}])"),
            "422 /0/payload/status");
  EXPECT_EQ(refusal(R"({"type":"cron.executed","payload":{"jobId":"j","exitCode":"0"}})"),
            "422 /payload/exitCode");
  EXPECT_EQ(ask("POST /clawws/events", admin(), "{").status, 400);
  EXPECT_EQ(ask("POST /clawws/events", admin(), event_json(std::string(65'536, 'x'))).status, 413);
  EXPECT_EQ(ask("POST /clawws/events", admin(), std::string(1'048'577, ' ')).status, 413);
  EXPECT_EQ(ask("POST /clawws/events", admin() + "Content-Type: text/plain\r\n", "{}").status, 415);
  EXPECT_EQ(publish(event_json("first"))["first"], 1) << "nothing of it was taken";
}

TEST_F(Conformance, P_02_subscriber_publishes) {
  serve([](server::ServerConfig& config) { config.publishers = {"admin"}; });
  const std::string viewer = basic("viewer:viewer-password");
  EXPECT_EQ(ask("POST /clawws/events", viewer, event_json("x")).status, 403);
  EXPECT_EQ(ask("POST /clawws/events", {}, event_json("x")).status, 401);
  open_session({}, viewer);
  EXPECT_EQ(welcome()["seq"], 0);
}

TEST_F(Conformance, P_03_idempotency_key) {
  const std::string key = admin() + "Idempotency-Key: run-17\r\n";
  const HttpAnswer first = ask("POST /clawws/events", key, event_json("a"));
  EXPECT_EQ(first.status, 201);
  const HttpAnswer again = ask("POST /clawws/events", key, event_json("a"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(ask("POST /clawws/events", key, event_json("b")).status, 409);
  const std::string other = basic("viewer:viewer-password") + "Idempotency-Key: run-17\r\n";
  EXPECT_EQ(ask("POST /clawws/events", other, event_json("b")).status, 201) << "another user's key";
  for (const std::string& bad : {""s, "a b"s, "k"s + std::string(128, 'k'), "\xC3\xA4"s}) {
    EXPECT_EQ(
        ask("POST /clawws/events", admin() + "Idempotency-Key: " + bad + "\r\n", event_json("c"))
            .status,
        400)
        << bad;
  }
}

TEST_F(Conformance, P_04_batch_with_one_bad_item) {
  RawPeer peer = open_session();
  const std::string batch = "[" + event_json("a") +
                            R"(,{"type":"session.created","payload":{"sessionKey":7}},)" +
                            event_json("b") + "]";
  const HttpAnswer answer = ask("POST /clawws/events", admin(), batch);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(Json::parse(answer.body)["path"], "/1/payload/sessionKey");
  EXPECT_EQ(publish(event_json("c"))["first"], 1);
  EXPECT_EQ(read_json(peer).value()["payload"]["label"], "c");
}

TEST_F(Conformance, P_05_markup_and_escapes_are_data) {
  RawPeer peer = open_session();
  const std::string label = "<script>alert(1)</script>\x1B[31m\r\n\xE2\x80\xAE\"\\";
  publish(event_json(label));
  const std::string text = peer.read_text().value();
  EXPECT_EQ(Json::parse(text)["payload"]["label"], label);
  for (const char c : text)
    EXPECT_GE(static_cast<unsigned char>(c), 0x20) << "a raw control character";
}

}  // namespace
}  // namespace clawws::test
