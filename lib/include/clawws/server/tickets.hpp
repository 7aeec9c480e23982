// Tickets: a browser cannot put credentials into a WebSocket's request, so it asks for a ticket over
// HTTP, where it can, and shows that. One opens one connection, within 30 s, from the page (Origin)
// that asked for it, and only while the credential it was given for is still good. Kept as digests:
// what leaks from memory opens nothing. Any thread. Time is passed in.
#pragma once

#include <list>
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
  // ClawPanel has one user, all of whose pages come back at once after a restart.
  static constexpr std::size_t k_most_of_a_user = 1'024;

  // A new ticket: 32 random bytes in unpadded base64url. Over 1,024 open ones of a user the oldest ends.
  std::string issue(const Identity& identity, std::string_view origin, base::SteadyTime now);
  // Whose it is; nothing when it was never given, was used or is too old, or when the origin is
  // another one. It is used up in any case. The caller asks whether the identity is still valid.
  std::optional<Identity> redeem(std::string_view ticket, std::string_view origin, base::SteadyTime now);
  // Those that are over hold on to whom they were given; to be called now and then.
  void forget_expired(base::SteadyTime now);
  std::size_t open() const;

 private:
  struct Entry {
    std::string digest;  // SHA-256
    Identity identity;
    std::string origin;
    base::SteadyTime ends;
  };
  using Entries = std::list<Entry>;

  // With mutex_ held.
  void expire(base::SteadyTime now);
  Entry take(Entries::iterator entry);

  mutable std::mutex mutex_;  // guards what follows
  Entries entries_;           // in the order in which they were given, and so in which they end
  std::unordered_map<std::string, Entries::iterator> by_digest_;
  std::unordered_map<std::string, std::size_t> open_of_;  // by user
};

}  // namespace clawws::server
