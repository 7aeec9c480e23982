// Which hashes of crypt(3) are taken, and whether a password makes one. libxcrypt knows many more
// kinds than are safe, and takes any cost, so the list is ours.

#include <crypt.h>
#include <string.h>

#include <charconv>
#include <memory>
#include <optional>

#include "clawws/base/text.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/server/users.hpp"

namespace clawws::server {
namespace {

constexpr int k_dearest_bcrypt = 14;                // about a second
constexpr std::uint64_t k_most_rounds = 1'000'000;  // about half a second
constexpr std::uint64_t k_most_yescrypt_bytes = 128u << 20;
constexpr std::size_t k_bcrypt_password_bytes = 72;  // what it looks at; the rest would be ignored

constexpr std::string_view k_crypt_alphabet =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool in_crypt_alphabet(std::string_view text) {
  return text.find_first_not_of(k_crypt_alphabet) == std::string_view::npos;
}

base::Error wrong(std::string reason) {
  return base::Error(base::Errc::config, std::move(reason));
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// $2y$10$ and 22 characters of salt, 31 of hash.
base::Result<HashKind> check_bcrypt(std::string_view hash) {
  const auto cost =
      hash.size() > 7 && hash[6] == '$' ? number<int>(hash.substr(4, 2)) : std::nullopt;
  if (hash.size() != 60 || !cost || *cost < 4 || !in_crypt_alphabet(hash.substr(7))) {
    return wrong("is a broken bcrypt hash");
  }
  if (*cost > k_dearest_bcrypt) {
    return wrong("has bcrypt cost " + std::to_string(*cost) + ", more than " +
                 std::to_string(k_dearest_bcrypt));
  }
  return HashKind::bcrypt;
}

// $6$[rounds=N$]salt$hash
base::Result<HashKind> check_sha(std::string_view hash, HashKind kind, std::size_t hash_length) {
  std::string_view rest = hash.substr(3);
  if (rest.starts_with("rounds=")) {
    const auto dollar = rest.find('$');
    const auto rounds = number<std::uint64_t>(rest.substr(7, dollar - 7));
    if (dollar == std::string_view::npos || !rounds) return wrong("is a broken SHA-crypt hash");
    if (*rounds > k_most_rounds) {
      return wrong("has " + std::to_string(*rounds) + " rounds, more than " +
                   std::to_string(k_most_rounds));
    }
    rest.remove_prefix(dollar + 1);
  }
  const auto dollar = rest.find('$');
  if (dollar == std::string_view::npos || rest.size() - dollar - 1 != hash_length ||
      !in_crypt_alphabet(rest.substr(dollar + 1))) {
    return wrong("is a broken SHA-crypt hash");
  }
  return kind;
}

// $y$PARAMS$salt$hash; PARAMS as crypt_gensalt(3) writes them: 'j', log2 of N, r, a character each.
base::Result<HashKind> check_yescrypt(std::string_view hash) {
  const auto parts = base::split(hash.substr(3), '$');
  if (parts.size() != 3 || parts[2].size() != 43 || !in_crypt_alphabet(parts[1]) ||
      !in_crypt_alphabet(parts[2])) {
    return wrong("is a broken yescrypt hash");
  }
  const std::string_view params = parts[0];
  if (params.size() != 3 || params[0] != 'j' || !in_crypt_alphabet(params)) {
    return wrong("has yescrypt parameters that are not taken");
  }
  const auto log2_n = k_crypt_alphabet.find(params[1]) + 1;
  const auto r = k_crypt_alphabet.find(params[2]) + 1;
  // Above 48 the encoding takes more than one character.
  if (r > 48) return wrong("has yescrypt parameters that are not taken");
  if (log2_n > 30 || (std::uint64_t{128} * r << log2_n) > k_most_yescrypt_bytes) {
    return wrong("needs more than 128 MiB for one login");
  }
  return HashKind::yescrypt;
}

}  // namespace

base::Result<HashKind> classify_hash(std::string_view hash) {
  base::Result<HashKind> kind = wrong("is no password hash that is taken");
  if (hash.starts_with("$2y$") || hash.starts_with("$2b$") || hash.starts_with("$2a$")) {
    kind = check_bcrypt(hash);
  } else if (hash.starts_with("$5$")) {
    kind = check_sha(hash, HashKind::sha256_crypt, 43);
  } else if (hash.starts_with("$6$")) {
    kind = check_sha(hash, HashKind::sha512_crypt, 86);
  } else if (hash.starts_with("$y$")) {
    kind = check_yescrypt(hash);
  } else if (hash.starts_with("$apr1$") || hash.starts_with("$1$")) {
    return wrong("is an MD5 hash, which is too weak");
  } else if (hash.starts_with("{SHA}")) {
    return wrong("is a plain SHA-1 hash, which is too weak");
  } else if (hash.size() == 13 && in_crypt_alphabet(hash)) {
    return wrong("is a DES hash, which is too weak");
  }
  // "Legacy" is the library's opinion of what is on our list.
  if (kind && ::crypt_checksalt(std::string(hash).c_str()) == CRYPT_SALT_INVALID) {
    return wrong("is a hash that this system's crypt(3) does not know");
  }
  return kind;
}

bool password_matches(const UserRecord& record, const std::string& password) {
  if (record.kind == HashKind::plain) {
    // Digests, so that not even the length can be told from the time.
    return net::constant_time_equal(net::sha256(record.secret), net::sha256(password));
  }
  if (record.kind == HashKind::bcrypt && password.size() > k_bcrypt_password_bytes) return false;
  // crypt(3) would read a NUL as the password's end.
  if (password.find('\0') != std::string::npos) return false;
  struct Wiped {
    crypt_data data{};
    ~Wiped() { ::explicit_bzero(&data, sizeof data); }
  };
  const auto state = std::make_unique<Wiped>();
  const char* const made = ::crypt_rn(password.c_str(), record.secret.c_str(), &state->data,
                                      static_cast<int>(sizeof state->data));
  return made != nullptr && net::constant_time_equal(made, record.secret);
}

}  // namespace clawws::server
