#include "clawws/server/credentials.hpp"

#include "clawws/base/text.hpp"

namespace clawws::server {
namespace {

constexpr std::string_view k_clawws_v1 = "clawws.v1";
constexpr std::string_view k_clawpanel = "clawpanel";

// Calls `use` with each name of a comma-separated list until it returns false. Empty elements are
// skipped (RFC 9110, section 5.6.1).
template <class Use>
void for_each_name(std::string_view list, Use use) {
  for (;;) {
    const auto comma = list.find(',');
    const std::string_view name = base::trim(list.substr(0, comma));
    if (!name.empty() && !use(name)) return;
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

// The name that follows `clawpanel`, unless it is one of our own.
std::optional<std::string_view> credential_in(std::string_view offered) {
  std::optional<std::string_view> found;
  bool behind_clawpanel = false;
  for_each_name(offered, [&](std::string_view name) {
    if (name == k_clawpanel) {
      behind_clawpanel = true;
    } else if (behind_clawpanel && name != k_clawws_v1) {
      found = name;
    }
    return !found;
  });
  return found;
}

Presented malformed() {
  Presented presented;
  presented.kind = Presented::Kind::malformed;
  return presented;
}

Presented basic_from(std::string_view encoded) {
  const auto pair = base::base64_decode(encoded);
  if (!pair) return malformed();
  const auto colon = pair->find(':');
  if (colon == std::string::npos || pair->find('\0') != std::string::npos) return malformed();
  return {Presented::Kind::basic, pair->substr(0, colon), pair->substr(colon + 1)};
}

// token68 of RFC 9110, section 11.2.
bool is_token68(std::string_view text) {
  const auto padding = text.find_last_not_of('=');
  if (padding == std::string_view::npos) return false;
  for (const char c : text.substr(0, padding + 1)) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("-._~+/").find(c) != std::string_view::npos;
    if (!good) return false;
  }
  return true;
}

}  // namespace

Presented credentials_from(std::optional<std::string_view> offered_subprotocols,
                           std::optional<std::string_view> authorization) {
  if (offered_subprotocols) {
    if (const auto encoded = credential_in(*offered_subprotocols)) return basic_from(*encoded);
  }
  if (!authorization) return {};
  const std::string_view value = base::trim(*authorization);
  const auto space = value.find(' ');
  if (space == std::string_view::npos) return malformed();
  const std::string_view scheme = value.substr(0, space);
  const std::string_view rest = base::trim(value.substr(space));
  if (base::iequals(scheme, "Basic")) return basic_from(rest);
  if (base::iequals(scheme, "Bearer") && is_token68(rest)) {
    return {Presented::Kind::bearer, {}, std::string(rest)};
  }
  return malformed();
}

std::string_view Subprotocol::name() const noexcept {
  switch (answer) {
    case Answer::clawws_v1:
      return k_clawws_v1;
    case Answer::clawpanel:
      return k_clawpanel;
    case Answer::none:
    case Answer::refuse:
      break;
  }
  return {};
}

Subprotocol negotiate_subprotocol(std::optional<std::string_view> offered_subprotocols) noexcept {
  using Answer = Subprotocol::Answer;
  Answer answer = Answer::none;
  if (!offered_subprotocols) return {answer};
  for_each_name(*offered_subprotocols, [&answer](std::string_view name) {
    answer = Answer::refuse;
    if (name == k_clawws_v1) answer = Answer::clawws_v1;
    if (name == k_clawpanel) answer = Answer::clawpanel;
    return answer == Answer::refuse;
  });
  return {answer};
}

}  // namespace clawws::server
