#include "clawws/server/identity_files.hpp"

#include <sys/stat.h>

#include "clawws/base/posix.hpp"
#include "clawws/base/time.hpp"
#include "clawws/net/certificate.hpp"

namespace clawws::server {

using base::Errc;
using base::Error;
using base::Result;
namespace fs = std::filesystem;

namespace {
constexpr int k_days_valid = 397;                      // what browsers accept at most
constexpr std::int64_t k_renew_before = 30LL * 86400;  // seconds

// A value of a curl config file (curl(1), --config).
std::string in_curl_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

Result<LoadedCertificate> load(const fs::path& cert_file, const fs::path& key_file) {
  const Result<std::string> certificate = base::read_file(cert_file);
  if (!certificate) return Error(Errc::tls, "--cert: " + certificate.error().message());
  const Result<std::string> key = base::read_file(key_file);
  if (!key) return Error(Errc::tls, "--key: " + key.error().message());
  const std::string name = cert_file.string() + " with " + key_file.string();
  const Result<net::TlsContext> context = net::make_server_context(*certificate, *key, name);
  if (!context) return context.error();
  const Result<net::CertificateFacts> facts = net::read_certificate(*certificate);
  if (!facts) return facts.error();
  return LoadedCertificate{*context, facts->pin, cert_file, facts->not_after, facts->names, facts->self_signed, {}};
}
}  // namespace

fs::path state_directory_of(const ServerConfig& config) {
  return fs::absolute(config.state_dir.empty() ? base::default_state_directory() : config.state_dir);
}

Result<LoadedCertificate> load_certificate(const ServerConfig& config, const fs::path& state_dir, SelfSigned mode) {
  if (!config.cert_file.empty()) return load(config.cert_file, config.key_file);

  const fs::path cert_file = state_dir / "cert.pem";
  const fs::path key_file = state_dir / "key.pem";
  std::error_code ignored;  // a file that cannot be looked at is not there
  std::string unusable;
  if (fs::exists(cert_file, ignored) && fs::exists(key_file, ignored)) {
    Result<LoadedCertificate> kept = load(cert_file, key_file);
    const bool ending = kept && kept->not_after - k_renew_before <= base::unix_millis() / 1000;
    if (kept ? !ending || mode == SelfSigned::read_only : mode != SelfSigned::make) return kept;
    if (!kept) unusable = kept.error().message();
  } else if (mode == SelfSigned::read_only) {
    return LoadedCertificate{};
  } else if (mode == SelfSigned::renew) {
    return Error(Errc::tls, "cert.pem or key.pem is missing in " + state_dir.string());
  }
  const Result<net::PemPair> made = net::make_self_signed({"localhost", "127.0.0.1", "::1"}, k_days_valid);
  if (!made) return made.error();
  if (const Result<void> wrote = base::write_file_atomic(key_file, made->key, 0600); !wrote) return wrote.error();
  if (const Result<void> wrote = base::write_file_atomic(cert_file, made->certificate, 0644); !wrote) {
    return wrote.error();
  }
  Result<LoadedCertificate> fresh = load(cert_file, key_file);
  if (fresh) fresh->replaced = std::move(unusable);
  return fresh;
}

Result<fs::path> write_curl_config(const fs::path& state_dir, const fs::path& certificate, const std::string& user,
                                   const std::string& password) {
  const fs::path file = state_dir / "curl.conf";
  const std::string text = "# For: curl -K " + file.string() + " …; made by clawws serve at each start.\n" +
                           "user = " + in_curl_quotes(user + ":" + password) + "\n" +
                           "cacert = " + in_curl_quotes(fs::absolute(certificate).string()) + "\n";
  if (const Result<void> wrote = base::write_file_atomic(file, text, 0600); !wrote) return wrote.error();
  return file;
}

}  // namespace clawws::server
