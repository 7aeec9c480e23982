#include "clawws/net/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

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

void HmacSha256::Free::operator()(evp_mac_ctx_st* context) const noexcept {
  EVP_MAC_CTX_free(context);
}

HmacSha256::HmacSha256(std::string_view key) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                                                              &EVP_MAC_free);
  CLAWWS_ASSERT(mac != nullptr);
  keyed_.reset(EVP_MAC_CTX_new(mac.get()));
  CLAWWS_ASSERT(keyed_ != nullptr);
  char sha256_name[] = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256_name, 0), OSSL_PARAM_construct_end()};
  // A null key would mean "none yet".
  const int done = EVP_MAC_init(keyed_.get(), key.empty() ? data_of("") : data_of(key), key.size(), parameters.data());
  CLAWWS_ASSERT(done == 1);
}

std::string HmacSha256::operator()(std::string_view bytes) const {
  // The copy is this call's own; the original is only read, so calls may run at once.
  const std::unique_ptr<evp_mac_ctx_st, Free> context(EVP_MAC_CTX_dup(keyed_.get()));
  CLAWWS_ASSERT(context != nullptr);
  DigestBuffer out;
  std::size_t size = 0;
  const bool done = EVP_MAC_update(context.get(), data_of(bytes), bytes.size()) == 1 &&
                    EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1;
  CLAWWS_ASSERT(done);
  return text_of(out, static_cast<unsigned>(size));
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string& secret) noexcept {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace clawws::net
