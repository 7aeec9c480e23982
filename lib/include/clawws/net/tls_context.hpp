// TLS contexts of both roles, and the check of a server's certificate. The only layer that names
// OpenSSL is net; this header shows its types by forward declaration alone.
// A context is immutable once made and may be shared between threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/base/export.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace clawws::net {

using TlsContext = std::shared_ptr<ssl_ctx_st>;

// Server role from PEM text: TLS 1.2 and 1.3, no renegotiation, ALPN http/1.1, one stateless
// ticket, buffers released while idle. Errc::tls: not PEM, an encrypted key, a key that does not
// fit, an expired certificate. The context says which; `name` is what the text is called there.
CLAWWS_API base::Result<TlsContext> make_server_context(std::string_view certificate_pem,
                                                        std::string_view key_pem, const std::string& name);

struct ClientTlsConfig {
  std::string ca_file;            // PEM; empty: the system's
  std::string cert_file;          // client certificate, PEM; empty: none
  std::string key_file;
  std::vector<std::string> pins;  // "sha256//BASE64" of the public key; one must match, beside the other checks
  // full: chain, name and dates. pin_only: the key is a pinned one, which is enough (the local
  // server's own certificate). none: nothing but the pins, if any (-k).
  enum class Verify { full, pin_only, none } verify = Verify::full;
  std::string ca_option = "--cacert";  // what the tool calls the option behind ca_file
};
CLAWWS_API base::Result<TlsContext> make_client_context(const ClientTlsConfig& config);

// Sets SNI (unless `host` is an address) and the name to verify.
CLAWWS_API void set_expected_host(ssl_st* ssl, const std::string& host);

// To be called after each client handshake and before a byte is sent: the context itself lets every
// certificate through, so that a failure can be told in full. Errc::tls says which check failed,
// the certificate's subject, its names, its dates, and the pin that would accept it.
CLAWWS_API base::Result<void> check_server_certificate(ssl_st* ssl, const ClientTlsConfig& config,
                                                       const std::string& host);

// The newest OpenSSL error of this thread as text ("" when there is none); clears the queue.
std::string take_tls_error();

}  // namespace clawws::net
