#include "clawws/net/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "clawws/base/text.hpp"
#include "clawws/net/tls_context.hpp"
#include "openssl_handles.hpp"

namespace clawws::net {

using base::Errc;
using base::Error;
using base::Result;

namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Freer<BN_free>>;

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return timegm(&parts);
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

// As people write it: "127.0.0.1", "::1"; empty for what is no address.
std::string address_text(const ASN1_OCTET_STRING* address) {
  const int size = ASN1_STRING_length(address);
  char text[INET6_ADDRSTRLEN] = "";
  if (size == 4 || size == 16) {
    ::inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
  }
  return text;
}

bool is_address(const std::string& name) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(name.c_str());
  ERR_clear_error();
  if (address == nullptr) return false;
  ASN1_OCTET_STRING_free(address);
  return true;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

}  // namespace

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  const BioPtr subject(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(subject.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  facts.subject = bio_text(subject.get());
  facts.not_before = seconds_of(X509_get0_notBefore(certificate));
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));

  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      facts.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                               static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      facts.names.push_back(address_text(name->d.iPAddress));
    }
  }

  facts.self_signed = X509_self_signed(certificate, 0) == 1;

  unsigned char* der = nullptr;
  const int der_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (der_size > 0) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    EVP_Digest(der, static_cast<std::size_t>(der_size), digest, &digest_size, EVP_sha256(), nullptr);
    facts.pin = "sha256//" + base::base64_encode({reinterpret_cast<const char*>(digest), digest_size});
  }
  OPENSSL_free(der);
  return facts;
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  ERR_clear_error();
  const BioPtr bio = memory_bio(pem);
  const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) {
    ERR_clear_error();
    return Error(Errc::tls, "not a PEM certificate (it begins with -----BEGIN CERTIFICATE-----)");
  }
  return facts_of(certificate.get());
}

Result<PemPair> make_self_signed(const std::vector<std::string>& names, int days) {
  ERR_clear_error();
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  unsigned char serial[16];
  if (!key || !certificate || RAND_bytes(serial, sizeof serial) != 1) {
    return Error(Errc::tls, "cannot make a key: " + take_tls_error());
  }
  serial[0] &= 0x7f;  // a positive number (RFC 5280, section 4.1.2.2)
  X509_set_version(certificate.get(), X509_VERSION_3);
  const NumberPtr number(BN_bin2bn(serial, sizeof serial, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(days) * 86400);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  const std::string& common_name = names.front();
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  X509_set_issuer_name(certificate.get(), subject);

  std::string alternatives;
  for (const std::string& name : names) {
    alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  if (!add_extension(certificate.get(), NID_subject_alt_name, alternatives) ||
      !add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
    return Error(Errc::tls, "cannot sign a certificate: " + take_tls_error());
  }

  const BioPtr certificate_out(BIO_new(BIO_s_mem()));
  const BioPtr key_out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_out.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Error(Errc::tls, "cannot write a certificate: " + take_tls_error());
  }
  return PemPair{bio_text(certificate_out.get()), bio_text(key_out.get())};
}

}  // namespace clawws::net
