#include "clawws/net/server_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>

#include "clawws/base/posix.hpp"

namespace clawws::net {
namespace {

using nlohmann::json;

constexpr std::size_t k_limit_bytes = 64 * 1024;

base::Error broken(const std::string& reason) {
  return base::Error(base::Errc::config, "not a server record: " + reason);
}

base::Result<std::string> string_member(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string() ||
      member->get_ref<const std::string&>().empty())
    return broken(std::string("\"") + name + "\" is missing or no text");
  return member->get<std::string>();
}

base::Result<std::uint64_t> number_member(const json& object, const char* name, std::uint64_t max) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_unsigned() ||
      member->get<std::uint64_t>() == 0 || member->get<std::uint64_t>() > max)
    return broken(std::string("\"") + name + "\" is missing or out of range");
  return member->get<std::uint64_t>();
}

base::Result<ServerRecord> from_json(const json& object) {
  ServerRecord record;
  for (auto [name, field] :
       {std::pair{"url", &record.url}, std::pair{"host", &record.host},
        std::pair{"pin", &record.pin}, std::pair{"version", &record.version}}) {
    auto value = string_member(object, name);
    if (!value) return value.error();
    *field = std::move(*value);
  }
  const auto port = number_member(object, "port", 65535);
  if (!port) return port.error();
  record.port = static_cast<std::uint16_t>(*port);
  const auto pid = number_member(object, "pid", std::numeric_limits<pid_t>::max());
  if (!pid) return pid.error();
  record.pid = static_cast<pid_t>(*pid);
  if (!object.contains("user") && !object.contains("password_file")) return record;
  auto user = string_member(object, "user");
  if (!user) return user.error();
  auto file = string_member(object, "password_file");
  if (!file) return file.error();
  record.user = std::move(*user);
  record.password_file = std::move(*file);
  if (!record.password_file->is_absolute()) return broken("\"password_file\" is not absolute");
  return record;
}

}  // namespace

std::filesystem::path server_record_path(const std::filesystem::path& state_dir) {
  return state_dir / "server.json";
}

base::Result<void> write_server_record(const std::filesystem::path& state_dir,
                                       const ServerRecord& record) {
  json object = {{"url", record.url}, {"host", record.host}, {"port", record.port},
                 {"pin", record.pin}, {"pid", record.pid},   {"version", record.version}};
  if (record.user && record.password_file) {
    object["user"] = *record.user;
    object["password_file"] = record.password_file->string();
  }
  // A path or name that is not UTF-8 must not throw; replaced characters only make the file
  // unfindable.
  const std::string text = object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return base::write_file_atomic(server_record_path(state_dir), text, 0600);
}

base::Result<ServerRecord> read_server_record(const std::filesystem::path& state_dir) {
  const auto path = server_record_path(state_dir);
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return base::Error(base::Errc::io, base::errno_text(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return base::Error(base::Errc::io, base::errno_text(errno));
  if (!S_ISREG(status.st_mode)) return broken("no regular file");
  // Whoever may write it chooses which certificate is trusted.
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return base::Error(base::Errc::config, "others than its owner may write it (chmod 600)");
  const auto text = base::read_fd(fd.get(), k_limit_bytes);
  if (!text) return text.error();
  const json object = json::parse(*text, nullptr, false);
  if (!object.is_object()) return broken("no JSON object");
  return from_json(object);
}

void remove_server_record(const std::filesystem::path& state_dir, pid_t pid) noexcept {
  const auto record = read_server_record(state_dir);
  if (record && record->pid == pid) ::unlink(server_record_path(state_dir).c_str());
}

}  // namespace clawws::net
