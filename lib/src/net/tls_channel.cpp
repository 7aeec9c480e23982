#include "clawws/net/tls_channel.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <new>

#include "clawws/base/assert.hpp"

namespace clawws::net {

namespace {

namespace asio = boost::asio;

constexpr std::size_t k_max_record_bytes = 16 * 1024;

}  // namespace

void TlsChannel::SslFree::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}

TlsChannel::TlsChannel(int fd, const TlsContext& context, Role role)
    : ssl_(SSL_new(context.get())) {
  if (!ssl_) throw std::bad_alloc();
  if (SSL_set_fd(ssl_.get(), fd) != 1) throw std::bad_alloc();
  if (role == Role::server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

TlsChannel::~TlsChannel() = default;

std::string TlsChannel::description() const {
  return std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get());
}

IoResult TlsChannel::outcome(int ssl_result) noexcept {
  switch (SSL_get_error(ssl_.get(), ssl_result)) {
    case SSL_ERROR_WANT_READ:
      return {IoStatus::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {IoStatus::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoStatus::closed, 0};
    case SSL_ERROR_SYSCALL:
      error_ = errno != 0 ? error_code(errno, boost::system::system_category())
                          : error_code(asio::ssl::error::stream_truncated);
      error_detail_.clear();
      ERR_clear_error();
      return {IoStatus::failed, 0};
    default: {
      const unsigned long code = ERR_peek_error();
      if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        error_ = asio::ssl::error::stream_truncated;
        error_detail_.clear();
        ERR_clear_error();
      } else {
        error_ = error_code(static_cast<int>(code), asio::error::get_ssl_category());
        error_detail_ = take_tls_error();
      }
      return {IoStatus::failed, 0};
    }
  }
}

error_code TlsChannel::completion_error(IoStatus status) const noexcept {
  switch (status) {
    case IoStatus::closed:
      return asio::error::eof;
    case IoStatus::failed:
      return error_;
    default:
      return {};
  }
}

IoResult TlsChannel::read_now(void* data, std::size_t size) noexcept {
  ERR_clear_error();
  errno = 0;
  std::size_t moved = 0;
  const int result = SSL_read_ex(ssl_.get(), data, size, &moved);
  if (result == 1) return {IoStatus::done, moved};
  return outcome(result);
}

IoResult TlsChannel::write_now(const void* data, std::size_t size) noexcept {
  if (size > k_max_record_bytes) size = k_max_record_bytes;
  CLAWWS_ASSERT(pending_bytes_ == 0 || pending_bytes_ == size);
  ERR_clear_error();
  errno = 0;
  std::size_t moved = 0;
  const int result = SSL_write_ex(ssl_.get(), data, size, &moved);
  if (result == 1) {
    pending_bytes_ = 0;
    return {IoStatus::done, moved};
  }
  const IoResult waits = outcome(result);
  pending_bytes_ = waits.status == IoStatus::failed ? 0 : size;
  return waits;
}

IoResult TlsChannel::handshake_now() noexcept {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return {IoStatus::done, 0};
  return outcome(result);
}

bool TlsChannel::has_decrypted() const noexcept {
  return SSL_pending(ssl_.get()) > 0;
}

void TlsChannel::read_ahead() noexcept {
  SSL_set_read_ahead(ssl_.get(), 1);
}

bool TlsChannel::has_buffered() const noexcept {
  return SSL_has_pending(ssl_.get()) != 0;
}

std::uint64_t TlsChannel::wire_bytes_written() const noexcept {
  return BIO_number_written(SSL_get_wbio(ssl_.get()));
}

bool TlsChannel::release_buffers() noexcept {
  return SSL_free_buffers(ssl_.get()) == 1;
}

void TlsChannel::shutdown_now() noexcept {
  if (pending_bytes_ != 0 || SSL_in_init(ssl_.get()) != 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace clawws::net
