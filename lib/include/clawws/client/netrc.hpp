// ~/.netrc: the login and password for a host. Pure; the text is the caller's, secrets in it too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"
#include "clawws/client/secret.hpp"

namespace clawws::client {

struct NetrcEntry {
  std::string login;
  Secret password;
};

// The first entry for `host` (or `default`) that has a password and, when `user` is given, that
// login. Words may stand in double quotes with backslash escapes; `#` at a word's begin is a
// comment; macdef blocks are passed over. Nothing when there is none. Errc::config for an open
// quote or a keyword without its value, with the line.
base::Result<std::optional<NetrcEntry>> find_in_netrc(std::string_view text, std::string_view host,
                                                      const std::optional<std::string>& user);

}  // namespace clawws::client
