#include "clawws/server/auth_limiter.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "clawws/base/assert.hpp"

namespace clawws::server {
namespace {

// A NUL parts address and user: neither holds one. The name's first bytes do: two users who share
// them share a limit, and nobody can make keys large.
std::string pair_key(std::string_view address, std::string_view user) {
  constexpr std::size_t k_name_bytes = 64;
  std::string key(address);
  key += '\0';
  key += user.substr(0, k_name_bytes);
  return key;
}

}  // namespace

std::string limiter_address(std::string_view peer_address) {
  const std::string text(peer_address.substr(0, peer_address.find('%')));
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::array<unsigned char, 12> k_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (std::equal(k_mapped.begin(), k_mapped.end(), bytes.begin())) {
    ::inet_ntop(AF_INET, bytes.data() + 12, out.data(), out.size());
    return out.data();
  }
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
  return std::string(out.data()) + "/64";
}

std::optional<std::chrono::seconds> AuthLimiter::wait_of(const std::string& key, std::size_t most,
                                                         base::SteadyTime now) {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  Entry& entry = *found->second;
  while (!entry.failures.empty() && now - entry.failures.front() >= k_window) {
    entry.failures.pop_front();
  }
  if (entry.failures.size() + entry.running < most) return std::nullopt;
  // While attempts run, the next one may be allowed as soon as one of them ends well.
  if (entry.failures.size() < most) return std::chrono::seconds(1);
  const base::SteadyTime free_again = entry.failures[entry.failures.size() - most] + k_window;
  return std::max(std::chrono::ceil<std::chrono::seconds>(free_again - now),
                  std::chrono::seconds(1));
}

std::optional<std::chrono::seconds> AuthLimiter::wait(std::string_view address,
                                                      std::string_view user, base::SteadyTime now) {
  const auto by_user = wait_of(pair_key(address, user), k_failures_per_user, now);
  const auto by_address = wait_of(std::string(address), k_failures_per_address, now);
  return std::max(by_user, by_address);
}

void AuthLimiter::failed(std::string_view address, std::string_view user, base::SteadyTime now) {
  const std::pair<std::string, std::size_t> counted[] = {
      {pair_key(address, user), k_failures_per_user},
      {std::string(address), k_failures_per_address}};
  for (const auto& [key, most] : counted) {
    Entry& e = entry(key);
    e.failures.push_back(now);
    if (e.failures.size() > most) e.failures.pop_front();
  }
}

void AuthLimiter::begin(std::string_view address, std::string_view user) {
  ++entry(pair_key(address, user)).running;
  ++entry(std::string(address)).running;
}

void AuthLimiter::end(std::string_view address, std::string_view user) {
  for (const std::string& key : {pair_key(address, user), std::string(address)}) {
    const auto found = index_.find(key);
    CLAWWS_ASSERT(found != index_.end() && found->second->running > 0);
    --found->second->running;
  }
}

std::size_t AuthLimiter::running(std::string_view address) const {
  const auto found = index_.find(std::string(address));
  return found == index_.end() ? 0 : found->second->running;
}

AuthLimiter::Entry& AuthLimiter::entry(const std::string& key) {
  if (const auto found = index_.find(key); found != index_.end()) {
    entries_.splice(entries_.end(), entries_, found->second);
    return *found->second;
  }
  // What runs now stays: end() will look for it. There are never more of those than the queue of
  // the hashing thread is long.
  for (auto old = entries_.begin(); entries_.size() >= most_entries_ && old != entries_.end();) {
    if (old->running > 0) {
      ++old;
      continue;
    }
    index_.erase(old->key);
    old = entries_.erase(old);
  }
  entries_.push_back({key, {}, 0});
  index_.emplace(key, std::prev(entries_.end()));
  return entries_.back();
}

}  // namespace clawws::server
