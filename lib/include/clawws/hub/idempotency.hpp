// Idempotency keys of publishers, in memory: the same key and body again gets the first answer.
// Scoped to a user; only successes are remembered, 10 minutes; at most 10,000 live keys a user.
// Not thread-safe: the hub calls it under its own lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "clawws/base/error.hpp"
#include "clawws/base/time.hpp"

namespace clawws::hub {

// What a publisher is told of its events.
struct Receipt {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  enum class Novelty : std::uint8_t { stored, repeated } novelty = Novelty::stored;
};
using PublishDone = std::function<void(base::Result<Receipt>)>;

struct IdempotencyKey {
  std::string user;
  std::string key;          // 1 to 128 visible characters
  std::string fingerprint;  // SHA-256 of content type and bytes
};

inline constexpr std::size_t k_max_keys_per_user = 10'000;
inline constexpr base::Millis k_key_lifetime{600'000};

class IdempotencyTable {
 public:
  enum class Verdict : std::uint8_t {
    proceed,   // new: publish, then call finish()
    wait,      // the first still runs: `done` was kept and will be called by finish()
    repeated,  // `receipt` is the first answer
    conflict,  // another body
    full,      // too many live keys of this user
  };
  // `done` is taken (moved from) exactly when the verdict is `wait`.
  Verdict begin(const IdempotencyKey& key, PublishDone& done, base::SteadyTime now, Receipt& receipt);
  // The end of what `begin` let proceed. Returns those who waited, each with its answer, to be
  // called without the lock: after a failure they are told to try again.
  std::vector<std::pair<PublishDone, base::Result<Receipt>>> finish(const IdempotencyKey& key,
                                                                  const base::Result<Receipt>& outcome,
                                                                  base::SteadyTime now);
  // A success of an earlier process, to be known for another `left` (at most the whole lifetime). In order
  // of expiry, before any begin().
  void remember(const IdempotencyKey& key, const Receipt& receipt, base::Millis left, base::SteadyTime now);
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::string fingerprint;
    enum class State : std::uint8_t { running, done } state = State::running;
    Receipt receipt;
    std::vector<PublishDone> waiting;
  };
  struct Expiry {
    base::SteadyTime when;
    std::string name;
    std::string user;
  };
  static std::string name_of(const IdempotencyKey& key);
  void expire(base::SteadyTime now);

  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<std::string, std::size_t> live_;  // keys by user
  std::deque<Expiry> expiries_;                        // oldest first
};

}  // namespace clawws::hub
