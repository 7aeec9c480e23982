#include "clawws/hub/idempotency.hpp"

#include <algorithm>

namespace clawws::hub {

using base::Errc;
using base::Error;
using base::Result;

std::string IdempotencyTable::name_of(const IdempotencyKey& key) {
  // The length keeps "ab" + "c" apart from "a" + "bc".
  return std::to_string(key.user.size()) + ":" + key.user + key.key;
}

void IdempotencyTable::expire(base::SteadyTime now) {
  while (!expiries_.empty() && expiries_.front().when <= now) {
    entries_.erase(expiries_.front().name);
    const auto user = live_.find(expiries_.front().user);
    if (user != live_.end() && --user->second == 0) live_.erase(user);
    expiries_.pop_front();
  }
}

IdempotencyTable::Verdict IdempotencyTable::begin(const IdempotencyKey& key, PublishDone& done,
                                                  base::SteadyTime now, Receipt& receipt) {
  expire(now);
  std::string name = name_of(key);
  if (const auto found = entries_.find(name); found != entries_.end()) {
    Entry& entry = found->second;
    if (entry.fingerprint != key.fingerprint) return Verdict::conflict;
    if (entry.state == Entry::State::running) {
      entry.waiting.push_back(std::move(done));
      return Verdict::wait;
    }
    receipt = entry.receipt;
    receipt.novelty = Receipt::Novelty::repeated;
    return Verdict::repeated;
  }
  std::size_t& live = live_[key.user];
  if (live >= k_max_keys_per_user) return Verdict::full;
  ++live;
  entries_.emplace(std::move(name), Entry{key.fingerprint, Entry::State::running, {}, {}});
  return Verdict::proceed;
}

void IdempotencyTable::remember(const IdempotencyKey& key, const Receipt& receipt, base::Millis left,
                                base::SteadyTime now) {
  if (left <= base::Millis(0)) return;
  // The machine's clock may have been set back meanwhile.
  left = std::min(left, k_key_lifetime);
  std::string name = name_of(key);
  if (!entries_.emplace(name, Entry{key.fingerprint, Entry::State::done, receipt, {}}).second) return;
  ++live_[key.user];
  expiries_.push_back({now + left, std::move(name), key.user});
}

std::vector<std::pair<PublishDone, Result<Receipt>>> IdempotencyTable::finish(const IdempotencyKey& key,
                                                                              const Result<Receipt>& outcome,
                                                                              base::SteadyTime now) {
  std::vector<std::pair<PublishDone, Result<Receipt>>> answers;
  const std::string name = name_of(key);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return answers;
  Entry& entry = found->second;
  for (PublishDone& done : entry.waiting) {
    Result<Receipt> answer = outcome;
    if (answer) answer->novelty = Receipt::Novelty::repeated;
    answers.emplace_back(std::move(done), std::move(answer));
  }
  entry.waiting.clear();
  if (outcome) {
    entry.state = Entry::State::done;
    entry.receipt = *outcome;
    expiries_.push_back({now + k_key_lifetime, name, key.user});
  } else {
    entries_.erase(found);
    const auto user = live_.find(key.user);
    if (user != live_.end() && --user->second == 0) live_.erase(user);
  }
  return answers;
}

}  // namespace clawws::hub
