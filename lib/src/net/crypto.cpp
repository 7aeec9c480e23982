#include "clawws/net/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "clawws/base/assert.hpp"

namespace clawws::net {
namespace {

using DigestBuffer = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string text_of(const DigestBuffer& buffer, unsigned size) {
  return {reinterpret_cast<const char*>(buffer.data()), size};
}

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  DigestBuffer out;
  unsigned size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr);
  CLAWWS_ASSERT(done == 1);
  return text_of(out, size);
}

}  // namespace

void keep_openssl_until_exit() noexcept {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
}

std::string sha1(std::string_view bytes) {
  return digest(EVP_sha1(), bytes);
}

std::string sha256(std::string_view bytes) {
  return digest(EVP_sha256(), bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  DigestBuffer out;
  unsigned size = 0;
  // HMAC() takes a null key for "the last one".
  const char* const key_data = key.empty() ? "" : key.data();
  const unsigned char* const done = HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()),
                                         data_of(bytes), bytes.size(), out.data(), &size);
  CLAWWS_ASSERT(done != nullptr);
  return text_of(out, size);
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string& secret) noexcept {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace clawws::net
