// Beast's WebSocket client as the independent peer: the same bytes, read by somebody else's code.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>

#include "conformance/fixture.hpp"

namespace clawws::test {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using namespace std::chrono_literals;

class BeastClient {
 public:
  explicit BeastClient(std::uint16_t port) {
    beast::get_lowest_layer(stream_).connect({asio::ip::address_v4::loopback(), port});
    stream_.next_layer().handshake(asio::ssl::stream_base::client);
    stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set("Authorization", "Basic " + base::base64_encode(k_admin_login));
      request.set("Sec-WebSocket-Protocol", "clawws.v1");
    }));
    stream_.control_callback([this](websocket::frame_type type, beast::string_view payload) {
      if (type == websocket::frame_type::pong) pong_ = std::string(payload);
    });
    websocket::response_type response;
    stream_.handshake(response, "localhost", "/ws");
    subprotocol_ = std::string(response["Sec-WebSocket-Protocol"]);
  }

  websocket::stream<asio::ssl::stream<beast::tcp_stream>>& stream() { return stream_; }
  const std::string& subprotocol() const { return subprotocol_; }
  const std::string& pong() const { return pong_; }

  void say(const std::string& text) { stream_.write(asio::buffer(text)); }
  // The next message; null when the connection ended (see error()) or none came in time.
  Json hear() {
    beast::flat_buffer buffer;
    bool done = false;
    stream_.async_read(buffer, [&](error_code failed, std::size_t) {
      error_ = failed;
      done = true;
    });
    context_.restart();
    context_.run_for(k_patience);
    if (!done) {
      beast::get_lowest_layer(stream_).close();
      context_.restart();
      context_.run();
    }
    if (error_) return nullptr;
    return Json::parse(beast::buffers_to_string(buffer.data()));
  }
  error_code error() const { return error_; }

 private:
  asio::io_context context_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  websocket::stream<asio::ssl::stream<beast::tcp_stream>> stream_{context_, tls_};
  std::string subprotocol_;
  std::string pong_;
  error_code error_;
};

TEST_F(Conformance, Beast_subscribes_pings_and_closes) {
  serve();
  publish(event_json("before"));
  BeastClient client(port());
  EXPECT_EQ(client.subprotocol(), "clawws.v1");
  const Json welcome = client.hear();
  EXPECT_EQ(welcome["type"], "auth.success");
  EXPECT_EQ(welcome["payload"]["seq"], 1);

  publish(event_json("live"));
  const Json live = client.hear();
  EXPECT_EQ(live["seq"], 2);
  EXPECT_EQ(live["payload"]["label"], "live");

  client.say(R"({"type":"subscribe","payload":{"types":["agent.*"],"since":"earliest"}})");
  const Json subscribed = client.hear();
  EXPECT_EQ(subscribed["type"], "subscribed");
  EXPECT_EQ(subscribed["payload"]["types"], Json::array({"agent.*"}));
  publish(event_json("filtered out"));
  publish(R"({"type":"agent.status","payload":{"agentId":"a","status":"idle"}})");
  const Json matching = client.hear();
  EXPECT_EQ(matching["type"], "agent.status");
  EXPECT_EQ(matching["seq"], 4);
  EXPECT_TRUE(matching.contains("prev"));

  client.stream().ping("are you there");
  client.say(R"({"type":"ping","timestamp":"t"})");
  const Json pong = client.hear();
  EXPECT_EQ(pong["type"], "pong");
  EXPECT_EQ(pong["payload"]["receivedAt"], "t");
  EXPECT_EQ(pong["payload"]["seq"], 4);
  EXPECT_EQ(client.pong(), "are you there");

  client.stream().close(websocket::close_reason(websocket::close_code::normal, "done"));
  EXPECT_EQ(client.stream().reason().code, websocket::close_code::normal);
}

TEST_F(Conformance, Beast_sends_every_size_and_fragments) {
  serve();
  BeastClient client(port());
  client.hear();
  for (const std::size_t size : {40U, 125U, 126U, 127U, 4096U, 65535U, 65536U}) {
    const std::string head =
        R"({"type":"ping","timestamp":")" + std::to_string(size) + R"(","x":")";
    client.say(head + std::string(size - head.size() - 2, 'x') + R"("})");
    EXPECT_EQ(client.hear()["payload"]["receivedAt"], std::to_string(size));
  }
  client.stream().auto_fragment(true);
  client.stream().write_buffer_bytes(64);
  const std::string padding(3000, 'x');
  client.say(R"({"type":"ping","timestamp":"fragments","x":")" + padding + R"("})");
  EXPECT_EQ(client.hear()["payload"]["receivedAt"], "fragments");
}

TEST_F(Conformance, Beast_hears_large_events_and_our_close) {
  serve();
  BeastClient client(port());
  client.hear();
  for (const std::size_t size : {10U, 200U, 20'000U, 60'000U}) {
    publish(event_json(std::string(size, 'y')));
    EXPECT_EQ(client.hear()["payload"]["label"].get<std::string>().size(), size);
  }
  client.stream().binary(true);
  client.say("binary");
  EXPECT_EQ(client.hear(), nullptr);
  EXPECT_EQ(client.error(), websocket::error::closed);
  EXPECT_EQ(client.stream().reason().code, websocket::close_code::unknown_data);
}

}  // namespace
}  // namespace clawws::test
