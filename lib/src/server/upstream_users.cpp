#include "clawws/server/upstream_users.hpp"

#include <algorithm>

#include "clawws/base/posix.hpp"

namespace clawws::server {

namespace {

constexpr std::size_t k_key_bytes = 32;
constexpr std::size_t k_most_jobs = 64;       // different logins that the upstream is asked about at a time
constexpr std::size_t k_most_jobs_per_address = 32;  // so that one address cannot keep the others out
constexpr std::size_t k_most_refused = 4'096;
constexpr std::size_t k_most_entries = 65'536;

AuthOutcome outcome_of(AuthOutcome::Kind kind, std::chrono::seconds retry_after = {}) {
  AuthOutcome outcome;
  outcome.kind = kind;
  outcome.retry_after = retry_after;
  return outcome;
}

}  // namespace

UpstreamGrant::~UpstreamGrant() { net::wipe(password); }

UpstreamUsers::UpstreamUsers(AskUpstream ask, std::vector<std::string> publishers, base::Logger& log,
                             Authenticator::Clock clock)
    : ask_(std::move(ask)),
      publishers_(std::move(publishers)),
      keyed_hash_(base::random_bytes(k_key_bytes)),
      log_(log),
      clock_(std::move(clock)) {}

void UpstreamUsers::verify(const Presented& presented, std::string_view peer_address, Done done) {
  const std::string address = limiter_address(peer_address);
  std::string text = presented.user + '\0' + presented.password_or_token;
  const std::string digest = keyed_hash_(text);
  net::wipe(text);
  std::optional<AuthOutcome> outcome;
  {
    const std::lock_guard lock(mutex_);
    const base::SteadyTime now = clock_();
    outcome = at_once(presented, digest, address, now);
    if (!outcome) {
      const auto [job, fresh] = jobs_.try_emplace(digest);
      job->second.waiters.push_back({address, std::move(done)});
      if (!fresh) return;
      job->second.user = presented.user;
      job->second.password = presented.password_or_token;
      job->second.address = address;
      limiter_.begin(address, presented.user);
    }
  }
  if (outcome) {
    done(std::move(*outcome));
    return;
  }
  ask_(presented.user, presented.password_or_token, std::string(peer_address),
       [self = shared_from_this(), digest](UpstreamVerdict verdict) { self->answered(digest, verdict); });
}

std::optional<AuthOutcome> UpstreamUsers::at_once(const Presented& presented, const std::string& digest,
                                                  const std::string& address, base::SteadyTime now) {
  const auto known = entries_.find(digest);
  if (known != entries_.end() && now < known->second.until) {
    if (auto grant = known->second.live.lock(); grant && !grant->revoked) return accept(std::move(grant));
  }
  if (const auto wait = limiter_.wait(address, presented.user, now)) {
    return outcome_of(AuthOutcome::Kind::limited, *wait);
  }
  const auto refused = refused_.find(digest);
  if (refused != refused_.end() && now < refused->second) {
    limiter_.failed(address, presented.user, now);
    return outcome_of(AuthOutcome::Kind::refused);
  }
  const bool joins = jobs_.count(digest) != 0;
  if (stopped_ || (!joins && (jobs_.size() >= k_most_jobs || limiter_.running(address) >= k_most_jobs_per_address))) {
    return outcome_of(AuthOutcome::Kind::busy, std::chrono::seconds(1));
  }
  return std::nullopt;
}

AuthOutcome UpstreamUsers::accept(std::shared_ptr<UpstreamGrant> grant) const {
  AuthOutcome outcome;
  outcome.kind = AuthOutcome::Kind::accepted;
  Identity& identity = outcome.identity;
  identity.user = grant->user;
  identity.grant = std::move(grant);
  identity.may_publish = publishers_.empty() ||
                         std::find(publishers_.begin(), publishers_.end(), identity.user) != publishers_.end();
  return outcome;
}

void UpstreamUsers::refuse(const std::string& digest, base::SteadyTime now) {
  if (refused_.size() >= k_most_refused) refused_.clear();
  refused_[digest] = now + k_refused_for;
  const auto known = entries_.find(digest);
  if (known == entries_.end()) return;
  // It was good before: whoever still lives by it has lost it, too.
  if (const auto grant = known->second.live.lock()) grant->revoked = true;
  entries_.erase(known);
}

void UpstreamUsers::answered(const std::string& digest, UpstreamVerdict verdict) {
  std::vector<std::pair<Done, AuthOutcome>> told;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(digest);
    if (found == jobs_.end()) return;  // stopped
    Job job = std::move(found->second);
    jobs_.erase(found);
    const base::SteadyTime now = clock_();
    limiter_.end(job.address, job.user);
    prune(now);
    if (verdict == UpstreamVerdict::accepted) {
      Entry& entry = entries_[digest];
      entry.held = entry.live.lock();
      if (!entry.held) {
        entry.held = std::make_shared<UpstreamGrant>();
        entry.held->user = job.user;
        entry.held->password = job.password;
        entry.held->address = job.address;
        entry.live = entry.held;
      }
      entry.held->asked = now;
      entry.until = now + k_accepted_for;
    } else if (verdict == UpstreamVerdict::refused) {
      refuse(digest, now);
    }
    for (Waiter& waiter : job.waiters) {
      AuthOutcome outcome = outcome_of(AuthOutcome::Kind::away, std::chrono::seconds(1));
      if (verdict == UpstreamVerdict::accepted) outcome = accept(entries_[digest].held);
      if (verdict == UpstreamVerdict::refused) {
        outcome = outcome_of(AuthOutcome::Kind::refused);
        limiter_.failed(waiter.address, job.user, now);
        // Not whom: it may be a password that was typed into the wrong field.
        log_.warning("login refused by the upstream", {{"peer", waiter.address}});
      }
      told.emplace_back(std::move(waiter.done), std::move(outcome));
    }
    net::wipe(job.password);
  }
  for (auto& [done, outcome] : told) done(std::move(outcome));
}

void UpstreamUsers::prune(base::SteadyTime now) {
  std::erase_if(refused_, [now](const auto& entry) { return now >= entry.second; });
  const bool full = entries_.size() > k_most_entries;
  for (auto& [digest, entry] : entries_) {
    if (full || now >= entry.until) entry.held.reset();
  }
  std::erase_if(entries_, [](const auto& entry) { return entry.second.live.expired(); });
}

void UpstreamUsers::recheck(std::function<void()> revoked) {
  std::vector<std::pair<std::string, std::shared_ptr<UpstreamGrant>>> due;
  {
    const std::lock_guard lock(mutex_);
    const base::SteadyTime now = clock_();
    prune(now);
    for (const auto& [digest, entry] : entries_) {
      const auto grant = entry.live.lock();
      // Those only held for another login need no asking.
      if (!grant || entry.held || grant->asking || now - grant->asked < k_accepted_for) continue;
      grant->asking = true;
      due.emplace_back(digest, grant);
    }
  }
  for (auto& [digest, grant] : due) {
    ask_(grant->user, grant->password, grant->address,
         [self = shared_from_this(), digest = digest, grant = grant, revoked](UpstreamVerdict verdict) {
           self->rechecked(digest, grant, verdict, revoked);
         });
  }
}

void UpstreamUsers::rechecked(const std::string& digest, const std::shared_ptr<UpstreamGrant>& grant,
                              UpstreamVerdict verdict, const std::function<void()>& revoked) {
  {
    const std::lock_guard lock(mutex_);
    const base::SteadyTime now = clock_();
    grant->asking = false;
    grant->asked = verdict == UpstreamVerdict::unclear ? now - k_accepted_for + k_retry : now;
    const auto known = entries_.find(digest);
    if (verdict == UpstreamVerdict::accepted && known != entries_.end()) known->second.until = now + k_accepted_for;
    if (verdict == UpstreamVerdict::refused) {
      grant->revoked = true;
      refuse(digest, now);
      log_.info("the upstream no longer lets a user in", {{"user", grant->user}});
    }
    if (stopped_) return;
  }
  if (verdict == UpstreamVerdict::refused) revoked();
}

void UpstreamUsers::stop() {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (auto& [digest, job] : jobs_) {
      limiter_.end(job.address, job.user);
      net::wipe(job.password);
      std::move(job.waiters.begin(), job.waiters.end(), std::back_inserter(waiters));
    }
    jobs_.clear();
  }
  for (Waiter& waiter : waiters) waiter.done(outcome_of(AuthOutcome::Kind::busy, std::chrono::seconds(1)));
}

}  // namespace clawws::server
