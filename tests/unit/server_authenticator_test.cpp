#include "clawws/server/authenticator.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "clawws/base/posix.hpp"
#include "clawws/base/text.hpp"
#include "support/eventually.hpp"
#include "support/password_hash.hpp"
#include "support/temp_dir.hpp"

namespace clawws::server {
namespace {

using Kind = AuthOutcome::Kind;
using std::chrono::seconds;
using test::bcrypt_hash;
using test::TempDir;

Presented basic(const std::string& user, const std::string& password) {
  return {Presented::Kind::basic, user, password};
}

class ServerAuthenticator : public testing::Test {
 protected:
  ServerAuthenticator() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe(ends), 0);
    log_in_.reset(ends[0]);
    log_out_.reset(ends[1]);
  }

  // Starts with what config_ says.
  void start() {
    log_ = std::make_unique<base::Logger>(log_out_.get(), base::LogFormat::logfmt,
                                          base::LogLevel::debug);
    authenticator_ = std::make_unique<Authenticator>(
        config_, *log_, [this] { return base::SteadyTime(seconds(now_.load())); });
    const auto loaded = authenticator_->reload();
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  }
  void users(const std::string& content) { config_.users_file = dir_.write("users", content); }
  void env(const std::string& user, const std::string& password) {
    config_.env_file = dir_.write(
        ".env", "DASHBOARD_USERNAME=" + user + "\nDASHBOARD_PASSWORD='" + password + "'\n");
  }
  AuthOutcome login(const Presented& presented, const std::string& address = "192.0.2.1") {
    std::promise<AuthOutcome> promise;
    auto future = promise.get_future();
    authenticator_->verify(presented, address,
                           [&promise](AuthOutcome outcome) { promise.set_value(outcome); });
    if (future.wait_for(test::k_patience) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      authenticator_->stop();
    }
    return future.get();
  }
  // Whether the answer comes before verify() returns.
  bool is_inline(const Presented& presented, const std::string& address = "192.0.2.1") {
    std::promise<std::thread::id> promise;
    authenticator_->verify(presented, address, [&promise](const AuthOutcome&) {
      promise.set_value(std::this_thread::get_id());
    });
    return promise.get_future().get() == std::this_thread::get_id();
  }
  // Holds the hashing thread inside an answer until the promise is kept.
  void block_hashing(std::shared_future<void> until) {
    const auto blocked = std::make_shared<std::promise<void>>();
    authenticator_->verify(basic("nobody", "x"), "198.51.100.1", [=](const AuthOutcome&) {
      blocked->set_value();
      until.wait();
    });
    blocked->get_future().wait();
  }
  // All that was logged; ends the log.
  std::string log_text() {
    authenticator_.reset();
    log_out_.reset();
    return *base::read_fd(log_in_.get(), 1u << 20);
  }

  TempDir dir_;
  UserSourceConfig config_;
  std::atomic<int> now_{1'000};
  base::UniqueFd log_in_;
  base::UniqueFd log_out_;
  std::unique_ptr<base::Logger> log_;
  std::unique_ptr<Authenticator> authenticator_;
};

TEST_F(ServerAuthenticator, AcceptsAndRefuses) {
  users("bob:" + bcrypt_hash("good") + "\n");
  start();
  const AuthOutcome good = login(basic("bob", "good"));
  EXPECT_EQ(good.kind, Kind::accepted);
  EXPECT_EQ(good.identity.user, "bob");
  EXPECT_TRUE(good.identity.may_publish);
  EXPECT_TRUE(authenticator_->still_valid(good.identity));
  EXPECT_EQ(login(basic("bob", "bad")).kind, Kind::refused);
  EXPECT_EQ(login(basic("bob", "")).kind, Kind::refused);
  EXPECT_EQ(login(basic("eve", "good")).kind, Kind::refused) << "the decoy's password";
  EXPECT_EQ(login(basic("", "good")).kind, Kind::refused);
  EXPECT_EQ(login({}).kind, Kind::refused);
  EXPECT_EQ(login({Presented::Kind::bearer, "", "good"}).kind, Kind::refused);
  EXPECT_EQ(login({Presented::Kind::malformed, "bob", "good"}).kind, Kind::refused);
  EXPECT_EQ(authenticator_->user_count(), 1u);
}

TEST_F(ServerAuthenticator, NobodyComesInBeforeTheFirstReload) {
  users("bob:" + bcrypt_hash("good") + "\n");
  log_ =
      std::make_unique<base::Logger>(log_out_.get(), base::LogFormat::text, base::LogLevel::error);
  authenticator_ = std::make_unique<Authenticator>(config_, *log_);
  EXPECT_EQ(login(basic("bob", "good")).kind, Kind::refused);
}

TEST_F(ServerAuthenticator, OnlyPublishersMayPublish) {
  users("bob:" + bcrypt_hash("b") + "\neve:" + bcrypt_hash("e") + "\n");
  config_.publishers = {"bob", "carl"};
  start();
  EXPECT_TRUE(login(basic("bob", "b")).identity.may_publish);
  EXPECT_FALSE(login(basic("eve", "e")).identity.may_publish);
}

TEST_F(ServerAuthenticator, PlainPasswordsNeedNoThread) {
  env("admin", "pass");
  start();
  EXPECT_TRUE(is_inline(basic("admin", "pass")));
  EXPECT_TRUE(is_inline(basic("admin", "wrong")));
  EXPECT_TRUE(is_inline(basic("eve", "wrong")));
  EXPECT_EQ(login(basic("admin", "pass")).kind, Kind::accepted);
  EXPECT_EQ(login(basic("admin", "wrong")).kind, Kind::refused);
}

TEST_F(ServerAuthenticator, EveryFailureCostsAHash) {
  users("bob:" + bcrypt_hash("good") + "\n");
  env("admin", "pass");
  start();
  EXPECT_FALSE(is_inline(basic("bob", "bad")));
  EXPECT_FALSE(is_inline(basic("nobody", "bad")));
  EXPECT_FALSE(is_inline(basic("admin", "bad"))) << "would tell that admin's is a plain one";
  EXPECT_TRUE(is_inline(basic("admin", "pass")));
  EXPECT_EQ(login(basic("admin", "bad")).kind, Kind::refused);
  EXPECT_EQ(login(basic("admin", "good")).kind, Kind::refused) << "the decoy's password";
}

TEST_F(ServerAuthenticator, RemembersWhatWasVerified) {
  users("bob:" + bcrypt_hash("good") + "\n");
  start();
  EXPECT_FALSE(is_inline(basic("bob", "good")));
  EXPECT_TRUE(is_inline(basic("bob", "good"), "203.0.113.9"));
  EXPECT_FALSE(is_inline(basic("bob", "good2")));
}

TEST_F(ServerAuthenticator, LimitsFailuresButNotRememberedCredentials) {
  users("bob:" + bcrypt_hash("good") + "\neve:" + bcrypt_hash("e") + "\n");
  start();
  ASSERT_EQ(login(basic("bob", "good")).kind, Kind::accepted);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(login(basic("bob", "bad" + std::to_string(i))).kind, Kind::refused) << i;
  }
  now_ += 20;
  const AuthOutcome limited = login(basic("bob", "bad"));
  EXPECT_EQ(limited.kind, Kind::limited);
  EXPECT_EQ(limited.retry_after, seconds(40));
  EXPECT_EQ(login(basic("bob", "good")).kind, Kind::accepted);
  EXPECT_EQ(login(basic("bob", "bad"), "192.0.2.2").kind, Kind::refused) << "another address";
  EXPECT_EQ(login(basic("eve", "e")).kind, Kind::accepted) << "another user";
  now_ += 41;
  EXPECT_EQ(login(basic("bob", "bad")).kind, Kind::refused);
}

TEST_F(ServerAuthenticator, LimitsGuessesAtPlainPasswords) {
  env("admin", "pass");
  start();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(login(basic("admin", "bad")).kind, Kind::refused);
  EXPECT_EQ(login(basic("admin", "pass")).kind, Kind::limited)
      << "a guess that is right must not be told apart";
  EXPECT_EQ(login(basic("admin", "pass"), "192.0.2.2").kind, Kind::accepted);
  EXPECT_EQ(login(basic("admin", "pass")).kind, Kind::accepted) << "remembered by now";
}

TEST_F(ServerAuthenticator, LimitsAnAddressWhateverTheUser) {
  env("admin", "pass");
  start();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(login(basic("u" + std::to_string(i), "bad"), "2001:db8::" + std::to_string(i)).kind,
              Kind::refused);
  }
  EXPECT_EQ(login(basic("fresh", "bad"), "2001:db8::ffff").kind, Kind::limited) << "the same /64";
  EXPECT_EQ(login(basic("fresh", "bad"), "2001:db8:0:1::1").kind, Kind::refused);
}

TEST_F(ServerAuthenticator, ParallelGuessesAreLimitedToo) {
  users("bob:" + bcrypt_hash("good") + "\n");
  start();
  std::promise<void> go;
  block_hashing(go.get_future().share());
  std::atomic<int> limited{0};
  std::atomic<int> refused{0};
  for (int i = 0; i < 30; ++i) {
    authenticator_->verify(basic("bob", "bad" + std::to_string(i)), "192.0.2.1",
                           [&](const AuthOutcome& outcome) {
                             if (outcome.kind == Kind::limited) ++limited;
                             if (outcome.kind == Kind::refused) ++refused;
                           });
  }
  EXPECT_EQ(limited, 20);
  go.set_value();
  EXPECT_TRUE(test::eventually([&] { return refused == 10; }));
}

TEST_F(ServerAuthenticator, EqualLoginsShareOneHash) {
  users("bob:" + bcrypt_hash("good") + "\n");
  start();
  std::promise<void> go;
  block_hashing(go.get_future().share());
  std::atomic<int> accepted{0};
  std::atomic<int> others{0};
  const auto count = [&](const AuthOutcome& outcome) {
    ++(outcome.kind == Kind::accepted ? accepted : others);
  };
  // More than the queue is long, and more than an address may have running.
  for (int i = 0; i < 200; ++i) authenticator_->verify(basic("bob", "good"), "192.0.2.1", count);
  EXPECT_EQ(accepted + others, 0);
  go.set_value();
  EXPECT_TRUE(test::eventually([&] { return accepted + others == 200; }));
  EXPECT_EQ(accepted, 200);
}

TEST_F(ServerAuthenticator, EachWaiterOfAFailureCounts) {
  users("bob:" + bcrypt_hash("good") + "\n");
  start();
  std::promise<void> go;
  block_hashing(go.get_future().share());
  std::atomic<int> refused{0};
  for (int i = 0; i < 10; ++i) {
    authenticator_->verify(basic("bob", "bad"), "192.0.2.1",
                           [&](const AuthOutcome&) { ++refused; });
  }
  go.set_value();
  ASSERT_TRUE(test::eventually([&] { return refused == 10; }));
  EXPECT_EQ(login(basic("bob", "bad")).kind, Kind::limited);
}

TEST_F(ServerAuthenticator, AFullQueueIsBusyAndOneAddressCannotFillIt) {
  users("bob:" + bcrypt_hash("good") + "\n");
  start();
  std::promise<void> go;
  block_hashing(go.get_future().share());
  std::atomic<int> answered{0};
  std::atomic<int> busy{0};
  const auto count = [&](const AuthOutcome& outcome) {
    ++answered;
    if (outcome.kind == Kind::busy) ++busy;
    EXPECT_EQ(outcome.kind == Kind::busy, outcome.retry_after >= seconds(1));
  };
  for (int i = 0; i < 40; ++i) {
    authenticator_->verify(basic("u" + std::to_string(i), "x"), "192.0.2.1", count);
  }
  EXPECT_EQ(busy, 8) << "32 of one address may run";
  for (int i = 0; i < 40; ++i) {
    authenticator_->verify(basic("bob", "x" + std::to_string(i)), "10.0.0." + std::to_string(i),
                           count);
  }
  EXPECT_EQ(busy, 8 + 8) << "64 may run in all";
  go.set_value();
  EXPECT_TRUE(test::eventually([&] { return answered == 80; }));
  EXPECT_EQ(busy, 16);
  EXPECT_EQ(login(basic("bob", "good"), "10.1.1.1").kind, Kind::accepted);
}

TEST_F(ServerAuthenticator, StopAnswersAllThatWait) {
  users("bob:" + bcrypt_hash("good") + "\n");
  start();
  ASSERT_EQ(login(basic("bob", "good")).kind, Kind::accepted);
  std::promise<void> go;
  block_hashing(go.get_future().share());
  std::atomic<int> busy{0};
  for (int i = 0; i < 5; ++i) {
    authenticator_->verify(basic("u" + std::to_string(i), "x"), "192.0.2.1",
                           [&](const AuthOutcome& o) { busy += o.kind == Kind::busy ? 1 : 0; });
  }
  std::thread releaser([&] { go.set_value(); });
  authenticator_->stop();
  releaser.join();
  // The thread may have come to some of them before it saw the stop.
  EXPECT_LE(busy, 5);
  EXPECT_EQ(login(basic("bob", "bad")).kind, Kind::busy);
  EXPECT_EQ(login(basic("bob", "good")).kind, Kind::accepted) << "remembered";
}

TEST_F(ServerAuthenticator, ReloadSaysWhatChangedAndEndsOldIdentities) {
  const std::string bob = "bob:" + bcrypt_hash("b") + "\n";
  users(bob + "eve:" + bcrypt_hash("e") + "\n");
  start();
  const Identity bob_identity = login(basic("bob", "b")).identity;
  const Identity eve_identity = login(basic("eve", "e")).identity;

  EXPECT_EQ(*authenticator_->reload(), "2 users, unchanged");
  EXPECT_TRUE(authenticator_->still_valid(bob_identity));
  EXPECT_TRUE(is_inline(basic("bob", "b"))) << "still remembered";

  users(bob + "eve:" + bcrypt_hash("e2") + "\nzoe:" + bcrypt_hash("z") + "\n");
  EXPECT_EQ(*authenticator_->reload(), "3 users; changed eve, added zoe");
  EXPECT_TRUE(authenticator_->still_valid(bob_identity));
  EXPECT_FALSE(authenticator_->still_valid(eve_identity));
  EXPECT_EQ(login(basic("eve", "e")).kind, Kind::refused) << "no longer remembered";
  EXPECT_EQ(login(basic("eve", "e2")).kind, Kind::accepted);

  users("zoe:" + bcrypt_hash("z") + "\n");
  EXPECT_EQ(*authenticator_->reload(), "1 user; changed zoe, removed bob, removed eve");
  EXPECT_FALSE(authenticator_->still_valid(bob_identity));
  EXPECT_EQ(login(basic("bob", "b")).kind, Kind::refused);
}

TEST_F(ServerAuthenticator, ABadFileIsRefusedWhole) {
  users("bob:" + bcrypt_hash("b") + "\n");
  start();
  const Identity identity = login(basic("bob", "b")).identity;
  users("eve:" + bcrypt_hash("e") + "\nbob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
  const auto bad = authenticator_->reload();
  ASSERT_TRUE(bad.has_error());
  EXPECT_NE(bad.error().message().find("users:2:"), std::string::npos);
  EXPECT_EQ(login(basic("eve", "e")).kind, Kind::refused);
  EXPECT_EQ(login(basic("bob", "b")).kind, Kind::accepted);
  EXPECT_TRUE(authenticator_->still_valid(identity));
  std::filesystem::remove(config_.users_file);
  EXPECT_TRUE(authenticator_->reload().has_error());
  EXPECT_TRUE(authenticator_->still_valid(identity));
}

TEST_F(ServerAuthenticator, AReloadDuringAHashDecides) {
  users("bob:" + bcrypt_hash("old") + "\n");
  start();
  std::promise<void> go;
  block_hashing(go.get_future().share());
  std::promise<AuthOutcome> old_password;
  std::promise<AuthOutcome> too_early;
  std::promise<AuthOutcome> new_password;
  const auto ask = [&](const char* password, std::promise<AuthOutcome>& answer) {
    authenticator_->verify(basic("bob", password), "192.0.2.1",
                           [&answer](AuthOutcome outcome) { answer.set_value(outcome); });
  };
  ask("old", old_password);
  ask("new", too_early);
  users("bob:" + bcrypt_hash("new") + "\n");
  ASSERT_TRUE(authenticator_->reload().has_value());
  ask("new", new_password);
  go.set_value();
  EXPECT_EQ(old_password.get_future().get().kind, Kind::refused);
  EXPECT_EQ(too_early.get_future().get().kind, Kind::refused);
  EXPECT_EQ(new_password.get_future().get().kind, Kind::accepted);
}

TEST_F(ServerAuthenticator, WatchesItsFiles) {
  users("bob:" + bcrypt_hash("b") + "\n");
  env("admin", "pass");
  start();
  EXPECT_FALSE(authenticator_->changed_on_disk());
  env("admin", "other");
  EXPECT_TRUE(test::eventually([&] { return authenticator_->changed_on_disk(); }));
  ASSERT_TRUE(authenticator_->reload().has_value());
  EXPECT_FALSE(authenticator_->changed_on_disk());
  EXPECT_EQ(login(basic("admin", "other")).kind, Kind::accepted);

  users("broken\n");
  EXPECT_TRUE(test::eventually([&] { return authenticator_->changed_on_disk(); }));
  ASSERT_TRUE(authenticator_->reload().has_error());
  EXPECT_FALSE(authenticator_->changed_on_disk()) << "a bad file is reported once";
}

TEST_F(ServerAuthenticator, GeneratesItsPassword) {
  config_.generated_in = dir_.path();
  start();
  EXPECT_FALSE(authenticator_->changed_on_disk());
  const std::string password = std::string(base::trim(
      base::split(*base::read_file(generated_password_file(dir_.path())), '\n').front()));
  EXPECT_EQ(login(basic("admin", password)).kind, Kind::accepted);
  EXPECT_EQ(login(basic("admin", password + "x")).kind, Kind::refused);
}

TEST_F(ServerAuthenticator, TheLogHoldsNoSecret) {
  users("bob:" + bcrypt_hash("good-secret") + "\n");
  start();
  login(basic("bob", "good-secret"));
  for (int i = 0; i < 11; ++i) login(basic("bob", "bad-secret"));
  login(basic("typed-password-as-user", "x"));
  const std::string text = log_text();
  EXPECT_NE(text.find("msg=\"login refused\" peer=192.0.2.1 user=bob"), std::string::npos)
      << text;
  EXPECT_NE(text.find("msg=\"too many refused logins\""), std::string::npos) << text;
  EXPECT_NE(text.find("user=(unknown)"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  EXPECT_EQ(text.find("typed-password"), std::string::npos) << text;
}

TEST_F(ServerAuthenticator, ManyThreadsAtOnce) {
  const std::string zoe = bcrypt_hash("z");
  const std::string both = "bob:" + bcrypt_hash("b") + "\neve:" + bcrypt_hash("e") + "\n";
  users(both);
  start();
  std::atomic<int> answers{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const bool good = (i + t) % 3 != 0;
        authenticator_->verify(
            basic(i % 2 == 0 ? "bob" : "eve", good ? (i % 2 == 0 ? "b" : "e") : "bad"),
            "10.0." + std::to_string(t) + "." + std::to_string(i), [&, good](AuthOutcome outcome) {
              if ((outcome.kind == Kind::accepted) != good) ++wrong;
              if (good && !authenticator_->still_valid(outcome.identity)) ++wrong;
              ++answers;
            });
        if (i % 10 != 0) continue;
        // A third user comes and goes.
        dir_.write("users", i % 20 == 0 ? both : both + "zoe:" + zoe + "\n");
        if (authenticator_->reload().has_error()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(test::eventually([&] { return answers == 200; }));
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace clawws::server
