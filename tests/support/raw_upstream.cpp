#include "support/raw_upstream.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "clawws/base/text.hpp"

namespace clawws::test {

namespace {

constexpr int k_patience_ms = static_cast<int>(std::chrono::milliseconds(k_patience).count());

bool readable(int fd, int limit_ms) {
  pollfd what{fd, POLLIN, 0};
  return ::poll(&what, 1, limit_ms) == 1;
}

template <class Each>
void each_field(const std::string& head, std::string_view name, const Each& each) {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view line = std::string_view(head).substr(at + 2, end - at - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && base::iequals(line.substr(0, colon), name)) {
      each(base::trim(line.substr(colon + 1)));
    }
    at = end;
  }
}

}  // namespace

std::string SeenRequest::field(std::string_view name) const {
  std::string all;
  each_field(head, name, [&](std::string_view value) {
    all += (all.empty() ? "" : " | ") + std::string(value);
  });
  return all;
}

std::size_t SeenRequest::count(std::string_view name) const {
  std::size_t lines = 0;
  each_field(head, name, [&](std::string_view) { ++lines; });
  return lines;
}

std::string ok(std::string_view body, std::string_view fields) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// ---- one connection -----------------------------------------------------------------------------

bool UpstreamPeer::fill() {
  const std::string more = read_some();
  in_ += more;
  return !more.empty();
}

std::string UpstreamPeer::read_some(std::size_t most) {
  if (!in_.empty()) {
    std::string taken = in_.substr(0, most);
    in_.erase(0, taken.size());
    return taken;
  }
  if (fd_.get() < 0 || !readable(fd_.get(), k_patience_ms)) return {};
  std::string bytes(most, '\0');
  const ssize_t count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

std::optional<std::string> UpstreamPeer::read_head() {
  while (in_.find("\r\n\r\n") == std::string::npos) {
    std::string kept = std::move(in_);
    in_.clear();
    const bool more = fill();
    in_.insert(0, kept);
    if (!more) {
      malformed_ = malformed_ || !in_.empty();
      return std::nullopt;
    }
  }
  const std::size_t end = in_.find("\r\n\r\n") + 4;
  std::string head = in_.substr(0, end);
  in_.erase(0, end);
  return head;
}

std::optional<SeenRequest> UpstreamPeer::read_request() {
  SeenRequest seen;
  const auto head = read_head();
  if (!head) return std::nullopt;
  seen.head = *head;
  const auto take = [this](std::size_t size) -> std::optional<std::string> {
    while (in_.size() < size) {
      std::string kept = std::move(in_);
      in_.clear();
      const bool more = fill();
      in_.insert(0, kept);
      if (!more) return std::nullopt;
    }
    std::string taken = in_.substr(0, size);
    in_.erase(0, size);
    return taken;
  };
  const std::string length = seen.field("Content-Length");
  const bool chunked = seen.field("Transfer-Encoding") == "chunked";
  malformed_ =
      seen.count("Content-Length") + seen.count("Transfer-Encoding") > 1 || seen.count("Host") != 1;
  if (malformed_) return std::nullopt;
  if (!length.empty()) {
    const auto body = take(std::stoul(length));
    if (!body) return std::nullopt;
    seen.body = *body;
  }
  while (chunked) {
    std::string line;
    while (line.find("\r\n") == std::string::npos) {
      const auto byte = take(1);
      if (!byte) return std::nullopt;
      line += *byte;
    }
    // Neither extensions nor trailers ever come through.
    malformed_ =
        line.size() < 3 || line.find_first_not_of("0123456789abcdefABCDEF") != line.size() - 2;
    if (malformed_) return std::nullopt;
    const std::size_t size = std::strtoul(line.c_str(), nullptr, 16);
    const auto data = take(size);
    const auto end = data ? take(2) : std::nullopt;
    if (!end) return std::nullopt;
    malformed_ = *end != "\r\n";
    if (malformed_) return std::nullopt;
    seen.body += *data;
    if (size == 0) break;
  }
  return seen;
}

bool UpstreamPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool UpstreamPeer::wait_end(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  char dropped[4096];
  while (std::chrono::steady_clock::now() < deadline) {
    if (!readable(fd_.get(), 50)) continue;
    if (::recv(fd_.get(), dropped, sizeof dropped, 0) <= 0) return true;
  }
  return false;
}

void UpstreamPeer::close() {
  ::shutdown(fd_.get(), SHUT_RDWR);
}

void UpstreamPeer::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

// ---- all of them --------------------------------------------------------------------------------

RawUpstream::RawUpstream(Script script, std::uint16_t port) : script_(std::move(script)) {
  listen_on(port);
}

RawUpstream::RawUpstream(App app, std::uint16_t port)
    : script_([this, app = std::move(app)](UpstreamPeer& peer, int) {
        while (const auto request = peer.read_request()) {
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(*request);
          }
          if (!peer.send(app(*request))) break;
        }
        if (peer.malformed()) malformed_ = true;
      }) {
  listen_on(port);
}

void RawUpstream::listen_on(std::uint16_t port) {
  listener_ = base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), plain, size) != 0 || ::listen(listener_.get(), 128) != 0) {
    throw std::runtime_error("raw upstream: cannot listen");
  }
  ::getsockname(listener_.get(), plain, &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

void RawUpstream::accept_loop() {
  while (!stopping_) {
    if (!readable(listener_.get(), 20)) continue;
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd, number = connections_++] {
      UpstreamPeer peer(fd);
      script_(peer, number);
      const std::lock_guard closing(mutex_);
      std::erase(open_, fd);
    });
  }
}

std::vector<SeenRequest> RawUpstream::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

RawUpstream::~RawUpstream() {
  stopping_ = true;
  acceptor_.join();
  listener_ = base::UniqueFd();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace clawws::test
