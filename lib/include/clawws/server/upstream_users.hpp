// Users of the upstream (--auth-upstream): it is asked who may come in, and its word is kept for a
// while. Good for 60 s, also for those who are live: they are asked about again, and one who is
// refused then loses the grant that all of that user's sessions share. A refusal is kept for 5 s.
// When the upstream gives no clear word nothing changes, and who comes new is told to come again.
//
// Thread-safe; shared, since answers may come after the owner has gone. Knows no HTTP: `ask` does.
// Passwords are kept while a grant is in use, to ask again, and wiped with it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clawws/base/log.hpp"
#include "clawws/base/time.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/server/auth_limiter.hpp"
#include "clawws/server/authenticator.hpp"

namespace clawws::server {

// What an identity of an upstream's user holds on to; the last one to go wipes the password.
struct UpstreamGrant {
  ~UpstreamGrant();

  std::string user, password, address;
  std::atomic<bool> revoked{false};
  base::SteadyTime asked{};  // the last time that the upstream was; guarded by UpstreamUsers
  bool asking = false;       // guarded as well
};

class UpstreamUsers : public std::enable_shared_from_this<UpstreamUsers> {
 public:
  static constexpr base::Millis k_accepted_for{60'000};
  static constexpr base::Millis k_refused_for{5'000};
  static constexpr base::Millis k_retry{5'000};  // of a recheck without a clear word

  UpstreamUsers(AskUpstream ask, std::vector<std::string> publishers, base::Logger& log, Authenticator::Clock clock);

  // As Authenticator::verify; `done` may run on the thread on which `ask` answers.
  void verify(const Presented& presented, std::string_view peer_address, std::function<void(AuthOutcome)> done);
  // Asks again about those who are live and due. `revoked` is called, wherever the answer comes, for
  // each who was refused.
  void recheck(std::function<void()> revoked);
  // Answers all that wait with busy, and so all who come later.
  void stop();

 private:
  using Done = std::function<void(AuthOutcome)>;
  struct Entry {
    std::shared_ptr<UpstreamGrant> held;  // of a login, until `until`, for further ones
    std::weak_ptr<UpstreamGrant> live;
    base::SteadyTime until{};  // so long no further login is asked about
  };
  struct Waiter {
    std::string address;
    Done done;
  };
  struct Job {
    std::string user, password, address;
    std::vector<Waiter> waiters;
  };

  std::optional<AuthOutcome> at_once(const Presented& presented, const std::string& digest, const std::string& address,
                                     base::SteadyTime now);
  void answered(const std::string& digest, UpstreamVerdict verdict);
  void rechecked(const std::string& digest, const std::shared_ptr<UpstreamGrant>& grant, UpstreamVerdict verdict,
                 const std::function<void()>& revoked);
  AuthOutcome accept(std::shared_ptr<UpstreamGrant> grant) const;
  void refuse(const std::string& digest, base::SteadyTime now);
  void prune(base::SteadyTime now);

  const AskUpstream ask_;
  const std::vector<std::string> publishers_;
  const net::HmacSha256 keyed_hash_;  // its key is of this object alone
  base::Logger& log_;
  const Authenticator::Clock clock_;

  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, Entry> entries_;            // by digest
  std::unordered_map<std::string, base::SteadyTime> refused_;  // until when
  std::unordered_map<std::string, Job> jobs_;
  AuthLimiter limiter_;
  bool stopped_ = false;
};

}  // namespace clawws::server
