// Bytes into the HTTP gate: the verdict does not depend on how they came, and what passes is a head
// that no two parsers can read differently.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "clawws/base/text.hpp"
#include "clawws/wire/http_gate.hpp"

namespace {

using clawws::wire::check_head;
using clawws::wire::GateVerdict;
using clawws::wire::HeadLimits;
using Kind = GateVerdict::Kind;

constexpr HeadLimits k_limits{.max_head_bytes = 512, .max_fields = 8};

void require(bool condition) {
  if (!condition) std::abort();
}

// Looks at a passed head with eyes of its own.
void check_passed(std::string_view head) {
  require(head.size() <= k_limits.max_head_bytes);
  require(head.size() >= 4 && head.substr(head.size() - 4) == "\r\n\r\n");
  require(head.find("\r\n\r\n") == head.size() - 4);
  require(head.find("\r\n ") == std::string_view::npos);
  require(head.find("\r\n\t") == std::string_view::npos);
  require(head.find('\0') == std::string_view::npos);
  require(std::count(head.begin(), head.end(), '\r') == std::count(head.begin(), head.end(), '\n'));
  const std::string lower = clawws::base::to_lower(head);
  const bool chunked = lower.find("\r\ntransfer-encoding:") != std::string::npos;
  const bool length = lower.find("\r\ncontent-length:") != std::string::npos;
  require(!(chunked && length));
  const std::size_t host = lower.find("\r\nhost:");
  if (host != std::string::npos) require(lower.find("\r\nhost:", host + 1) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size_bytes);
  const GateVerdict whole = check_head(bytes, k_limits);
  GateVerdict grown;
  for (std::size_t size = 0; size <= bytes.size() && grown.kind == Kind::need_more; ++size) {
    grown = check_head(bytes.substr(0, size), k_limits);
  }
  require(grown.kind == whole.kind && grown.status == whole.status);
  require(grown.reason == whole.reason && grown.head_bytes == whole.head_bytes);
  if (whole.kind == Kind::need_more) require(bytes.size() < k_limits.max_head_bytes);
  if (whole.kind == Kind::refuse) require(whole.status >= 400 && !whole.reason.empty());
  if (whole.kind == Kind::pass) check_passed(bytes.substr(0, whole.head_bytes));
  for (const std::string_view token : clawws::wire::header_list(bytes)) {
    require(!token.empty() && token.find(',') == std::string_view::npos);
  }
  return 0;
}
