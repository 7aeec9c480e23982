#include "clawws/server/users.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/server/dotenv.hpp"

namespace clawws::server {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::Error;
using base::Result;

constexpr std::size_t k_file_limit_bytes = 4u << 20;
constexpr std::size_t k_name_bytes = 255;
constexpr std::size_t k_password_bytes = 1024;
constexpr const char* k_user_variable = "DASHBOARD_USERNAME";
constexpr const char* k_password_variable = "DASHBOARD_PASSWORD";

// Wrong in a name: what cannot be sent as Basic credentials, or would be lost on a terminal.
std::optional<std::string> flaw_of_name(std::string_view name) {
  if (name.empty()) return "has an empty user name";
  if (name.size() > k_name_bytes) return "has a user name of more than 255 bytes";
  if (name.find(':') != std::string_view::npos) return "has a ':' in the user name";
  if (base::escape_terminal(name) != name) return "has control characters in the user name";
  return std::nullopt;
}

std::optional<std::string> flaw_of_password(std::string_view password) {
  if (password.empty()) return "is empty";
  if (password.size() > k_password_bytes) return "has more than 1024 bytes";
  if (password.find('\0') != std::string_view::npos) return "holds a NUL byte";
  return std::nullopt;
}

// The pair of the two variables, from a .env file or from the environment (`origin` says which).
Result<UserRecord> plain_user(const std::string& origin, std::string user, std::string password) {
  if (user.empty()) return Error(Errc::config, origin + k_user_variable + " is not set");
  if (const auto flaw = flaw_of_name(user)) {
    return Error(Errc::config, origin + k_user_variable + " " + *flaw);
  }
  if (password.empty()) return Error(Errc::config, origin + k_password_variable + " is not set");
  if (const auto flaw = flaw_of_password(password)) {
    return Error(Errc::config, origin + k_password_variable + " " + *flaw);
  }
  return UserRecord{std::move(user), HashKind::plain, std::move(password), 0};
}

Result<void> read_env_file(const fs::path& path, UserTable& table) {
  const auto content = base::read_file(path, k_file_limit_bytes);
  if (!content) return Error(Errc::config, content.error().message());
  const auto values = parse_dotenv(*content);
  const auto value_of = [&values](const char* key) {
    const auto found = values.find(std::string_view(key));
    return found == values.end() ? std::string() : found->second;
  };
  auto user =
      plain_user(path.string() + ": ", value_of(k_user_variable), value_of(k_password_variable));
  if (!user) return user.error();
  const auto added = table.add(std::move(*user));
  if (!added) return Error(Errc::config, path.string() + ": " + added.error().message());
  return {};
}

// Letters and digits alone, and a length that makes "admin:password" divisible by 3: so its base64
// has neither '=' nor '/' nor '+', and browsers take it as a subprotocol.
std::string random_password() {
  constexpr std::string_view k_letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t k_length = 24;
  static_assert((k_generated_user.size() + 1 + k_length) % 3 == 0);
  constexpr unsigned k_even = 256 / k_letters.size() * k_letters.size();
  std::string password;
  while (password.size() < k_length) {
    for (const char c : base::random_bytes(k_length)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < k_even && password.size() < k_length)
        password += k_letters[byte % k_letters.size()];
    }
  }
  return password;
}

// The password of an earlier start, or a new one.
Result<void> read_generated(const fs::path& state_dir, Generate generate, UserTable& table) {
  const fs::path path = generated_password_file(state_dir);
  struct stat info {};
  std::string password;
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0) {
      return Error(Errc::config, path.string() +
                                     ": others may read it; remove it, so that a new "
                                     "one is made, or chmod 600 " +
                                     path.string());
    }
    auto content = base::read_file(path, k_file_limit_bytes);
    if (!content) return Error(Errc::config, content.error().message());
    password = base::trim(std::string_view(*content).substr(0, content->find_first_of("\r\n")));
    if (const auto flaw = flaw_of_password(password)) {
      return Error(Errc::config, path.string() + ": the password " + *flaw +
                                     "; remove the file, and a new one is made");
    }
  } else {
    if (generate == Generate::never) return {};
    password = random_password();
    const auto written = base::write_file_atomic(path, password + "\n", 0600);
    if (!written) return written.error();
  }
  return table.add({std::string(k_generated_user), HashKind::plain, std::move(password), 0});
}

}  // namespace

fs::path generated_password_file(const fs::path& state_dir) {
  return state_dir / "password";
}

Result<void> UserTable::add(UserRecord record) {
  const auto place =
      std::lower_bound(records_.begin(), records_.end(), record.name,
                       [](const UserRecord& r, const std::string& name) { return r.name < name; });
  if (place != records_.end() && place->name == record.name) {
    return Error(Errc::config, "the user \"" + record.name + "\" is there twice");
  }
  records_.insert(place, std::move(record));
  return {};
}

const UserRecord* UserTable::find(std::string_view name) const noexcept {
  const auto place = std::lower_bound(
      records_.begin(), records_.end(), name,
      [](const UserRecord& r, std::string_view wanted) { return r.name < wanted; });
  return place != records_.end() && place->name == name ? &*place : nullptr;
}

const UserRecord* UserTable::decoy() const noexcept {
  const auto hashed = std::find_if(records_.begin(), records_.end(),
                                   [](const UserRecord& r) { return r.kind != HashKind::plain; });
  return hashed == records_.end() ? nullptr : &*hashed;
}

Result<void> read_htpasswd(std::string_view content, const std::string& path, UserTable& table) {
  std::size_t number = 0;
  for (std::string_view line : base::split(content, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (base::trim(line).empty() || line.starts_with('#')) continue;
    const std::string where = path + ":" + std::to_string(number) + ": ";
    const auto parts = base::split(line, ':');
    if (parts.size() < 2) return Error(Errc::config, where + "must be `name:hash`");
    const std::string name(parts[0]);
    if (const auto flaw = flaw_of_name(name)) return Error(Errc::config, where + *flaw);
    const std::string hash(base::trim(parts[1]));
    const auto kind = classify_hash(hash);
    if (!kind) {
      return Error(Errc::config, where + "the password of \"" + name + "\" " +
                                     kind.error().message() +
                                     "; make a good one with: htpasswd -B " + path + " " + name);
    }
    const auto added = table.add({name, *kind, hash, 0});
    if (!added) return Error(Errc::config, where + added.error().message());
  }
  return {};
}

Result<UserTable> load_users(const UserSourceConfig& config, Generate generate) {
  UserTable table;
  Result<void> done;
  if (!config.users_file.empty()) {
    const auto content = base::read_file(config.users_file, k_file_limit_bytes);
    if (!content) return Error(Errc::config, content.error().message());
    done = read_htpasswd(*content, config.users_file.string(), table);
    if (!done) return done.error();
  }
  if (!config.env_file.empty()) {
    done = read_env_file(config.env_file, table);
  } else if (config.uses_environment()) {
    auto user = plain_user("environment: ", config.environment_user, config.environment_password);
    if (!user) return user.error();
    done = table.add(std::move(*user));
  } else if (config.uses_generated()) {
    done = read_generated(config.generated_in, generate, table);
  } else if (!config.names_a_file() && !config.asks_upstream()) {
    return Error(Errc::config,
                 std::string("no users: name them with --users FILE or --env-file FILE, or set ") +
                     k_user_variable + " and " + k_password_variable);
  }
  if (!done) return done.error();
  // Nobody could log in; half a minute later somebody would look for the fault elsewhere.
  if (config.names_a_file() && table.records().empty()) {
    return Error(Errc::config, config.users_file.string() + ": names no user; add one with: htpasswd -B " +
                                   config.users_file.string() + " NAME");
  }
  return table;
}

Result<void> check_publishers(const UserSourceConfig& config, const UserTable& table) {
  if (config.asks_upstream()) return {};  // which gives no list of its users
  for (const std::string& name : config.publishers) {
    if (table.find(name) != nullptr) continue;
    std::vector<std::string> names;
    for (const UserRecord& record : table.records()) names.push_back(record.name);
    const auto near = base::nearest(name, names);
    return Error(Errc::config, "--publisher: there is no user \"" + name + "\"" +
                                   (near ? "; did you mean \"" + *near + "\"?" : ""));
  }
  return {};
}

}  // namespace clawws::server
