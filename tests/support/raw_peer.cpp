#include "support/raw_peer.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "clawws/base/text.hpp"

namespace clawws::test {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("raw peer: " + what + ": " + std::strerror(errno));
}

std::string take_error() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof line);
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text;
}

sockaddr_in loopback(const char* address, std::uint16_t port) {
  sockaddr_in out = {};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  if (inet_pton(AF_INET, address, &out.sin_addr) != 1) fail(std::string("address ") + address);
  return out;
}

const sockaddr* plain(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

std::optional<std::string> HttpAnswer::field(std::string_view name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t start = at + 2;
    at = head.find("\r\n", start);
    const std::string_view line = std::string_view(head).substr(start, at - start);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !base::iequals(line.substr(0, colon), name)) continue;
    return std::string(base::trim(line.substr(colon + 1)));
  }
  return std::nullopt;
}

unsigned ServerFrame::close_code() const {
  if (payload.size() < 2) return 1005;
  return static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 |
                               static_cast<unsigned char>(payload[1]));
}

void RawPeer::SslFree::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}
void RawPeer::SslFree::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

RawPeer::RawPeer(std::uint16_t port, const PeerOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  fd_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd_) fail("socket");
  if (options.receive_buffer_bytes > 0) {
    setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes,
               sizeof options.receive_buffer_bytes);
  }
  if (!options.from_address.empty()) {
    const sockaddr_in from = loopback(options.from_address.c_str(), 0);
    if (bind(fd(), plain(from), sizeof from) != 0) fail("bind");
  }
  const sockaddr_in to = loopback("127.0.0.1", port);
  if (connect(fd(), plain(to), sizeof to) != 0) fail("connect to port " + std::to_string(port));
  const int on = 1;
  setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd(), F_SETFL, fcntl(fd(), F_GETFL) | O_NONBLOCK);
}

bool RawPeer::wait(short events, Deadline deadline) const {
  const auto left = std::chrono::ceil<Millis>(deadline - Clock::now()).count();
  pollfd entry = {fd(), events, 0};
  return poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0;
}

std::string RawPeer::client_hello() {
  const std::unique_ptr<ssl_ctx_st, SslFree> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<ssl_st, SslFree> ssl(SSL_new(context.get()));
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl.get());
  std::string bytes(4096, '\0');
  const int size = BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  ERR_clear_error();
  bytes.resize(static_cast<std::size_t>(std::max(size, 0)));
  return bytes;
}

bool RawPeer::handshake(const TlsOptions& options, Millis limit) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = context_.get();
  // Level 0 allows the old versions, which a test may offer.
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.least_version);
  SSL_CTX_set_max_proto_version(context, options.most_version);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  ssl_.reset(SSL_new(context));
  SSL_set_fd(ssl_.get(), fd());
  if (!options.server_name.empty()) {
    std::string name = options.server_name;
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  if (options.resume) SSL_set_session(ssl_.get(), options.resume.get());

  const Deadline deadline = Clock::now() + limit;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return secure_ = true;
    if (!retry(result, deadline)) return false;
  }
}

bool RawPeer::resumed() const {
  return ssl_ && SSL_session_reused(ssl_.get()) == 1;
}

std::shared_ptr<ssl_session_st> RawPeer::session() const {
  return {SSL_get1_session(ssl_.get()), SSL_SESSION_free};
}

std::string RawPeer::certificate_subject() const {
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(ssl_.get()),
                                                          X509_free);
  char name[256] = {};
  if (shown) X509_NAME_oneline(X509_get_subject_name(shown.get()), name, sizeof name);
  return name;
}

bool RawPeer::renegotiate(Millis limit) {
  const Deadline deadline = Clock::now() + limit;
  ERR_clear_error();
  if (SSL_renegotiate(ssl_.get()) != 1) return false;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    // The call also returns 1 before the server has answered the request.
    if (result == 1 && SSL_renegotiate_pending(ssl_.get()) == 0) return true;
    if (result != 1 && !retry(result, deadline)) return false;
  }
}

bool RawPeer::retry(int result, Deadline deadline) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return wait(POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
      return wait(POLLOUT, deadline);
    case SSL_ERROR_ZERO_RETURN:
      end_ = End::close_notify;
      return false;
    case SSL_ERROR_SYSCALL:
      end_ = system_error == ECONNRESET || system_error == EPIPE ? End::reset : End::fin;
      tls_error_ = std::strerror(system_error);
      return false;
    default: {
      const int reason = ERR_GET_REASON(ERR_peek_error());
      end_ = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ? End::fin : End::alert;
      tls_error_ = take_error();
      return false;
    }
  }
}

bool RawPeer::send(std::string_view bytes, Millis limit) {
  const Deadline deadline = Clock::now() + limit;
  while (!bytes.empty()) {
    if (secure_) {
      ERR_clear_error();
      errno = 0;
      const int sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (sent > 0) return true;  // without partial writes it is all or nothing
      if (!retry(sent, deadline)) {
        end_ = End::open;  // an answer may have come before the end: receive() finds out
        return false;
      }
      continue;
    }
    const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait(POLLOUT, deadline)) return false;
    } else {
      return false;
    }
  }
  return true;
}

bool RawPeer::receive(Deadline deadline) {
  char buffer[16 * 1024];
  while (end_ == End::open && fd_) {
    if (secure_) {
      ERR_clear_error();
      errno = 0;
      const int size = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (size > 0) {
        in_.append(buffer, static_cast<std::size_t>(size));
        return true;
      }
      if (!retry(size, deadline)) return false;
      continue;
    }
    const ssize_t size = recv(fd(), buffer, sizeof buffer, 0);
    if (size > 0) {
      in_.append(buffer, static_cast<std::size_t>(size));
      return true;
    }
    if (size == 0) {
      end_ = End::fin;
    } else if (errno != EAGAIN) {
      end_ = End::reset;
    } else if (!wait(POLLIN, deadline)) {
      return false;
    }
  }
  return false;
}

bool RawPeer::fill(std::size_t bytes, Deadline deadline) {
  while (in_.size() < bytes) {
    if (!receive(deadline)) return false;
  }
  return true;
}

std::string RawPeer::take(std::size_t bytes) {
  std::string out = in_.substr(0, bytes);
  in_.erase(0, bytes);
  return out;
}

std::string RawPeer::read_some(Millis limit, std::size_t most) {
  fill(1, Clock::now() + limit);
  return take(std::min(most, in_.size()));
}

std::optional<HttpAnswer> RawPeer::read_answer(Millis limit, Body body) {
  const Deadline deadline = Clock::now() + limit;
  std::size_t end;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive(deadline)) return std::nullopt;
  }
  HttpAnswer answer;
  answer.head = take(end + 4);
  if (answer.head.rfind("HTTP/1.", 0) != 0 || answer.head.size() < 12) return std::nullopt;
  answer.status = std::atoi(answer.head.c_str() + 9);
  const bool has_body = answer.status >= 200 && answer.status != 204 && answer.status != 304;
  if (body == Body::as_announced && has_body && !read_body(answer, deadline)) return std::nullopt;
  return answer;
}

bool RawPeer::read_body(HttpAnswer& answer, Deadline deadline) {
  if (const auto length = answer.field("Content-Length")) {
    const auto size = static_cast<std::size_t>(std::atoll(length->c_str()));
    if (!fill(size, deadline)) return false;
    answer.body = take(size);
    return true;
  }
  if (answer.field("Transfer-Encoding")) {
    for (;;) {
      std::size_t end;
      while ((end = in_.find("\r\n")) == std::string::npos) {
        if (!receive(deadline)) return false;
      }
      const std::size_t size = std::strtoul(take(end + 2).c_str(), nullptr, 16);
      if (!fill(size + 2, deadline)) return false;
      answer.body += take(size);
      take(2);
      if (size == 0) return true;
    }
  }
  while (receive(deadline)) {
  }
  answer.body = take(in_.size());
  return end_ != End::open;
}

std::optional<ServerFrame> RawPeer::read_frame(Millis limit) {
  const Deadline deadline = Clock::now() + limit;
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(in_[at]); };
  if (!fill(2, deadline)) return std::nullopt;
  if ((byte(1) & 0x80) != 0) throw std::runtime_error("raw peer: the server masks its frames");
  std::uint64_t size = byte(1) & 0x7FU;
  std::size_t header = 2;
  if (size >= 126) {
    header = size == 126 ? 4 : 10;
    if (!fill(header, deadline)) return std::nullopt;
    size = 0;
    for (std::size_t i = 2; i < header; ++i) size = size << 8 | byte(i);
  }
  const auto payload_bytes = static_cast<std::size_t>(size);
  if (!fill(header + payload_bytes, deadline)) return std::nullopt;
  ServerFrame frame;
  frame.first = byte(0);
  take(header);
  frame.payload = take(payload_bytes);
  return frame;
}

std::optional<std::string> RawPeer::read_text(Millis limit) {
  const Deadline deadline = Clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - Clock::now());
    const auto frame = read_frame(std::max(left, Millis(0)));
    if (!frame || frame->opcode() == 8) return std::nullopt;
    if (frame->opcode() == 1) return frame->payload;
  }
}

std::optional<ServerFrame> RawPeer::read_close(Millis limit) {
  const Deadline deadline = Clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - Clock::now());
    auto frame = read_frame(std::max(left, Millis(0)));
    if (!frame || frame->opcode() == 8) return frame;
  }
}

End RawPeer::wait_end(Millis limit) {
  const Deadline deadline = Clock::now() + limit;
  while (receive(deadline)) in_.clear();
  return end_;
}

void RawPeer::send_close_notify() {
  if (secure_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void RawPeer::send_fin() {
  ::shutdown(fd(), SHUT_WR);
}

void RawPeer::reset() {
  const linger now = {1, 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
  end_ = End::reset;
}

std::string upgrade_request(std::string_view fields, std::string_view target) {
  std::string out = "GET ";
  out.append(target).append(" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n");
  out.append("Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  out.append("Sec-WebSocket-Version: 13\r\n").append(fields).append("\r\n");
  return out;
}

std::string basic(std::string_view user_and_password) {
  return "Authorization: Basic " + base::base64_encode(user_and_password) + "\r\n";
}

}  // namespace clawws::test
