#include "clawws/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/net/certificate.hpp"
#include "openssl_handles.hpp"

// OpenSSL's macros hold old-style casts.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace clawws::net {

using base::Errc;
using base::Error;
using base::Result;

namespace {

constexpr unsigned char k_alpn_http11[] = "\x08http/1.1";
constexpr unsigned char k_session_context[] = "clawws";

// RFC 7301: a client that offers protocols without http/1.1 is told so; one that offers none goes on.
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, k_alpn_http11, sizeof(k_alpn_http11) - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void set_common(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Released buffers: an idle connection holds no 17 KiB record buffers. Partial writes and a moving
  // buffer: what the log's segments need (see tls_stream.hpp on pending writes).
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // AES-128 first: the cheapest per record where the CPU has AES.
  SSL_CTX_set_ciphersuites(context,
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
}

Error tls_error(const std::string& what) {
  const std::string reason = take_tls_error();
  return Error(Errc::tls, reason.empty() ? what : what + ": " + reason);
}

// That a file cannot be opened is a mistake in an option; what stands in it is a matter of TLS.
Error file_error(const std::string& what, const std::string& path) {
  const int error_number = ::access(path.c_str(), R_OK) == 0 ? 0 : errno;
  if (error_number == 0) return tls_error(what + path);
  ERR_clear_error();
  return Error(Errc::usage, what + path + ": " + base::errno_text(error_number));
}

std::string date_text(std::int64_t seconds) { return base::format_rfc3339(seconds * 1000).substr(0, 10); }

}  // namespace

std::string take_tls_error() {
  std::string text;
  // The last one says what was wanted; one of the operating system, such as a missing file, says why not.
  while (const unsigned long code = ERR_get_error()) {
    if (ERR_SYSTEM_ERROR(code)) {
      text = base::errno_text(ERR_GET_REASON(code));
      break;
    }
    const char* const reason = ERR_reason_error_string(code);
    text = reason != nullptr ? reason : "OpenSSL error " + std::to_string(code);
  }
  ERR_clear_error();
  return text;
}

Result<TlsContext> make_server_context(std::string_view certificate_pem, std::string_view key_pem,
                                       const std::string& name) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return tls_error("no TLS context");
  SSL_CTX* const raw = context.get();
  set_common(raw);
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(raw, select_alpn, nullptr);
  SSL_CTX_set_session_id_context(raw, k_session_context, sizeof(k_session_context) - 1);
  SSL_CTX_set_num_tickets(raw, 1);

  const Result<CertificateFacts> facts = read_certificate(certificate_pem);
  if (!facts) return Error(Errc::tls, name + ": " + facts.error().context);
  if (facts->not_after < base::unix_millis() / 1000) {
    return Error(Errc::tls, name + ": the certificate expired on " + date_text(facts->not_after));
  }

  const BioPtr bio = memory_bio(certificate_pem);
  const X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (!leaf || SSL_CTX_use_certificate(raw, leaf.get()) != 1) return tls_error(name + ": unusable certificate");
  while (const X509Ptr link{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(raw, link.get()) != 1) return tls_error(name + ": unusable chain certificate");
  }
  ERR_clear_error();  // the end of the chain reads as "no start line"

  const BioPtr key_bio = memory_bio(key_pem);
  const PkeyPtr key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return tls_error(name + ": the key is not an unencrypted PEM private key");
  if (SSL_CTX_use_PrivateKey(raw, key.get()) != 1 || SSL_CTX_check_private_key(raw) != 1) {
    return tls_error(name + ": the key does not belong to the certificate");
  }
  return context;
}

Result<TlsContext> make_client_context(const ClientTlsConfig& config) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return tls_error("no TLS context");
  SSL_CTX* const raw = context.get();
  set_common(raw);
  SSL_CTX_set_alpn_protos(raw, k_alpn_http11, sizeof(k_alpn_http11) - 1);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  // check_server_certificate judges after the handshake, where it can say more than an alert does.
  SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nullptr);
  if (config.verify == ClientTlsConfig::Verify::full) {
    if (config.ca_file.empty()) {
      SSL_CTX_set_default_verify_paths(raw);
    } else if (SSL_CTX_load_verify_locations(raw, config.ca_file.c_str(), nullptr) != 1) {
      return file_error("cannot read CA certificates from ", config.ca_file);
    }
  }
  if (!config.cert_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(raw, config.cert_file.c_str()) != 1) {
      return file_error("cannot read the client certificate ", config.cert_file);
    }
    const std::string& key = config.key_file.empty() ? config.cert_file : config.key_file;
    if (SSL_CTX_use_PrivateKey_file(raw, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(raw) != 1) {
      return file_error("cannot use the client key ", key);
    }
  }
  ERR_clear_error();
  return context;
}

void set_expected_host(ssl_st* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1) return;
  ERR_clear_error();
  // What SSL_set_tlsext_host_name() says, without its old-style cast.
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(host.c_str()));
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
}

Result<void> check_server_certificate(ssl_st* ssl, const ClientTlsConfig& config, const std::string& host) {
  if (config.verify == ClientTlsConfig::Verify::none && config.pins.empty()) return {};
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return Error(Errc::tls, "the server at " + host + " shows no certificate");
  const CertificateFacts facts = facts_of(certificate.get());

  std::string failure;
  std::string advice = "To trust it, give its certificate as " + config.ca_option + " FILE";
  if (config.ca_option == "--cacert") {
    advice += ", or accept exactly this key with --insecure --pinnedpubkey '" + facts.pin + "'";
  }
  const bool pinned = std::find(config.pins.begin(), config.pins.end(), facts.pin) != config.pins.end();
  const bool needs_pin = !config.pins.empty() || config.verify == ClientTlsConfig::Verify::pin_only;
  if (needs_pin && !pinned) {
    failure = "its public key is not the pinned one";
    advice = "Either the server has a new key, or this is another server; ask who runs it. This key is '" + facts.pin + "'";
  } else if (config.verify == ClientTlsConfig::Verify::full) {
    const long verdict = SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK) failure = X509_verify_cert_error_string(verdict);
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
      advice = "Connect to one of its names";
      if (config.ca_option == "--cacert") advice += "; --resolve NAME:PORT:ADDRESS says where that is";
    }
  }
  if (failure.empty()) return {};

  std::string names;
  for (const std::string& name : facts.names) names += (names.empty() ? "" : ", ") + name;
  return Error(Errc::tls, "the certificate of " + host + " is refused: " + failure + ". Subject " +
                              base::escape_terminal(facts.subject) + "; names " +
                              (names.empty() ? "none" : base::escape_terminal(names)) + "; valid " +
                              date_text(facts.not_before) + " to " + date_text(facts.not_after) + ". " + advice);
}

}  // namespace clawws::net
