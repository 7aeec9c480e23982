// The server's certificate: the configured files, or the self-signed pair that it keeps in the state
// directory. Blocking file I/O; start and reload only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/net/tls_context.hpp"
#include "clawws/server/config.hpp"

namespace clawws::server {

struct LoadedCertificate {
  net::TlsContext context;
  std::string pin;                 // of its public key
  std::filesystem::path file;      // where its certificate lies
  std::int64_t not_after = 0;      // seconds since 1970
  std::vector<std::string> names;  // DNS names and addresses that it is for
  bool self_signed = false;        // clients must be given it as their CA certificate
  std::string replaced = {};       // why the pair that was there could not be used
};

// What may happen to the self-signed pair: `make` (a start) makes it anew when it is missing, unusable or
// within 30 days of its end; `renew` (a reload) only when it nears its end, else what is wrong is an
// error; `read_only` writes nothing.
enum class SelfSigned : std::uint8_t { make, renew, read_only };
base::Result<LoadedCertificate> load_certificate(const ServerConfig& config, const std::filesystem::path& state_dir,
                                                 SelfSigned mode);

// The state directory of a config: --state-dir or the default.
std::filesystem::path state_directory_of(const ServerConfig& config);

// A curl config (0600) beside the generated password, so that no password has to stand in argv.
base::Result<std::filesystem::path> write_curl_config(const std::filesystem::path& state_dir,
                                                      const std::filesystem::path& certificate,
                                                      const std::string& user, const std::string& password);

}  // namespace clawws::server
