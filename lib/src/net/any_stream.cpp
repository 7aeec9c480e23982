#include "clawws/net/any_stream.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace clawws::net {

AnyStream::AnyStream(TcpSocket socket) : way_(std::move(socket)) {
  error_code ignored_if_closed;
  std::get<TcpSocket>(way_).native_non_blocking(true, ignored_if_closed);
}

TcpSocket& AnyStream::socket() noexcept {
  if (auto* plain = std::get_if<TcpSocket>(&way_)) return *plain;
  return std::get_if<TlsStream>(&way_)->socket();
}

IoResult AnyStream::outcome(ssize_t result, IoStatus not_now) noexcept {
  if (result > 0) return {IoStatus::done, static_cast<std::size_t>(result)};
  if (result == 0) return {IoStatus::closed, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {not_now, 0};
  error_ = error_code(errno, boost::system::system_category());
  return {IoStatus::failed, 0};
}

IoResult AnyStream::read_now(void* data, std::size_t size) noexcept {
  if (auto* tls = std::get_if<TlsStream>(&way_)) return tls->read_now(data, size);
  return outcome(::recv(socket().native_handle(), data, size, 0), IoStatus::want_read);
}

IoResult AnyStream::write_now(const void* data, std::size_t size) noexcept {
  if (auto* tls = std::get_if<TlsStream>(&way_)) return tls->write_now(data, size);
  return outcome(::send(socket().native_handle(), data, size, MSG_NOSIGNAL), IoStatus::want_write);
}

std::string AnyStream::problem() const {
  const auto* tls = std::get_if<TlsStream>(&way_);
  if (tls == nullptr) return error_ ? error_.message() : "it closed the connection";
  if (!tls->error_detail().empty()) return tls->error_detail();
  return tls->error() ? tls->error().message() : "it closed the connection";
}

}  // namespace clawws::net
