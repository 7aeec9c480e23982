// The usual way to broadcast with Boost.Beast, as its chat examples show it: a session per client
// with a queue of shared strings and one async_write at a time. POST /clawws/events takes an event
// or an array of them. One thread.
//   beast_broadcast CERTIFICATE KEY PORT
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using Text = std::shared_ptr<const std::string>;

class WsSession;

struct Room {
  std::unordered_set<WsSession*> sessions;
  void broadcast(const std::string& event);
};

class WsSession : public std::enable_shared_from_this<WsSession> {
 public:
  WsSession(TlsStream&& stream, Room& room) : ws_(std::move(stream)), room_(room) {}
  ~WsSession() { room_.sessions.erase(this); }

  void run(http::request<http::string_body> request) {
    beast::get_lowest_layer(ws_).expires_never();
    ws_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    ws_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::sec_websocket_protocol, "clawws.v1");
    }));
    request_ = std::move(request);
    ws_.async_accept(request_, [self = shared_from_this()](beast::error_code error) {
      if (error) return;
      self->request_ = {};
      self->room_.sessions.insert(self.get());
      self->send(std::make_shared<const std::string>(R"({"type":"auth.success","payload":{}})"));
      self->read();
    });
  }

  void send(Text text) {
    queue_.push_back(std::move(text));
    if (queue_.size() == 1) write();
  }

 private:
  void read() {
    ws_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return;
      self->buffer_.consume(self->buffer_.size());
      self->read();
    });
  }
  void write() {
    ws_.async_write(asio::buffer(*queue_.front()),
                    [self = shared_from_this()](beast::error_code error, std::size_t) {
                      if (error) return;
                      self->queue_.erase(self->queue_.begin());
                      if (!self->queue_.empty()) self->write();
                    });
  }

  websocket::stream<TlsStream> ws_;
  Room& room_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  std::vector<Text> queue_;
};

void Room::broadcast(const std::string& event) {
  const auto text = std::make_shared<const std::string>(event);
  // A failed write may end a session meanwhile.
  std::vector<std::weak_ptr<WsSession>> all;
  all.reserve(sessions.size());
  for (WsSession* session : sessions) all.push_back(session->weak_from_this());
  for (const auto& weak : all)
    if (const auto session = weak.lock()) session->send(text);
}

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(tcp::socket&& socket, asio::ssl::context& tls, Room& room)
      : stream_(std::move(socket), tls), room_(room) {}

  void run() {
    beast::get_lowest_layer(stream_).expires_after(std::chrono::seconds(30));
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this()](beast::error_code error) {
                              if (!error) self->read();
                            });
  }

 private:
  void read() {
    beast::get_lowest_layer(stream_).expires_never();
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->handle();
                     });
  }
  void handle() {
    if (websocket::is_upgrade(request_)) {
      std::make_shared<WsSession>(std::move(stream_), room_)->run(std::move(request_));
      return;
    }
    const auto body = nlohmann::ordered_json::parse(request_.body(), nullptr, false);
    response_ = {http::status::created, 11};
    if (body.is_discarded()) response_.result(http::status::bad_request);
    if (body.is_array())
      for (const auto& event : body) room_.broadcast(event.dump());
    else if (body.is_object())
      room_.broadcast(body.dump());
    response_.set(http::field::content_type, "application/json");
    response_.body() = "{}";
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  TlsStream stream_;
  Room& room_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(tcp::acceptor& acceptor, asio::ssl::context& tls, Room& room) {
  acceptor.async_accept([&](beast::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      beast::error_code ignored;  // a connection that is gone already
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<HttpSession>(std::move(socket), tls, room)->run();
    }
    accept(acceptor, tls, room);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: beast_broadcast CERTIFICATE KEY PORT\n", stderr);
    return 2;
  }
  try {
    asio::io_context io(1);
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file(argv[1]);
    tls.use_private_key_file(argv[2], asio::ssl::context::pem);
    Room room;
    const auto port = static_cast<unsigned short>(std::atoi(argv[3]));
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), port), true);
    acceptor.listen(4096);
    accept(acceptor, tls, room);
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](beast::error_code, int) { io.stop(); });
    io.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "beast_broadcast: %s\n", error.what());
    return 1;
  }
  return 0;
}
