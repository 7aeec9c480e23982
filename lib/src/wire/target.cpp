#include <algorithm>
#include <string>

#include "clawws/wire/http_gate.hpp"

namespace clawws::wire {

namespace {

constexpr std::string_view k_websocket_path = "/ws";
constexpr std::string_view k_clawws_prefix = "/clawws/";

int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// With every percent escape replaced, also those that only appear by replacing ("%2577" is 'w'):
// a careless hop behind us may decode twice. Each replacement shortens `out`, so this is linear.
std::string decode_fully(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (const char c : path) {
    out.push_back(c == '\\' ? '/' : c);
    while (out.size() >= 3 && out[out.size() - 3] == '%') {
      const int high = hex_value(out[out.size() - 2]);
      const int low = hex_value(out[out.size() - 1]);
      if (high < 0 || low < 0) break;
      out.resize(out.size() - 3);
      const char decoded = static_cast<char>(high * 16 + low);
      out.push_back(decoded == '\\' ? '/' : decoded);
    }
  }
  return out;
}

// Dot segments resolved and empty segments dropped, as the laxest of servers would.
std::string normalise(std::string_view decoded) {
  std::string out;
  while (!decoded.empty()) {
    const std::string_view segment = decoded.substr(0, decoded.find('/'));
    const bool last = segment.size() == decoded.size();
    decoded.remove_prefix(last ? segment.size() : segment.size() + 1);
    if (segment == "..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
    } else if (!segment.empty() && segment != ".") {
      out.append("/").append(segment);
    }
    const bool directory = segment.empty() || segment == "." || segment == "..";
    if (last ? directory : decoded.empty()) out.append("/");
  }
  return out;
}

bool is_ours(std::string_view path) noexcept {
  return path == k_websocket_path || path.substr(0, k_clawws_prefix.size()) == k_clawws_prefix;
}

}  // namespace

Target split_target(std::string_view target) noexcept {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

PathOwner path_owner(std::string_view target) {
  const std::string_view path = split_target(target).path;
  const bool has_control = std::any_of(path.begin(), path.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (has_control) return PathOwner::invalid;
  if (path == k_websocket_path) return PathOwner::websocket;
  if (is_ours(path)) return PathOwner::clawws;
  if (path == "*") return PathOwner::other;
  if (path.empty() || path.front() != '/') return PathOwner::invalid;

  const std::string decoded = decode_fully(path);
  if (decoded.find('\0') != std::string::npos) return PathOwner::invalid;
  return is_ours(normalise(decoded)) ? PathOwner::invalid : PathOwner::other;
}

}  // namespace clawws::wire
