// Owning handles for OpenSSL's objects; inside net only.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

#include "clawws/net/certificate.hpp"

namespace clawws::net {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

// Reads from `text`, which must outlive it.
inline BioPtr memory_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

CertificateFacts facts_of(X509* certificate);

// For PEM readers: an encrypted block must fail, not ask on the terminal.
inline int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace clawws::net
