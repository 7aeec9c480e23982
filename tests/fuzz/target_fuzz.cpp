// A request target into the path and query readers: whatever is said to be somebody else's does not
// become ours by decoding its escapes, and a query's values survive their own encoding.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "clawws/base/text.hpp"
#include "clawws/wire/http_gate.hpp"
#include "clawws/wire/query.hpp"

namespace {

using namespace clawws::wire;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escape;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view target(reinterpret_cast<const char*>(data), size_bytes);
  const Target parts = split_target(target);
  require(parts.path.size() + parts.query.size() <= target.size());

  const PathOwner owner = path_owner(target);
  if (owner == PathOwner::websocket) require(parts.path == "/ws");
  if (owner == PathOwner::clawws) require(parts.path.substr(0, 8) == "/clawws/");
  if (owner == PathOwner::other && parts.path != "*") {
    // One more layer of escapes, a detour or a doubled slash changes nothing about whose it is.
    const std::string path(parts.path);
    require(path_owner("/" + path) != PathOwner::clawws);
    require(path_owner("/x/.." + path) == PathOwner::other);
    require(path_owner("/%2E" + path) == PathOwner::other);
  }

  if (const auto parameters = parse_query(parts.query)) {
    std::string again;
    for (const QueryParameter& parameter : *parameters) {
      require(clawws::base::is_utf8(parameter.name) && clawws::base::is_utf8(parameter.value));
      again += encode(parameter.name) + '=' + encode(parameter.value) + '&';
    }
    const auto second = parse_query(again);
    require(second.has_value() && second->size() == parameters->size());
    for (std::size_t i = 0; i < second->size(); ++i) {
      require((*second)[i].name == (*parameters)[i].name);
      require((*second)[i].value == (*parameters)[i].value);
    }
  }
  (void)parse_subscribe_query(parts.query);
  return 0;
}
