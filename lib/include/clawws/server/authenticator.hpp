// Says who somebody is. Owns the users, the thread that hashes passwords, what was verified before,
// and the limiter of failures.
//
//   verify() --- remembered, or nothing to hash ----------------> done(outcome), on the caller's
//   thread
//        \------ bounded queue -> hashing thread (crypt) -------> done(outcome), on the hashing
//        thread
//
// Equal logins that run at the same time share one hash. A verified password is remembered as a
// keyed hash (the key lives as long as the process) until its user's credential changes. An unknown
// user costs the same hash as a wrong password.
//
// Thread-safe. Knows no socket and no HTTP. Never logs a credential, nor the name of a user that
// does not exist: that may be a password typed into the wrong field.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "clawws/base/error.hpp"
#include "clawws/base/log.hpp"
#include "clawws/base/time.hpp"
#include "clawws/server/credentials.hpp"
#include "clawws/server/users.hpp"

namespace clawws::server {

struct UpstreamGrant;

struct Identity {
  std::string user;
  bool may_publish = false;
  std::uint64_t version = 0;  // changes when that user's credential changes
  std::shared_ptr<UpstreamGrant> grant = nullptr;  // of a user whom the upstream knows
};

// What the upstream says of somebody. `answer` is called once, on any thread; the question may come
// from any. See server/upstream_login.hpp.
enum class UpstreamVerdict : std::uint8_t { accepted, refused, unclear };
using AskUpstream = std::function<void(std::string user, std::string password, std::string address,
                                       std::function<void(UpstreamVerdict)> answer)>;

struct AuthOutcome {
  enum class Kind : std::uint8_t {
    accepted,
    refused,  // 401
    limited,  // 429: too many failures
    busy,     // 503: too many logins wait for the hashing thread, or it has stopped
    away,     // 503: the upstream, which knows the users, gives no clear word
  };
  Kind kind = Kind::refused;
  Identity identity;                    // of accepted
  std::chrono::seconds retry_after{0};  // of limited and busy
};

class CLAWWS_API Authenticator {
 public:
  using Clock = std::function<base::SteadyTime()>;

  // Reads nothing yet: until the first reload() everybody is refused. `log` outlives this. With `ask`
  // users that are in no file are the upstream's.
  Authenticator(UserSourceConfig config, base::Logger& log, Clock clock = base::SteadyClock::now, AskUpstream ask = {});
  ~Authenticator();  // stop()
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // `done` runs exactly once: before this returns when no hash is needed, else on the hashing
  // thread; it must not block. `peer_address` is numeric, without a port.
  void verify(const Presented& presented, std::string_view peer_address,
              std::function<void(AuthOutcome)> done);
  // False when the user is gone or has another credential than the identity was made with.
  bool still_valid(const Identity& identity) const;

  // Reads the users anew. A bad file is refused whole: its error is returned and the old users
  // stay. Returns what changed, for the log: "3 users; added bob, removed eve".
  base::Result<std::string> reload();
  // Whether a file differs (device, inode, size, time) from what the last reload() met, and has
  // been left alone for 0.1 s, so that no half-written one is read. A few stat(2).
  bool changed_on_disk();
  // Asks the upstream again about its users who are live; `revoked` is called, on any thread, for each
  // whom it no longer lets in. To be called now and then.
  void recheck_upstream(std::function<void()> revoked);
  std::size_t user_count() const;

  // Answers all that wait with busy and ends the thread. Later logins that need a hash are busy.
  void stop();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace clawws::server
