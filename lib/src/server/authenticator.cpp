#include "clawws/server/authenticator.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clawws/base/posix.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/server/auth_limiter.hpp"
#include "clawws/server/file_watch.hpp"
#include "clawws/server/upstream_users.hpp"

namespace clawws::server {
namespace {

using Done = std::function<void(AuthOutcome)>;
using Users = std::shared_ptr<const UserTable>;

constexpr std::size_t k_most_jobs = 64;              // distinct logins that wait or are hashed
constexpr std::size_t k_most_jobs_per_address = 32;  // so that one address cannot fill the queue
constexpr std::size_t k_key_bytes = 32;
constexpr std::chrono::seconds k_busy_retry{1};

AuthOutcome outcome_of(AuthOutcome::Kind kind, std::chrono::seconds retry_after = {}) {
  AuthOutcome outcome;
  outcome.kind = kind;
  outcome.retry_after = retry_after;
  return outcome;
}

std::vector<std::filesystem::path> files_of(const UserSourceConfig& config) {
  std::vector<std::filesystem::path> files{config.users_file, config.env_file};
  if (config.uses_generated()) files.push_back(generated_password_file(config.generated_in));
  return files;
}

// Sets the versions: a keyed hash of the credential, so the same one has the same version after
// every reload, and it tells nothing.
void stamp_versions(UserTable& table, const net::HmacSha256& keyed_hash) {
  for (UserRecord& record : table.records()) {
    std::string text = record.name;
    text += '\0';
    text += static_cast<char>('0' + static_cast<int>(record.kind));
    text += record.secret;
    const std::string digest = keyed_hash(text);
    std::memcpy(&record.version, digest.data(), sizeof record.version);
    net::wipe(text);
  }
}

// "3 users; added bob, changed admin, removed eve"
std::string describe_change(const UserTable& before, const UserTable& after) {
  constexpr std::size_t k_most_named = 10;
  std::vector<std::string> changes;
  for (const UserRecord& record : after.records()) {
    const UserRecord* const old = before.find(record.name);
    if (old == nullptr) {
      changes.push_back("added " + record.name);
    } else if (old->version != record.version) {
      changes.push_back("changed " + record.name);
    }
  }
  for (const UserRecord& record : before.records()) {
    if (after.find(record.name) == nullptr) changes.push_back("removed " + record.name);
  }
  const std::size_t count = after.records().size();
  std::string text = std::to_string(count) + (count == 1 ? " user" : " users");
  if (changes.empty()) return text + ", unchanged";
  for (std::size_t i = 0; i < std::min(changes.size(), k_most_named); ++i) {
    text += (i == 0 ? "; " : ", ") + changes[i];
  }
  if (changes.size() > k_most_named) {
    text += " and " + std::to_string(changes.size() - k_most_named) + " more changes";
  }
  return text;
}

// Whose answer hangs on a job.
struct Waiter {
  std::string address;
  Done done;
};

// One (user, password) that goes through crypt(3). While it runs, the limiter counts it for
// `address`, which is the first waiter's.
struct HashJob {
  std::string key;  // in the map of jobs
  std::string digest;
  std::string user;
  std::string password;
  std::string address;
  Users users;  // as they were when it began
  std::vector<Waiter> waiters;
};

struct Remembered {
  std::string digest;
  std::uint64_t version = 0;
};

}  // namespace

class Authenticator::Implementation {
 public:
  Implementation(UserSourceConfig config, base::Logger& log, Clock clock, AskUpstream ask)
      : config_(std::move(config)),
        log_(log),
        clock_(std::move(clock)),
        keyed_hash_(base::random_bytes(k_key_bytes)),
        upstream_(ask ? std::make_shared<UpstreamUsers>(std::move(ask), config_.publishers, log_, clock_) : nullptr),
        watch_(files_of(config_)),
        thread_([this] { hash_until_stopped(); }) {}

  void verify(const Presented& presented, std::string_view peer_address, Done done);
  bool still_valid(const Identity& identity) const;
  base::Result<std::string> reload();
  bool changed_on_disk();
  void recheck_upstream(std::function<void()> revoked) {
    if (upstream_) upstream_->recheck(std::move(revoked));
  }
  std::size_t user_count() const;
  void stop();

 private:
  std::string digest_of(const Presented& presented) const;

  // These are called with mutex_ held.
  std::optional<AuthOutcome> answer_at_once(const Presented& presented, const std::string& address,
                                            const std::string& digest);
  std::optional<AuthOutcome> enqueue(const Presented& presented, const std::string& address,
                                     const std::string& digest, Done& done);
  AuthOutcome accept(const UserRecord& record, const std::string& digest);
  AuthOutcome refuse(const std::string& address, const std::string& user);

  void hash_until_stopped();
  void finish(HashJob& job, bool matched);

  const UserSourceConfig config_;
  base::Logger& log_;
  const Clock clock_;
  const net::HmacSha256 keyed_hash_;  // its key is of this process alone

  const std::shared_ptr<UpstreamUsers> upstream_;  // nothing without --auth-upstream

  std::mutex reload_mutex_;  // held while files are read; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable work_;
  FileWatch watch_;
  Users users_ = std::make_shared<UserTable>();
  std::uint64_t generation_ = 0;                            // of users_
  std::unordered_map<std::string, Remembered> remembered_;  // by user
  AuthLimiter limiter_;
  std::unordered_map<std::string, std::shared_ptr<HashJob>> jobs_;  // by key
  std::deque<std::shared_ptr<HashJob>> queue_;                      // those that do not run yet
  bool stopped_ = false;
  std::thread thread_;  // last: it uses all of the above
};

std::string Authenticator::Implementation::digest_of(const Presented& presented) const {
  // No NUL is in a user's name, so the pair cannot be read in another way.
  std::string text = presented.user;
  text += '\0';
  text += presented.password_or_token;
  std::string digest = keyed_hash_(text);
  net::wipe(text);
  return digest;
}

void Authenticator::Implementation::verify(const Presented& presented,
                                           std::string_view peer_address, Done done) {
  // Nothing that could be guessed at was given: no user has a token here.
  if (presented.kind != Presented::Kind::basic) {
    done(outcome_of(AuthOutcome::Kind::refused));
    return;
  }
  const std::string address = limiter_address(peer_address);
  const std::string digest = digest_of(presented);
  std::optional<AuthOutcome> outcome;
  {
    std::unique_lock lock(mutex_);
    if (upstream_ && users_->find(presented.user) == nullptr) {
      lock.unlock();
      upstream_->verify(presented, peer_address, std::move(done));
      return;
    }
    outcome = answer_at_once(presented, address, digest);
    if (!outcome) outcome = enqueue(presented, address, digest, done);
  }
  if (outcome) done(std::move(*outcome));
}

std::optional<AuthOutcome> Authenticator::Implementation::answer_at_once(
    const Presented& presented, const std::string& address, const std::string& digest) {
  const UserRecord* const record = users_->find(presented.user);
  if (record != nullptr) {
    // reload() forgets those whose credential changed.
    const auto known = remembered_.find(record->name);
    if (known != remembered_.end() && net::constant_time_equal(known->second.digest, digest)) {
      return accept(*record, digest);
    }
  }
  if (const auto wait = limiter_.wait(address, presented.user, clock_())) {
    return outcome_of(AuthOutcome::Kind::limited, *wait);
  }
  if (record != nullptr && record->kind == HashKind::plain &&
      password_matches(*record, presented.password_or_token)) {
    return accept(*record, digest);
  }
  // Where anybody's password has to be hashed, every failure takes as long as a hash.
  if (users_->decoy() == nullptr) return refuse(address, presented.user);
  return std::nullopt;
}

std::optional<AuthOutcome> Authenticator::Implementation::enqueue(const Presented& presented,
                                                                  const std::string& address,
                                                                  const std::string& digest,
                                                                  Done& done) {
  // One that began before a reload answers for the old users.
  const std::string key = digest + std::to_string(generation_);
  if (const auto same = jobs_.find(key); same != jobs_.end()) {
    same->second->waiters.push_back({address, std::move(done)});
    return std::nullopt;
  }
  if (stopped_ || jobs_.size() >= k_most_jobs ||
      limiter_.running(address) >= k_most_jobs_per_address) {
    return outcome_of(AuthOutcome::Kind::busy, k_busy_retry);
  }
  auto job = std::make_shared<HashJob>();
  job->key = key;
  job->digest = digest;
  job->user = presented.user;
  job->password = presented.password_or_token;
  job->address = address;
  job->users = users_;
  job->waiters.push_back({address, std::move(done)});
  limiter_.begin(address, presented.user);
  jobs_.emplace(key, job);
  queue_.push_back(std::move(job));
  work_.notify_one();
  return std::nullopt;
}

AuthOutcome Authenticator::Implementation::accept(const UserRecord& record,
                                                  const std::string& digest) {
  remembered_[record.name] = {digest, record.version};
  AuthOutcome outcome;
  outcome.kind = AuthOutcome::Kind::accepted;
  outcome.identity.user = record.name;
  outcome.identity.version = record.version;
  const auto& publishers = config_.publishers;
  outcome.identity.may_publish =
      publishers.empty() ||
      std::find(publishers.begin(), publishers.end(), record.name) != publishers.end();
  return outcome;
}

AuthOutcome Authenticator::Implementation::refuse(const std::string& address,
                                                  const std::string& user) {
  const base::SteadyTime now = clock_();
  limiter_.failed(address, user, now);
  const std::string shown = users_->find(user) == nullptr ? "(unknown)" : user;
  log_.warning("login refused", {{"peer", address}, {"user", shown}});
  if (const auto wait = limiter_.wait(address, user, now)) {
    log_.warning("too many refused logins",
                 {{"peer", address}, {"user", shown}, {"seconds", wait->count()}});
  }
  return outcome_of(AuthOutcome::Kind::refused);
}

void Authenticator::Implementation::hash_until_stopped() {
  for (;;) {
    std::shared_ptr<HashJob> job;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
      if (stopped_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    const UserRecord* const record = job->users->find(job->user);
    const bool hashed = record != nullptr && record->kind != HashKind::plain;
    const bool matched = password_matches(hashed ? *record : *job->users->decoy(), job->password);
    net::wipe(job->password);
    // The decoy's password is good for the decoy's name alone.
    finish(*job, matched && hashed);
  }
}

void Authenticator::Implementation::finish(HashJob& job, bool matched) {
  std::vector<Waiter> waiters;
  std::vector<AuthOutcome> outcomes;
  {
    const std::lock_guard lock(mutex_);
    jobs_.erase(job.key);
    limiter_.end(job.address, job.user);
    waiters = std::move(job.waiters);
    // A reload in the meantime may have changed the password that this was compared with.
    const UserRecord* const before = job.users->find(job.user);
    const UserRecord* const now = users_->find(job.user);
    const bool still_so =
        matched && before != nullptr && now != nullptr && now->version == before->version;
    for (const Waiter& waiter : waiters) {
      outcomes.push_back(still_so ? accept(*now, job.digest) : refuse(waiter.address, job.user));
    }
  }
  for (std::size_t i = 0; i < waiters.size(); ++i) waiters[i].done(std::move(outcomes[i]));
}

bool Authenticator::Implementation::still_valid(const Identity& identity) const {
  if (identity.grant) return !identity.grant->revoked;
  const std::lock_guard lock(mutex_);
  const UserRecord* const record = users_->find(identity.user);
  return record != nullptr && record->version == identity.version;
}

base::Result<std::string> Authenticator::Implementation::reload() {
  const std::lock_guard reloading(reload_mutex_);
  {
    const std::lock_guard lock(mutex_);
    watch_.mark();
  }
  auto table = load_users(config_, Generate::allowed);
  if (!table) return table.error();
  stamp_versions(*table, keyed_hash_);
  const auto users = std::make_shared<const UserTable>(std::move(*table));
  const std::lock_guard lock(mutex_);
  // A password that was made just now is no change that anybody made.
  if (config_.uses_generated()) watch_.mark();
  std::string change = describe_change(*users_, *users);
  std::erase_if(remembered_, [&users](const auto& entry) {
    const UserRecord* const record = users->find(entry.first);
    return record == nullptr || record->version != entry.second.version;
  });
  users_ = users;
  ++generation_;
  return change;
}

bool Authenticator::Implementation::changed_on_disk() {
  const std::lock_guard lock(mutex_);
  return watch_.changed();
}

std::size_t Authenticator::Implementation::user_count() const {
  const std::lock_guard lock(mutex_);
  return users_->records().size();
}

void Authenticator::Implementation::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  if (upstream_) upstream_->stop();
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, job] : jobs_) {
      limiter_.end(job->address, job->user);
      net::wipe(job->password);
      std::move(job->waiters.begin(), job->waiters.end(), std::back_inserter(waiters));
    }
    jobs_.clear();
    queue_.clear();
  }
  for (const Waiter& waiter : waiters) {
    waiter.done(outcome_of(AuthOutcome::Kind::busy, k_busy_retry));
  }
}

Authenticator::Authenticator(UserSourceConfig config, base::Logger& log, Clock clock, AskUpstream ask)
    : implementation_(std::make_unique<Implementation>(std::move(config), log, std::move(clock), std::move(ask))) {}

Authenticator::~Authenticator() {
  stop();
}

void Authenticator::verify(const Presented& presented, std::string_view peer_address, Done done) {
  implementation_->verify(presented, peer_address, std::move(done));
}

bool Authenticator::still_valid(const Identity& identity) const {
  return implementation_->still_valid(identity);
}

base::Result<std::string> Authenticator::reload() {
  return implementation_->reload();
}

bool Authenticator::changed_on_disk() {
  return implementation_->changed_on_disk();
}

void Authenticator::recheck_upstream(std::function<void()> revoked) {
  implementation_->recheck_upstream(std::move(revoked));
}

std::size_t Authenticator::user_count() const {
  return implementation_->user_count();
}

void Authenticator::stop() {
  implementation_->stop();
}

}  // namespace clawws::server
