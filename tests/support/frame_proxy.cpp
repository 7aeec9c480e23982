#include "support/frame_proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <optional>

#include "clawws/net/certificate.hpp"
#include "clawws/net/tls_channel.hpp"

namespace clawws::test {
namespace {

constexpr int k_look_around_ms = 20;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

const sockaddr* as_sockaddr(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Bytes of the frame at the front, header included; nothing while too little of it is there.
std::optional<std::size_t> frame_size(std::string_view bytes, std::size_t& header) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return std::nullopt;
  const unsigned length = byte(1) & 0x7FU;
  header = length == 126 ? 4 : length == 127 ? 10 : 2;
  if (bytes.size() < header) return std::nullopt;
  std::size_t payload = length < 126 ? length : 0;
  for (std::size_t i = 2; i < header; ++i) payload = payload << 8 | byte(i);
  if (bytes.size() < header + payload) return std::nullopt;
  return header + payload;
}

}  // namespace

// One client's connection and the server's behind it.
class FrameProxy::Pair {
 public:
  Pair(FrameProxy& proxy, base::UniqueFd client, base::UniqueFd server, std::size_t number)
      : proxy_(proxy),
        client_fd_(std::move(client)),
        server_fd_(std::move(server)),
        client_(client_fd_.get(), proxy.server_context_, net::Role::server),
        server_(server_fd_.get(), proxy.client_context_, net::Role::client),
        number_(number),
        cuts_(proxy.cuts_) {}

  void run() {
    if (!handshake(client_, client_fd_.get()) || !handshake(server_, server_fd_.get())) return;
    while (!proxy_.stopping_) {
      std::array<pollfd, 2> waiting{{{client_fd_.get(), POLLIN, 0}, {server_fd_.get(), POLLIN, 0}}};
      ::poll(waiting.data(), waiting.size(), k_look_around_ms);
      if (!is_websocket_ && proxy_.cuts_ != cuts_) {
        reset();
        return;
      }
      if (!move(client_,
                [this](std::string_view bytes) { return send(server_, server_fd_, bytes); }))
        return;
      if (!move(server_, [this](std::string_view bytes) { return from_server(bytes); })) return;
    }
  }

 private:
  static bool wait(int fd, net::IoStatus status) {
    pollfd waiting{fd, static_cast<short>(status == net::IoStatus::want_read ? POLLIN : POLLOUT),
                   0};
    const bool is_wait = status == net::IoStatus::want_read || status == net::IoStatus::want_write;
    return is_wait && ::poll(&waiting, 1, 10'000) > 0;
  }

  static bool handshake(net::TlsChannel& channel, int fd) {
    for (;;) {
      const net::IoResult result = channel.handshake_now();
      if (result.status == net::IoStatus::done) return true;
      if (!wait(fd, result.status)) return false;
    }
  }

  static bool send(net::TlsChannel& to, const base::UniqueFd& fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const net::IoResult result = to.write_now(bytes.data(), bytes.size());
      if (result.status == net::IoStatus::done)
        bytes.remove_prefix(result.bytes);
      else if (!wait(fd.get(), result.status))
        return false;
    }
    return true;
  }

  template <class Take>
  bool move(net::TlsChannel& from, Take take) {
    std::array<char, 16 * 1024> buffer;
    for (;;) {
      const net::IoResult result = from.read_now(buffer.data(), buffer.size());
      if (result.status == net::IoStatus::want_read) return true;
      if (result.status != net::IoStatus::done) return false;
      if (!take(std::string_view(buffer.data(), result.bytes))) return false;
    }
  }

  bool from_server(std::string_view bytes) {
    in_ += bytes;
    if (!has_head_) {
      const std::size_t end = in_.find("\r\n\r\n");
      if (end == std::string::npos) return true;
      has_head_ = true;
      is_websocket_ = in_.starts_with("HTTP/1.1 101");
      out_ = in_.substr(0, end + 4);
      in_.erase(0, end + 4);
    }
    std::size_t header = 0;
    while (const auto size = is_websocket_ ? frame_size(in_, header) : std::nullopt) {
      std::string frame = in_.substr(0, *size);
      in_.erase(0, *size);
      if (!judge(std::move(frame), header)) return false;
    }
    if (!is_websocket_) out_ += std::exchange(in_, {});
    return send(client_, client_fd_, std::exchange(out_, {}));
  }

  bool judge(std::string frame, std::size_t header) {
    const std::string late = std::exchange(late_, {});
    switch (proxy_.judge_(number_, std::string_view(frame).substr(header))) {
      case Fate::pass:
        out_ += frame;
        break;
      case Fate::drop:
        break;
      case Fate::twice:
        out_ += frame + frame;
        break;
      case Fate::later:
        late_ = frame;
        break;
      case Fate::corrupt:
        frame[frame.size() - 60] ^= 1;
        out_ += frame;
        break;
      case Fate::cut:
        reset();
        return false;
    }
    out_ += late;
    return true;
  }

  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(client_fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  FrameProxy& proxy_;
  base::UniqueFd client_fd_, server_fd_;
  net::TlsChannel client_, server_;
  const std::size_t number_;
  const unsigned cuts_;
  std::string in_, out_, late_;
  bool has_head_ = false, is_websocket_ = false;
};

FrameProxy::FrameProxy(std::uint16_t upstream, Judge judge)
    : upstream_(upstream),
      judge_(std::move(judge)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto pair = net::make_self_signed({"localhost", "127.0.0.1"}, 1).value();
  server_context_ = net::make_server_context(pair.certificate, pair.key, "proxy").value();
  net::ClientTlsConfig trusting;
  trusting.verify = net::ClientTlsConfig::Verify::none;
  client_context_ = net::make_client_context(trusting).value();
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(listener_.get(), as_sockaddr(address), size);
  ::listen(listener_.get(), SOMAXCONN);
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

FrameProxy::~FrameProxy() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  const std::lock_guard lock(mutex_);
  for (std::thread& thread : threads_) thread.join();
}

void FrameProxy::accept_loop() {
  for (std::size_t number = 0;; ++number) {
    base::UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client || stopping_) return;
    base::UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(upstream_);
    if (::connect(server.get(), as_sockaddr(address), sizeof address) != 0) continue;
    for (const int fd : {client.get(), server.get()}) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    auto pair = std::make_shared<Pair>(*this, std::move(client), std::move(server), number);
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([pair = std::move(pair)]() mutable {
      pair->run();
      pair.reset();  // its sockets close now, not when the proxy goes
    });
  }
}

}  // namespace clawws::test
