// Who may come in: user names and their passwords or password hashes, read from an htpasswd file, a
// .env file, the process environment or the generated password file. Reading is all or nothing: an
// error names file, line and remedy, never a hash or a password.
// Plain values and free functions; a UserTable is immutable once built and shared between threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/base/error.hpp"

namespace clawws::server {

// Where users come from. Files first; only without any file the environment's pair; only without
// that the generated password.
struct UserSourceConfig {
  std::filesystem::path users_file;  // htpasswd; empty: none
  std::filesystem::path env_file;    // DASHBOARD_USERNAME and DASHBOARD_PASSWORD; empty: none
  std::string environment_user;      // the process environment's values of the same names
  std::string environment_password;
  std::filesystem::path generated_in;   // the state directory; empty: nothing may be generated
  // The upstream is asked about users that are in no file.
  enum class Upstream : std::uint8_t { none, asked } upstream = Upstream::none;
  std::vector<std::string> publishers;  // who may publish; empty: every user

  bool names_a_file() const noexcept { return !users_file.empty() || !env_file.empty(); }
  bool asks_upstream() const noexcept { return upstream == Upstream::asked; }
  bool uses_environment() const noexcept {
    return !names_a_file() && !asks_upstream() && !(environment_user.empty() && environment_password.empty());
  }
  // Nothing is configured: the password is (to be) made by the server.
  bool uses_generated() const noexcept {
    return !names_a_file() && !asks_upstream() && !uses_environment() && !generated_in.empty();
  }
};

inline constexpr std::string_view k_generated_user = "admin";

// Where the generated password lies in the state directory: one line, mode 0600.
CLAWWS_API std::filesystem::path generated_password_file(const std::filesystem::path& state_dir);

enum class HashKind : std::uint8_t { plain, bcrypt, sha256_crypt, sha512_crypt, yescrypt };

struct UserRecord {
  std::string name;
  HashKind kind = HashKind::plain;
  std::string secret;         // what crypt(3) gave, or the plain password
  std::uint64_t version = 0;  // set by the Authenticator
};

class UserTable {
 public:
  // Errc::config when the name is taken.
  base::Result<void> add(UserRecord record);
  const UserRecord* find(std::string_view name) const noexcept;
  // A record with a hash, whose hashing an unknown user's password has to go through, too; nullptr
  // when all passwords are plain.
  const UserRecord* decoy() const noexcept;
  std::vector<UserRecord>& records() noexcept { return records_; }
  const std::vector<UserRecord>& records() const noexcept { return records_; }

 private:
  std::vector<UserRecord> records_;  // in the order of their names
};

// The kind of a hash that crypt(3) made, if it is one that is taken: bcrypt up to cost 14, SHA-256
// and SHA-512 up to a million rounds, yescrypt up to 128 MiB. The error says what is wrong with it.
base::Result<HashKind> classify_hash(std::string_view hash);
// Blocking and slow, on purpose. A password over 72 bytes matches no bcrypt hash.
bool password_matches(const UserRecord& record, const std::string& password);

// `name:hash` lines; blank lines and lines that begin with '#' are skipped. `path` is for errors.
base::Result<void> read_htpasswd(std::string_view content, const std::string& path,
                                 UserTable& table);

// Whether load_users may make what is missing.
enum class Generate : std::uint8_t { allowed, never };
// Reads all that the config names. Generate::never (for `--check`) leaves the table empty when the
// generated password does not exist yet.
CLAWWS_API base::Result<UserTable> load_users(const UserSourceConfig& config, Generate generate);
// Errc::config when one of those who may publish is none of the users. For starts: later a user may go.
CLAWWS_API base::Result<void> check_publishers(const UserSourceConfig& config, const UserTable& table);

}  // namespace clawws::server
