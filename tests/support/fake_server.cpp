#include "support/fake_server.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "clawws/net/certificate.hpp"
#include "clawws/wire/message.hpp"

namespace clawws::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

struct FakePeer::Impl {
  Impl(tcp::socket socket, asio::ssl::context& context) : ws(std::move(socket), context) {}

  websocket::stream<TlsStream> ws;
  beast::flat_buffer buffer;
  http::request<http::string_body> request;
  bool has_tls = false;
  bool has_request = false;
  std::mutex mutex;
  std::condition_variable stopped;
  bool stopping = false;

  int fd() { return beast::get_lowest_layer(ws).native_handle(); }
  void stop() {
    const std::lock_guard lock(mutex);
    stopping = true;
    stopped.notify_all();
    // Ends whatever call its thread is in; the descriptor stays that thread's to close.
    ::shutdown(fd(), SHUT_RDWR);
  }
};

void FakePeer::tls() {
  if (impl_->has_tls) return;
  impl_->ws.next_layer().handshake(asio::ssl::stream_base::server);
  impl_->has_tls = true;
}

void FakePeer::request() {
  tls();
  if (impl_->has_request) return;
  http::read(impl_->ws.next_layer(), impl_->buffer, impl_->request);
  impl_->has_request = true;
}

const std::string& FakePeer::target() const {
  static thread_local std::string target;
  target = std::string(impl_->request.target());
  return target;
}

std::string FakePeer::header(const std::string& name) const {
  return std::string(impl_->request[name]);
}

void FakePeer::accept(const std::string& subprotocol) {
  request();
  impl_->ws.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
    if (!subprotocol.empty()) response.set(http::field::sec_websocket_protocol, subprotocol);
    response.set(http::field::server, "fake/1");
  }));
  impl_->ws.accept(impl_->request);
  impl_->ws.set_option(websocket::stream_base::decorator([](websocket::response_type&) {}));
}

void FakePeer::refuse(int status, const std::vector<std::pair<std::string, std::string>>& headers,
                      const std::string& body) {
  request();
  http::response<http::string_body> response(static_cast<http::status>(status), 11);
  for (const auto& [name, value] : headers) response.set(name, value);
  response.body() = body;
  response.prepare_payload();
  http::write(impl_->ws.next_layer(), response);
}

void FakePeer::send_raw(const std::string& bytes) {
  tls();
  asio::write(impl_->ws.next_layer(), asio::buffer(bytes));
}

void FakePeer::send(const std::string& text) {
  impl_->ws.text(true);
  impl_->ws.write(asio::buffer(text));
}

void FakePeer::send_binary(const std::string& bytes) {
  impl_->ws.binary(true);
  impl_->ws.write(asio::buffer(bytes));
}

void FakePeer::welcome(const std::string& epoch, std::uint64_t seq, std::uint64_t oldest,
                       bool resumed, std::optional<std::uint64_t> lost) {
  wire::Welcome welcome;
  welcome.user_id = "admin";
  welcome.server = "fake/1";
  welcome.start = {epoch, seq, oldest, resumed, lost};
  send(wire::encode_welcome(welcome));
}

void FakePeer::event(std::uint64_t seq, const std::string& type,
                     std::optional<std::uint64_t> prev) {
  send(event_text(seq, type, prev));
}

void FakePeer::close(unsigned code, const std::string& reason) {
  impl_->ws.close(websocket::close_reason(static_cast<websocket::close_code>(code), reason));
}

void FakePeer::reset() {
  auto& socket = beast::get_lowest_layer(impl_->ws);
  socket.set_option(asio::socket_base::linger(true, 0));
  const std::lock_guard lock(impl_->mutex);
  socket.close();
}

std::optional<std::string> FakePeer::read() {
  beast::flat_buffer buffer;
  beast::error_code error;
  impl_->ws.read(buffer, error);
  if (error) return std::nullopt;
  return beast::buffers_to_string(buffer.data());
}

unsigned FakePeer::serve(const std::string& epoch, std::uint64_t seq) {
  while (const auto text = read()) {
    const auto message = wire::parse_client_message(*text);
    if (message && message->kind == wire::ClientMessage::Kind::ping)
      send(wire::encode_pong(0, message->received_at_json, epoch, seq));
  }
  const auto code = impl_->ws.reason().code;
  return code == websocket::close_code::none ? 1006 : static_cast<unsigned>(code);
}

void FakePeer::fall_silent() {
  std::unique_lock lock(impl_->mutex);
  impl_->stopped.wait(lock, [this] { return impl_->stopping; });
}

struct FakeServer::Listener {
  Listener(const net::PemPair& pair, std::uint16_t port)
      : pem(pair.certificate),
        tls(asio::ssl::context::tls_server),
        acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), port), true) {
    tls.use_certificate_chain(asio::buffer(pair.certificate));
    tls.use_private_key(asio::buffer(pair.key), asio::ssl::context::pem);
  }

  std::string pem;
  asio::io_context io;
  asio::ssl::context tls;
  tcp::acceptor acceptor;
};

FakeServer::FakeServer(Script script, std::uint16_t port) : script_(std::move(script)) {
  // As each tool's main does: OpenSSL writes with write(2).
  ::signal(SIGPIPE, SIG_IGN);
  const auto pair = net::make_self_signed({"localhost", "127.0.0.1"}, 1);
  listener_ = std::make_unique<Listener>(pair.value(), port);
  port_ = listener_->acceptor.local_endpoint().port();
  acceptor_ = std::thread([this] { accept_loop(); });
}

FakeServer::~FakeServer() {
  stopping_ = true;
  ::shutdown(listener_->acceptor.native_handle(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& peer : peers_) peer->stop();
  }
  for (auto& thread : threads_) thread.join();
}

void FakeServer::accept_loop() {
  for (;;) {
    beast::error_code error;
    tcp::socket socket(listener_->io);
    listener_->acceptor.accept(socket, error);
    if (error || stopping_) return;
    socket.set_option(tcp::no_delay(true));
    const std::lock_guard lock(mutex_);
    auto impl = std::make_shared<FakePeer::Impl>(std::move(socket), listener_->tls);
    peers_.push_back(impl);
    threads_.emplace_back([this, impl, number = connections_++] {
      FakePeer peer(impl);
      try {
        script_(peer, number);
      } catch (const boost::system::system_error&) {
        // The client left in the middle of the script.
      }
      const std::lock_guard inner(impl->mutex);
      beast::error_code ignored;  // it may be closed already
      beast::get_lowest_layer(impl->ws).shutdown(tcp::socket::shutdown_both, ignored);
      beast::get_lowest_layer(impl->ws).close(ignored);
    });
  }
}

std::string FakeServer::url() const {
  return "wss://127.0.0.1:" + std::to_string(port_) + "/ws";
}

const std::string& FakeServer::certificate_pem() const {
  return listener_->pem;
}

std::string FakeServer::pin() const {
  return net::read_certificate(listener_->pem).value().pin;
}

std::string event_text(std::uint64_t seq, const std::string& type,
                       std::optional<std::uint64_t> prev) {
  std::string text =
      R"({"type":")" + type +
      R"(","timestamp":"2026-02-21T14:30:05.402Z","payload":{"agentId":"a","status":"running"},"seq":)" +
      std::to_string(seq);
  if (prev) text += R"(,"prev":)" + std::to_string(*prev);
  return text + "}";
}

}  // namespace clawws::test
