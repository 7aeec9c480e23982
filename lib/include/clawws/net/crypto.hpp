// The few primitives of OpenSSL that layers above need, on byte strings. Results are raw bytes.
// Thread-safe, pure but for wipe(). Failure inside OpenSSL (no memory) aborts: there is nothing
// that a caller could do instead.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"

struct evp_mac_ctx_st;  // OpenSSL's EVP_MAC_CTX

namespace clawws::net {

// First thing in a process: at its end OpenSSL must not take its tables down while a detached thread
// (BackgroundCall) still reads certificates through them. Later calls do nothing.
CLAWWS_API void keep_openssl_until_exit() noexcept;

CLAWWS_API std::string sha1(std::string_view bytes);    // 20 bytes; for Sec-WebSocket-Accept alone
CLAWWS_API std::string sha256(std::string_view bytes);  // 32 bytes

// HMAC-SHA-256 (RFC 2104) with one key, which is prepared once: OpenSSL takes longer to look its
// parts up than to hash a short text.
class CLAWWS_API HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  std::string operator()(std::string_view bytes) const;  // 32 bytes

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> keyed_;
};

// Takes the same time wherever the two differ. Lengths are no secret: unequal ones end at once.
CLAWWS_API bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

// Overwrites a secret, in a way that the optimizer keeps, and empties the string.
CLAWWS_API void wipe(std::string& secret) noexcept;

}  // namespace clawws::net
