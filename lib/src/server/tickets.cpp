#include "clawws/server/tickets.hpp"

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "clawws/net/crypto.hpp"

namespace clawws::server {

namespace {

constexpr std::size_t k_random_bytes = 32;

std::string base64url(std::string_view bytes) {
  std::string text = base::base64_encode(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

}  // namespace

std::string Tickets::issue(const Identity& identity, std::string_view origin,
                           base::SteadyTime now) {
  std::string ticket = base64url(base::random_bytes(k_random_bytes));
  const std::lock_guard lock(mutex_);
  forget_old(identity.user, now);
  entries_.emplace(net::sha256(ticket),
                   Entry{identity, std::string(origin), now + k_lifetime, ++given_});
  return ticket;
}

// Those of everybody that are over, and of this user as many as make room for one.
void Tickets::forget_old(const std::string& user, base::SteadyTime now) {
  std::size_t open_of_user = 0;
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->second.ends <= now) {
      entry = entries_.erase(entry);
      continue;
    }
    if (entry->second.identity.user == user) {
      ++open_of_user;
      if (oldest == entries_.end() || entry->second.number < oldest->second.number) oldest = entry;
    }
    ++entry;
  }
  if (open_of_user >= k_most_of_a_user) entries_.erase(oldest);
}

std::optional<Identity> Tickets::redeem(std::string_view ticket, std::string_view origin,
                                        base::SteadyTime now) {
  const std::string digest = net::sha256(ticket);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(digest);
  if (found == entries_.end()) return std::nullopt;
  Entry entry = std::move(found->second);
  entries_.erase(found);
  if (entry.ends <= now || entry.origin != origin) return std::nullopt;
  return std::move(entry.identity);
}

std::size_t Tickets::open() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace clawws::server
