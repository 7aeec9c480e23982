// Tickets: a browser cannot put credentials into a WebSocket's request, so it asks for a ticket over
// HTTP, where it can, and shows that. One opens one connection, within 30 s, from the page (Origin)
// that asked for it, and only while the credential it was given for is still good. Kept as digests:
// what leaks from memory opens nothing. Any thread. Time is passed in.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "clawws/base/time.hpp"
#include "clawws/server/authenticator.hpp"

namespace clawws::server {

class Tickets {
 public:
  static constexpr base::Millis k_lifetime{30'000};
  static constexpr std::size_t k_most_of_a_user = 16;

  // A new ticket: 32 random bytes in unpadded base64url. Over 16 open ones of a user the oldest ends.
  std::string issue(const Identity& identity, std::string_view origin, base::SteadyTime now);
  // Whose it is; nothing when it was never given, was used or is too old, or when the origin is
  // another one. It is used up in any case. The caller asks whether the identity is still valid.
  std::optional<Identity> redeem(std::string_view ticket, std::string_view origin, base::SteadyTime now);
  std::size_t open() const;

 private:
  struct Entry {
    Identity identity;
    std::string origin;
    base::SteadyTime ends;
    std::uint64_t number;  // the order in which they were given
  };
  void forget_old(const std::string& user, base::SteadyTime now);

  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, Entry> entries_;  // by SHA-256
  std::uint64_t given_ = 0;
};

}  // namespace clawws::server
