// What a running `clawws serve` tells the other tools on the same host: `server.json` (0600) in its
// state directory, written when the listener is bound, removed at a clean end. It says where the
// server listens, which certificate it shows (the pin) and, when the password was generated, where
// that lies. Holds no secret itself.
//   {"url":"wss://localhost:8443/ws","host":"127.0.0.1","port":8443,"pin":"sha256//…","user":"admin",
//    "password_file":"/…/password","pid":123,"version":"0.1.0"}
// Free functions, thread-safe; blocking file I/O.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "clawws/base/error.hpp"
#include "clawws/base/export.hpp"

namespace clawws::net {

struct ServerRecord {
  std::string url;         // what a person would type
  std::string host;        // the bound address, numeric
  std::uint16_t port = 0;  // the bound port
  std::string pin;         // "sha256//BASE64" of the certificate's public key
  // Both set, or neither: only when the server made the password itself.
  std::optional<std::string> user;
  std::optional<std::filesystem::path> password_file;  // absolute
  pid_t pid = 0;
  std::string version;
};

// state_dir/server.json
CLAWWS_API std::filesystem::path server_record_path(const std::filesystem::path& state_dir);
CLAWWS_API base::Result<void> write_server_record(const std::filesystem::path& state_dir,
                                                  const ServerRecord& record);
// Errc::io when there is none or it cannot be read; Errc::config when it is not a record, or when
// others than its owner may write it. The context is the reason without the path.
CLAWWS_API base::Result<ServerRecord> read_server_record(const std::filesystem::path& state_dir);
// Removes the record when it is `pid`'s; one of another process stays.
CLAWWS_API void remove_server_record(const std::filesystem::path& state_dir, pid_t pid) noexcept;

}  // namespace clawws::net
