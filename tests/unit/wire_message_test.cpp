#include "clawws/wire/message.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/growth.hpp"

namespace clawws::wire {
namespace {

using base::Errc;
using nlohmann::json;

constexpr std::int64_t k_now = 1771684200000;  // 2026-02-21T14:30:00.000Z

Welcome sample_welcome() {
  Welcome welcome;
  welcome.user_id = "ad\"min";
  welcome.now_millis = k_now;
  welcome.server = "clawws/0.1.0";
  welcome.start = {"k3f9c2a1", 8812, 812, true, 0};
  welcome.behind = 3;
  return welcome;
}

// ---- server to client

TEST(Encode, WelcomeIsTheProtocolsFirstFrame) {
  EXPECT_EQ(
      encode_welcome(sample_welcome()),
      R"({"type":"auth.success","timestamp":"2026-02-21T14:30:00.000Z","payload":{"message":"Connected successfully",)"
      R"("userId":"ad\"min","connectionTime":"2026-02-21T14:30:00.000Z","server":"clawws/0.1.0","epoch":"k3f9c2a1",)"
      R"("seq":8812,"oldest":812,"resumed":true,"lost":0,"behind":3}})");
}

TEST(Encode, WhatCannotBeKnownIsNull) {
  auto welcome = sample_welcome();
  welcome.start.resumed = false;
  welcome.start.lost.reset();
  const auto read = json::parse(encode_welcome(welcome));
  EXPECT_TRUE(read.at("payload").at("lost").is_null());
  EXPECT_EQ(read.at("payload").at("resumed"), false);
}

TEST(Encode, TheOtherMessages) {
  EXPECT_EQ(
      encode_pong(k_now, "1771684199000", "a", 7),
      R"({"type":"pong","timestamp":"2026-02-21T14:30:00.000Z","payload":{"receivedAt":1771684199000,"epoch":"a","seq":7}})");
  EXPECT_EQ(
      encode_position(k_now, "a", 7),
      R"({"type":"position","timestamp":"2026-02-21T14:30:00.000Z","payload":{"epoch":"a","seq":7}})");
  EXPECT_EQ(
      encode_subscribed(k_now, {"session.*", "a.b"}, {"a", 7, 2, false, std::nullopt}),
      R"({"type":"subscribed","timestamp":"2026-02-21T14:30:00.000Z","payload":{"types":["session.*","a.b"],"epoch":"a","seq":7,)"
      R"("oldest":2,"resumed":false,"lost":null}})");
  EXPECT_EQ(
      encode_error(k_now, "bad_message", "Invalid \"message\" format"),
      R"({"type":"error","timestamp":"2026-02-21T14:30:00.000Z","payload":{"code":"bad_message","message":"Invalid \"message\" format"}})");
  EXPECT_EQ(encode_ping(k_now), R"({"type":"ping","timestamp":"2026-02-21T14:30:00.000Z"})");
  EXPECT_EQ(encode_subscribe({"a.*"}, "e:5"),
            R"({"type":"subscribe","payload":{"types":["a.*"],"since":"e:5"}})");
  EXPECT_EQ(encode_subscribe({}, ""), R"({"type":"subscribe","payload":{"types":[]}})");
}

// ---- client to server

TEST(ClientMessages, APingKeepsItsTimestampAsItWas) {
  const auto stamp = [](const std::string& json_value) {
    const auto message = parse_client_message(R"({"type":"ping","timestamp":)" + json_value + '}');
    EXPECT_TRUE(message) << json_value;
    return message ? message->received_at_json : "";
  };
  EXPECT_EQ(stamp("1771684199000"), "1771684199000");
  EXPECT_EQ(stamp("12.5"), "12.5");
  EXPECT_EQ(stamp("-1"), "-1");
  EXPECT_EQ(stamp(R"("2026-02-21T14:30:00.000Z")"), R"("2026-02-21T14:30:00.000Z")");
  EXPECT_EQ(stamp(R"("\u0007\"")"), R"("\u0007\"")");
  EXPECT_EQ(stamp("null"), "null");
  EXPECT_EQ(stamp("true"), "null");
  EXPECT_EQ(stamp(R"({"a":[1]})"), "null");
  EXPECT_EQ(stamp('"' + std::string(62, 'x') + '"'), '"' + std::string(62, 'x') + '"');
  EXPECT_EQ(stamp('"' + std::string(63, 'x') + '"'), "null");
  EXPECT_EQ(parse_client_message(R"({"type":"ping"})")->received_at_json, "null");
  EXPECT_EQ(parse_client_message(R"({"payload":{"type":"ack"},"type":"ping","x":[{}]})")->kind,
            ClientMessage::Kind::ping);
}

TEST(ClientMessages, Subscribe) {
  auto message = parse_client_message(
      R"({"type":"subscribe","payload":{"types":["session.*","a.b"],"since":"e:5","x":{"types":5}}})");
  ASSERT_TRUE(message) << message.error().context;
  EXPECT_EQ(message->kind, ClientMessage::Kind::subscribe);
  EXPECT_EQ(message->types, (std::vector<std::string>{"session.*", "a.b"}));
  EXPECT_EQ(message->since, "e:5");
  message = parse_client_message(encode_subscribe({}, ""));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->types, std::vector<std::string>{});
  EXPECT_FALSE(message->since);
  for (const char* text : {R"({"type":"subscribe"})", R"({"type":"subscribe","payload":{}})"}) {
    message = parse_client_message(text);
    ASSERT_TRUE(message);
    EXPECT_FALSE(message->types);
  }
}

TEST(ClientMessages, UnsubscribeAndAck) {
  auto message = parse_client_message(R"({"type":"unsubscribe","payload":{"types":["a.b"]}})");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, ClientMessage::Kind::unsubscribe);
  EXPECT_EQ(message->types, std::vector<std::string>{"a.b"});
  message = parse_client_message(R"({"type":"ack","payload":{"seq":8812}})");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, ClientMessage::Kind::ack);
  EXPECT_EQ(message->seq, 8812U);
}

void expect_bad(std::string_view text, Errc code) {
  const auto message = parse_client_message(text);
  ASSERT_FALSE(message) << text.substr(0, 200);
  EXPECT_EQ(base::info(message.error().code).word, base::info(code).word) << text.substr(0, 200);
  EXPECT_LT(message.error().context.size(), 700U);
  EXPECT_FALSE(message.error().context.empty());
}

TEST(ClientMessages, AFilterIsAListOfAtMost64Strings) {
  for (const char* types : {"\"a.b\"", "5", "null", "{}", "[5]", "[\"a\",null]", "[[]]",
                            "[[\"a\"]]", "[{\"a\":\"b\"}]"}) {
    expect_bad(std::string(R"({"type":"subscribe","payload":{"types":)") + types + "}}",
               Errc::bad_filter);
  }
  std::string many = "\"a\"";
  for (int i = 0; i < 63; ++i) many += ",\"a\"";
  EXPECT_EQ(parse_client_message(R"({"type":"subscribe","payload":{"types":[)" + many + "]}}")
                ->types->size(),
            64U);
  expect_bad(R"({"type":"subscribe","payload":{"types":[)" + many + ",\"a\"]}}", Errc::bad_filter);
  for (int i = 0; i < 10'000; ++i) many += ",\"a\"";
  expect_bad(R"({"type":"subscribe","payload":{"types":[)" + many + "]}}", Errc::bad_filter);
  expect_bad(R"({"type":"unsubscribe","payload":{}})", Errc::bad_filter);
  for (const char* since : {"5", "null", "[]", "{}"}) {
    expect_bad(std::string(R"({"type":"subscribe","payload":{"since":)") + since + "}}",
               Errc::bad_position);
  }
}

TEST(ClientMessages, WhatIsNoneOfThemIsABadMessage) {
  for (const char* text : {"",
                           " ",
                           "hello",
                           "5",
                           "null",
                           "[]",
                           "[{\"type\":\"ping\"}]",
                           "{}",
                           "{\"type\":5}",
                           "{\"type\":\"pong\"}",
                           "{\"type\":\"PING\"}",
                           "{\"type\":\"ping\"",
                           "{\"type\":\"ping\"}}",
                           "{\"type\":NaN}",
                           "{\"type\":\"ping\",\"timestamp\":NaN}",
                           R"({"type":"ping","timestamp":18446744073709551616})",
                           R"({"type":"ping","timestamp":1e999})",
                           R"({"type":"ping","type":"ping"})",
                           R"({"type":"ping","payload":{"a":{"b":1,"b":2}}})",
                           R"({"type":"subscribe","payload":{"types":["a"],"types":["b"]}})",
                           R"({"type":"subscribe","payload":[]})",
                           R"({"type":"subscribe","payload":"x"})",
                           R"({"type":"subscribe","since":"9:18446744073709551616"})",
                           R"({"type":"subscribe","types":["a.b"]})",
                           R"({"type":"ack"})",
                           R"({"type":"ack","payload":{"seq":-1}})",
                           R"({"type":"ack","payload":{"seq":"5"}})",
                           R"({"type":"ack","payload":{"seq":1.0}})",
                           R"({"type":"ack","seq":5})",
                           R"({"type":"ack","payload":{},"x":{"seq":5}})",
                           "{\"type\":\"ping\",\"x\":\"\xc3\x28\"}"}) {
    expect_bad(text, Errc::bad_message);
  }
  expect_bad(std::string_view("{\"type\":\"ping\"}\0", 16), Errc::bad_message);
}

TEST(ClientMessages, NestingEndsAt32) {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"ping","x":)" + std::string(depth, '[') + std::string(depth, ']') + '}';
  };
  EXPECT_TRUE(parse_client_message(nested(31)));
  expect_bad(nested(32), Errc::bad_message);
  expect_bad(nested(100'000), Errc::bad_message);
  expect_bad(R"({"type":"subscribe","payload":{"types":)" + std::string(60'000, '['),
             Errc::bad_message);
}

TEST(ClientMessages, HostileTextIsReadInLinearTime) {
  const auto ping_with_names = [](std::size_t size_bytes) {
    std::string text = R"({"type":"ping")";
    for (int i = 0; text.size() < size_bytes; ++i) text += ",\"" + std::to_string(i) + "\":0";
    return text + '}';
  };
  const std::string small = ping_with_names(8'000);
  const std::string large = ping_with_names(64'000);
  EXPECT_LT(test::growth([&] { EXPECT_TRUE(parse_client_message(small)); },
                         [&] { EXPECT_TRUE(parse_client_message(large)); }),
            test::k_between_linear_and_quadratic);
}

// ---- what a client reads

TEST(ServerMessages, AnEventsEnvelopeInAnyOrder) {
  for (
      const char* text :
      {R"({"type":"session.created","timestamp":"T","payload":{"type":"x","seq":1,"a":"}\"\\"},"seq":8813,"prev":8800})",
       R"({ "prev" : 8800 , "seq" : 8813 , "payload" : { "q" : [ { } , "]" ] } , "timestamp" : "T" , "type" : "session.created" } )",
       R"({"seq":8813,"more":[1,{"seq":3}],"prev":8800,"other":null,"x":-1.5e3,"type":"session.created","timestamp":"T","payload":{}})"}) {
    const auto message = parse_server_message(text);
    ASSERT_TRUE(message) << text;
    EXPECT_EQ(message->kind, ServerMessage::Kind::event);
    EXPECT_EQ(message->type, "session.created");
    EXPECT_EQ(message->timestamp, "T");
    EXPECT_EQ(message->seq, 8813U);
    EXPECT_EQ(message->prev, 8800U);
  }
  EXPECT_FALSE(parse_server_message(R"({"type":"a.b","seq":1})")->prev);
  EXPECT_EQ(parse_server_message(R"({"type":"a.b","seq":18446744073709551615})")->seq,
            18446744073709551615U);
}

TEST(ServerMessages, WhatTheServerEncodesIsReadBack) {
  auto message = parse_server_message(encode_welcome(sample_welcome()));
  ASSERT_TRUE(message) << message.error().context;
  EXPECT_EQ(message->kind, ServerMessage::Kind::welcome);
  EXPECT_EQ(message->user_id, "ad\"min");
  EXPECT_EQ(message->server, "clawws/0.1.0");
  EXPECT_EQ(message->start.epoch, "k3f9c2a1");
  EXPECT_EQ(message->start.seq, 8812U);
  EXPECT_EQ(message->start.oldest, 812U);
  EXPECT_TRUE(message->start.resumed);
  EXPECT_EQ(message->start.lost, 0U);
  EXPECT_EQ(message->behind, 3U);
  EXPECT_EQ(message->timestamp, "2026-02-21T14:30:00.000Z");

  message = parse_server_message(encode_pong(k_now, "\"x\"", "a", 7));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, ServerMessage::Kind::pong);
  EXPECT_EQ(message->received_at_json, "\"x\"");
  EXPECT_EQ(message->epoch, "a");
  EXPECT_EQ(message->seq, 7U);

  message = parse_server_message(encode_position(k_now, "a", 9));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, ServerMessage::Kind::position);
  EXPECT_EQ(message->seq, 9U);

  message =
      parse_server_message(encode_subscribed(k_now, {"a.*"}, {"a", 7, 2, false, std::nullopt}));
  ASSERT_TRUE(message) << message.error().context;
  EXPECT_EQ(message->kind, ServerMessage::Kind::subscribed);
  EXPECT_EQ(message->types, std::vector<std::string>{"a.*"});
  EXPECT_EQ(message->start.oldest, 2U);
  EXPECT_FALSE(message->start.lost);

  message = parse_server_message(encode_error(k_now, "bad_filter", "why"));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, ServerMessage::Kind::error);
  EXPECT_EQ(message->code, "bad_filter");
  EXPECT_EQ(message->message, "why");
}

// An epoch goes into the next request line and into notes on a terminal.
TEST(ServerMessages, WhatIsNoEpochIsAProtocolError) {
  const auto messages = [](const std::string& epoch) {
    const StreamStart start{epoch, 7, 2, false, std::nullopt};
    Welcome welcome = sample_welcome();
    welcome.start = start;
    return std::vector<std::string>{encode_welcome(welcome), encode_pong(k_now, "1", epoch, 7),
                                    encode_position(k_now, epoch, 7),
                                    encode_subscribed(k_now, {"a.*"}, start)};
  };
  for (const std::string& text : messages("k3f9c2a1k3f9c2a1"))
    EXPECT_TRUE(parse_server_message(text));
  for (const std::string epoch :
       {"", "K3", "k-3", "\x1b[31m", "a HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /x", "k3f9c2a1k3f9c2a1k",
        "\xc3\xa9"}) {
    for (const std::string& text : messages(epoch)) {
      const auto message = parse_server_message(text);
      ASSERT_FALSE(message) << text;
      EXPECT_EQ(message.error().code, Errc::protocol);
      EXPECT_EQ(message.error().message().find('\x1b'), std::string::npos);
    }
  }
  EXPECT_FALSE(parse_server_message(R"({"type":"pong","payload":{"epoch":5,"seq":1}})"));
  EXPECT_FALSE(parse_server_message(R"({"type":"position","payload":{"epoch":"a"}})"));
}

TEST(ServerMessages, AMessageOfAnotherKindIsUnknownNotWrong) {
  for (const char* text :
       {R"({"type":"future.thing","payload":{}})", R"({"type":"hello"})", R"({"type":""})"}) {
    const auto message = parse_server_message(text);
    ASSERT_TRUE(message) << text;
    EXPECT_EQ(message->kind, ServerMessage::Kind::unknown);
  }
}

TEST(ServerMessages, WhatIsNoMessageIsAProtocolError) {
  for (const char* text :
       {"",
        " ",
        "x",
        "5",
        "[]",
        "{}",
        "{",
        "{\"type\"",
        "{\"type\":",
        "{\"type\":\"a",
        "{\"type\":\"a\"",
        "{\"type\":\"a\",",
        "{\"type\":\"a\",}",
        "{\"type\":5}",
        "{\"type\":\"a\"}x",
        "{\"type\":\"a\"}{}",
        "{\"seq\":5}",
        "{\"type\":\"a\",\"type\":\"b\"}",
        "{\"type\":\"a\",\"seq\":1,\"seq\":2}",
        "{\"type\":\"a\",\"seq\":-1}",
        "{\"type\":\"a\",\"seq\":1.5}",
        "{\"type\":\"a\",\"seq\":\"1\"}",
        "{\"type\":\"a\",\"seq\":18446744073709551616}",
        "{\"type\":\"a\",\"payload\":{]}",
        "{\"type\":\"a\",\"payload\":[}",
        "{\"type\":\"a\",\"payload\":{\"x\":\"}",
        "{\"type\":\"a\",\"payload\":}",
        "{\"type\":\"a\\u0062\"}",
        R"({"type":"auth.success"})",
        R"({"type":"auth.success","payload":{"epoch":"a","seq":"5","resumed":true}})",
        R"({"type":"auth.success","payload":{"epoch":"a","seq":5}})",
        R"({"type":"subscribed","payload":{"epoch":"a","seq":5,"resumed":true}})",
        R"({"type":"pong","payload":{"seq":1,"seq":2}})",
        R"({"type":"pong","payload":{]})"}) {
    const auto message = parse_server_message(text);
    ASSERT_FALSE(message) << text;
    EXPECT_EQ(message.error().code, Errc::protocol) << text;
  }
  EXPECT_FALSE(parse_server_message(R"({"type":"a","payload":)" + std::string(1'000'000, '[')));
  const auto nested = [](std::size_t depth) {
    return R"({"type":"a","payload":)" + std::string(depth, '[') + std::string(depth, ']') + '}';
  };
  EXPECT_TRUE(parse_server_message(nested(64)));
  EXPECT_FALSE(parse_server_message(nested(65)));
}

}  // namespace
}  // namespace clawws::wire
