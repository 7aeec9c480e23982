#include "clawws/server/tickets.hpp"

#include <algorithm>
#include <iterator>

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
  expire(now);
  if (std::size_t& open = open_of_[identity.user]; ++open > k_most_of_a_user) {
    take(std::find_if(entries_.begin(), entries_.end(), [&identity](const Entry& entry) {
      return entry.identity.user == identity.user;
    }));
  }
  entries_.push_back({net::sha256(ticket), identity, std::string(origin), now + k_lifetime});
  by_digest_.emplace(entries_.back().digest, std::prev(entries_.end()));
  return ticket;
}

void Tickets::forget_expired(base::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  expire(now);
}

void Tickets::expire(base::SteadyTime now) {
  while (!entries_.empty() && entries_.front().ends <= now) take(entries_.begin());
}

Tickets::Entry Tickets::take(Entries::iterator entry) {
  Entry taken = std::move(*entry);
  by_digest_.erase(taken.digest);
  entries_.erase(entry);
  const auto open = open_of_.find(taken.identity.user);
  if (--open->second == 0) open_of_.erase(open);
  return taken;
}

std::optional<Identity> Tickets::redeem(std::string_view ticket, std::string_view origin,
                                        base::SteadyTime now) {
  const std::string digest = net::sha256(ticket);
  const std::lock_guard lock(mutex_);
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return std::nullopt;
  Entry entry = take(found->second);
  if (entry.ends <= now || entry.origin != origin) return std::nullopt;
  return std::move(entry.identity);
}

std::size_t Tickets::open() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace clawws::server
