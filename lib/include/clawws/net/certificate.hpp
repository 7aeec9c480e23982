// Certificates: the self-signed one that a first start makes, and what is asked of others. Pure but
// for the kernel's random bytes; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/base/export.hpp"

namespace clawws::net {

struct PemPair {
  std::string certificate;
  std::string key;
};

// ECDSA P-256, self-signed, for `names` (DNS names or addresses; at least one), valid from an hour
// ago for `days`.
CLAWWS_API base::Result<PemPair> make_self_signed(const std::vector<std::string>& names, int days);

struct CertificateFacts {
  std::string subject;             // "CN=localhost"
  std::vector<std::string> names;  // subject alternative names
  std::int64_t not_before = 0;     // seconds since 1970
  std::int64_t not_after = 0;
  std::string pin;                 // "sha256//BASE64" of the public key (RFC 7469)
  bool self_signed = false;        // its own issuer: who trusts it must have been given it
};
// Of the first certificate in PEM text.
CLAWWS_API base::Result<CertificateFacts> read_certificate(std::string_view pem);

}  // namespace clawws::net
