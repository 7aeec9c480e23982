// The hub's writer: grouping, order, keys, and every answer that a publisher can get.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "clawws/hub/hub.hpp"
#include "clawws/hub/memory_store.hpp"
#include "support/eventually.hpp"
#include "support/hub_events.hpp"

namespace clawws::hub {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using test::eventually;
using test::numbered_event;
using test::numbered_events;

// A memory store whose appends the test can hold and let fail. Outlives the hub's use of it.
struct StoreControl {
  void hold() {
    const std::lock_guard lock(mutex);
    held = true;
  }
  void release() {
    const std::lock_guard lock(mutex);
    held = false;
    changed.notify_all();
  }
  void fail_with(std::optional<Error> error) {
    const std::lock_guard lock(mutex);
    failure = std::move(error);
  }
  // The sizes of the appends that have begun.
  std::vector<std::size_t> appends() const {
    const std::lock_guard lock(mutex);
    return sizes;
  }
  bool waits_for_append(std::size_t count) const {
    return eventually([&] { return appends().size() >= count; });
  }

  mutable std::mutex mutex;
  std::condition_variable changed;
  bool held = false;
  std::optional<Error> failure;
  std::vector<std::size_t> sizes;
};

class ControlledStore final : public EventStore {
 public:
  explicit ControlledStore(StoreControl& control) : control_(control), memory_(Retention{}) {}
  Result<void> open(Sink sink) override { return memory_.open(std::move(sink)); }
  Result<std::uint64_t> append(std::span<const wire::Event> events, const Alongside& alongside) override {
    {
      std::unique_lock lock(control_.mutex);
      control_.sizes.push_back(events.size());
      control_.changed.wait(lock, [&] { return !control_.held; });
      if (control_.failure) return *control_.failure;
    }
    return memory_.append(events, alongside);
  }
  StoreFacts facts() const override { return memory_.facts(); }
  std::string_view durability() const noexcept override { return memory_.durability(); }
  Result<std::vector<StoredEvent>> read(std::uint64_t after,
                                        std::size_t limit_bytes) const override {
    return memory_.read(after, limit_bytes);
  }
  Result<std::uint64_t> before_last(std::uint64_t count,
                                    const wire::Filter& filter) const override {
    return memory_.before_last(count, filter);
  }
  Result<std::uint64_t> before_time(std::int64_t unix_millis) const override {
    return memory_.before_time(unix_millis);
  }

 private:
  StoreControl& control_;
  MemoryStore memory_;
};

// Answers as they come, from whatever thread.
class Answers {
 public:
  PublishDone next() {
    return [this](Result<Receipt> receipt) {
      const std::lock_guard lock(mutex_);
      list_.push_back(std::move(receipt));
    };
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return list_.size();
  }
  bool reach(std::size_t count_wanted) const {
    return eventually([&] { return count() >= count_wanted; });
  }
  Result<Receipt> at(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return list_.at(index);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Result<Receipt>> list_;
};

struct HubTest {
  explicit HubTest(const HubConfig& config = {})
      : hub(config, std::make_unique<ControlledStore>(control)) {
    hub.add_listener([this] { ++wakes; });
    EXPECT_TRUE(hub.start().has_value());
  }
  ~HubTest() { control.release(); }
  void publish(std::vector<wire::Event> events, std::optional<IdempotencyKey> key = std::nullopt) {
    hub.publish(std::move(events), std::move(key), answers.next());
  }
  // Seqs on the log, checked against the numbers in the texts.
  std::uint64_t read_log() const {
    std::uint64_t expected = 1;
    Cursor cursor = *hub.log().after(0);
    do {
      for (const std::uint32_t count = cursor.segment->count(); cursor.index < count;
           ++cursor.index, ++expected) {
        EXPECT_EQ(cursor.segment->seq_of(cursor.index), expected);
      }
    } while (hub.log().cross(cursor));
    return expected - 1;
  }

  StoreControl control;
  Answers answers;
  std::atomic<int> wakes{0};
  Hub hub;
};

const IdempotencyKey k_key{"ann", "key", "body"};

TEST(HubPublish, WhoWakesTheWriterLaterIsAnsweredToo) {
  HubTest test;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    test.hub.publish({numbered_event(n)}, std::nullopt, test.answers.next(), Hub::Wake::later);
  }
  test.hub.wake_writer();
  ASSERT_TRUE(test.answers.reach(3));
  EXPECT_EQ(test.read_log(), 3U);
}

TEST(HubPublish, AReceiptNamesTheSeqsAndTheLogHasThem) {
  HubTest test;
  test.publish(numbered_events(1, 3));
  ASSERT_TRUE(test.answers.reach(1));
  test.publish(numbered_events(4, 2));
  ASSERT_TRUE(test.answers.reach(2));
  EXPECT_EQ(test.answers.at(0)->first, 1U);
  EXPECT_EQ(test.answers.at(0)->last, 3U);
  EXPECT_EQ(test.answers.at(1)->first, 4U);
  EXPECT_EQ(test.answers.at(1)->last, 5U);
  EXPECT_EQ(test.answers.at(1)->novelty, Receipt::Novelty::stored);
  EXPECT_EQ(test.read_log(), 5U);
  EXPECT_EQ(test.hub.frames_encoded(), 5U);
  EXPECT_EQ(test.wakes, 2) << "one wake-up a batch";
  EXPECT_EQ(test.hub.facts().newest, 5U);
  const Cursor cursor = *test.hub.log().after(3);
  EXPECT_EQ(cursor.segment->text_of(cursor.index), test::text_with_seq(numbered_event(4), 4));
}

TEST(HubPublish, WhatArrivesWhileACommitRunsIsOneCommit) {
  HubTest test;
  test.control.hold();
  test.publish(numbered_events(1, 1));
  ASSERT_TRUE(test.control.waits_for_append(1));
  test.publish(numbered_events(2, 2));
  test.publish(numbered_events(4, 3));
  test.publish(numbered_events(7, 1));
  test.control.release();
  ASSERT_TRUE(test.answers.reach(4));
  EXPECT_EQ(test.control.appends(), (std::vector<std::size_t>{1, 6}));
  EXPECT_EQ(test.wakes, 2);
  EXPECT_EQ(test.answers.at(1)->first, 2U);
  EXPECT_EQ(test.answers.at(1)->last, 3U);
  EXPECT_EQ(test.answers.at(2)->first, 4U);
  EXPECT_EQ(test.answers.at(2)->last, 6U);
  EXPECT_EQ(test.answers.at(3)->first, 7U);
  EXPECT_EQ(test.answers.at(3)->last, 7U);
}

TEST(HubPublish, NothingIsOnTheLogOrAnsweredBeforeTheStoreHasIt) {
  HubTest test;
  test.control.hold();
  test.publish(numbered_events(1, 3));
  ASSERT_TRUE(test.control.waits_for_append(1));
  EXPECT_EQ(test.hub.log().head(), 0U);
  EXPECT_EQ(test.answers.count(), 0U);
  EXPECT_EQ(test.wakes, 0);
  test.control.release();
  ASSERT_TRUE(test.answers.reach(1));
  EXPECT_EQ(test.hub.log().head(), 3U);
}

// The log must be ahead of the answer: who publishes and then looks finds its event.
TEST(HubPublish, TheLogHasTheEventWhenTheAnswerComes) {
  HubTest test;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 200; ++i) {
    test.hub.publish(numbered_events(1, 1), std::nullopt,
                     [&, done = test.answers.next()](Result<Receipt> receipt) {
                       if (!receipt || test.hub.facts().newest < receipt->last) ++wrong;
                       done(std::move(receipt));
                     });
  }
  ASSERT_TRUE(test.answers.reach(200));
  EXPECT_EQ(wrong, 0);
}

TEST(HubPublish, ManyPublishersKeepTheirOrderAndLeaveNoHole) {
  constexpr std::uint64_t k_publishers = 6;
  constexpr std::uint64_t k_batches = 150;
  HubTest test;
  std::vector<std::thread> publishers;
  std::vector<std::vector<Receipt>> receipts(k_publishers);
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> answered{0};
  for (std::uint64_t p = 0; p < k_publishers; ++p) {
    publishers.emplace_back([&, p] {
      for (std::uint64_t i = 0; i < k_batches; ++i) {
        const std::size_t size = 1 + (p + i) % 4;
        // A publisher's answers come on the writer's thread, one behind the other.
        test.hub.publish(numbered_events(p * 1'000'000 + i * 10, size), std::nullopt,
                         [&, p](Result<Receipt> receipt) {
                           if (receipt) {
                             receipts[p].push_back(*receipt);
                           } else {
                             ++failed;
                           }
                           ++answered;
                         });
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  ASSERT_TRUE(eventually([&] { return answered == k_publishers * k_batches; }));
  test.hub.stop();
  EXPECT_EQ(failed, 0U);
  std::set<std::uint64_t> seqs;
  for (std::uint64_t p = 0; p < k_publishers; ++p) {
    ASSERT_EQ(receipts[p].size(), k_batches);
    std::uint64_t before = 0;
    for (std::uint64_t i = 0; i < k_batches; ++i) {
      const Receipt& receipt = receipts[p][i];
      EXPECT_GT(receipt.first, before) << "publisher " << p << " batch " << i;
      EXPECT_EQ(receipt.last - receipt.first, (p + i) % 4);
      before = receipt.last;
      for (std::uint64_t seq = receipt.first; seq <= receipt.last; ++seq) {
        EXPECT_TRUE(seqs.insert(seq).second);
        const Cursor cursor = *test.hub.log().after(seq - 1);
        EXPECT_EQ(cursor.segment->text_of(cursor.index),
                  test::text_with_seq(
                      numbered_event(p * 1'000'000 + i * 10 + (seq - receipt.first)), seq));
      }
    }
  }
  EXPECT_EQ(*seqs.begin(), 1U);
  EXPECT_EQ(*seqs.rbegin(), seqs.size());
  EXPECT_EQ(test.read_log(), seqs.size());
}

TEST(HubPublish, StopCommitsWhatWaitsAndThenRefuses) {
  HubTest test;
  test.control.hold();
  test.publish(numbered_events(1, 1));
  ASSERT_TRUE(test.control.waits_for_append(1));
  test.publish(numbered_events(2, 5));
  std::thread stopper([&] { test.hub.stop(); });
  // From the moment that the stop is seen, everything is refused at once.
  ASSERT_TRUE(eventually([&] {
    const std::size_t before = test.answers.count();
    test.publish(numbered_events(100, 1));
    return test.answers.count() > before;
  }));
  const Result<Receipt> refused = test.answers.at(0);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  test.control.release();
  stopper.join();
  std::size_t stored = 0;
  for (std::size_t i = 0; i < test.answers.count(); ++i) {
    if (const Result<Receipt> answer = test.answers.at(i))
      stored += answer->last - answer->first + 1;
  }
  EXPECT_EQ(stored, test.hub.log().head());
  EXPECT_GE(stored, 6U);
  const std::size_t before = test.answers.count();
  test.publish(numbered_events(1, 1));
  ASSERT_EQ(test.answers.count(), before + 1);
  EXPECT_EQ(test.answers.at(before).error().code, Errc::unavailable);
}

TEST(HubPublish, AKeyRepeatedWhileTheFirstRunsWaitsForIt) {
  HubTest test;
  test.control.hold();
  test.publish(numbered_events(1, 2), k_key);
  ASSERT_TRUE(test.control.waits_for_append(1));
  test.publish(numbered_events(1, 2), k_key);
  IdempotencyKey other = k_key;
  other.fingerprint = "another body";
  test.publish(numbered_events(9, 1), other);
  ASSERT_EQ(test.answers.count(), 1U) << "a conflict is known at once";
  EXPECT_EQ(test.answers.at(0).error().code, Errc::conflict);
  test.control.release();
  ASSERT_TRUE(test.answers.reach(3));
  EXPECT_EQ(test.answers.at(1)->novelty, Receipt::Novelty::stored);
  EXPECT_EQ(test.answers.at(2)->novelty, Receipt::Novelty::repeated);
  EXPECT_EQ(test.answers.at(2)->last, 2U);
  test.publish(numbered_events(1, 2), k_key);
  ASSERT_EQ(test.answers.count(), 4U);
  EXPECT_EQ(test.answers.at(3)->novelty, Receipt::Novelty::repeated);
  EXPECT_EQ(test.hub.log().head(), 2U) << "stored once";
}

TEST(HubPublish, AKeyWhoseFirstFailedMayTryAgain) {
  HubTest test;
  test.control.hold();
  test.control.fail_with(Error(Errc::store_full, "no space"));
  test.publish(numbered_events(1, 2), k_key);
  ASSERT_TRUE(test.control.waits_for_append(1));
  test.publish(numbered_events(1, 2), k_key);
  test.control.release();
  ASSERT_TRUE(test.answers.reach(2));
  EXPECT_EQ(test.answers.at(0).error().code, Errc::store_full);
  EXPECT_EQ(test.answers.at(1).error().code, Errc::store_full);
  test.control.fail_with(std::nullopt);
  test.publish(numbered_events(1, 2), k_key);
  ASSERT_TRUE(test.answers.reach(3));
  EXPECT_EQ(test.answers.at(2)->novelty, Receipt::Novelty::stored);
  EXPECT_EQ(test.hub.log().head(), 2U);
}

TEST(HubPublish, AStoreThatFailsFailsEveryBatchOfTheGroupAndNothingIsSent) {
  HubTest test;
  test.control.hold();
  test.control.fail_with(Error(Errc::unavailable, "disk gone"));
  test.publish(numbered_events(1, 1));
  ASSERT_TRUE(test.control.waits_for_append(1));
  test.publish(numbered_events(2, 2));
  test.publish(numbered_events(4, 2));
  test.control.release();
  ASSERT_TRUE(test.answers.reach(3));
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_FALSE(test.answers.at(i).has_value());
    EXPECT_EQ(test.answers.at(i).error().message(), "disk gone");
  }
  EXPECT_EQ(test.hub.log().head(), 0U);
  EXPECT_EQ(test.wakes, 0);
  test.control.fail_with(std::nullopt);
  test.publish(numbered_events(1, 1));
  ASSERT_TRUE(test.answers.reach(4));
  EXPECT_EQ(test.answers.at(3)->first, 1U) << "no seq was used up";
}

TEST(HubPublish, TooManyTypesAreRefusedAtOnce) {
  HubTest test;
  for (std::size_t i = 0; i < k_max_types; ++i)
    ASSERT_TRUE(test.hub.types().intern("t." + std::to_string(i)));
  std::vector<wire::Event> events = numbered_events(1, 1, "t.5");
  events.push_back(numbered_event(2, "one.more"));
  test.publish(events);
  ASSERT_EQ(test.answers.count(), 1U);
  EXPECT_EQ(test.answers.at(0).error().code, Errc::invalid_event);
  test.publish(numbered_events(1, 1, "t.5"));
  ASSERT_TRUE(test.answers.reach(2));
  EXPECT_EQ(test.answers.at(1)->first, 1U) << "nothing of the refused batch was stored";
}

TEST(HubPublish, TheQueueHasALimit) {
  const std::size_t one = numbered_event(1).body.size();
  HubTest test({.queue_bytes = 3 * one});
  test.control.hold();
  test.publish(numbered_events(1, 1));
  ASSERT_TRUE(test.control.waits_for_append(1));
  test.publish(numbered_events(2, 2));
  test.publish(numbered_events(4, 1));
  EXPECT_EQ(test.answers.count(), 0U);
  test.publish(numbered_events(5, 1), k_key);
  ASSERT_EQ(test.answers.count(), 1U);
  EXPECT_EQ(test.answers.at(0).error().code, Errc::unavailable);
  test.control.release();
  ASSERT_TRUE(test.answers.reach(4));
  test.publish(numbered_events(5, 1), k_key);
  ASSERT_TRUE(test.answers.reach(5));
  EXPECT_EQ(test.answers.at(4)->novelty, Receipt::Novelty::stored)
      << "a refused key may come again";
}

TEST(HubReads, ComeFromTheStoreOnAnotherThread) {
  HubTest test;
  test.publish(numbered_events(1, 5));
  ASSERT_TRUE(test.answers.reach(1));
  std::mutex mutex;
  std::vector<std::uint64_t> found;
  const auto say = [&](Result<std::uint64_t> seq) {
    const std::lock_guard lock(mutex);
    found.push_back(seq ? *seq : 999);
  };
  test.hub.read(3, 1u << 20, [&](const Result<std::vector<StoredEvent>>& events) {
    say(events ? events->size() : 999);
  });
  test.hub.locate_last(2, wire::Filter(), say);
  test.hub.locate_time(0, say);
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return found.size() == 3;
  }));
  EXPECT_EQ(found, (std::vector<std::uint64_t>{2, 3, 0}));
}

// Who asked may be gone once the hub has stopped: what it handed over must not be kept.
TEST(HubReads, AreDroppedWithTheirCallbacksByAStop) {
  HubTest test;
  std::mutex gate;
  std::atomic<bool> began{false};
  std::unique_lock closed(gate);
  test.hub.locate_time(0, [&](const Result<std::uint64_t>&) {
    began = true;
    const std::lock_guard wait(gate);
  });
  ASSERT_TRUE(eventually([&] { return began.load(); }));
  auto kept = std::make_shared<int>(1);
  std::atomic<bool> called{false};
  test.hub.locate_time(0, [kept, &called](const Result<std::uint64_t>&) { called = true; });
  std::thread stopper([&] { test.hub.stop(); });
  // Refused publishes show that the stop is under way.
  ASSERT_TRUE(eventually([&] {
    const std::size_t before = test.answers.count();
    test.publish(numbered_events(1, 1));
    return test.answers.count() > before && !test.answers.at(before).has_value();
  }));
  closed.unlock();
  stopper.join();
  EXPECT_FALSE(called);
  EXPECT_EQ(kept.use_count(), 1);
  test.hub.locate_time(0, [kept](const Result<std::uint64_t>&) {});
  EXPECT_EQ(kept.use_count(), 1) << "nor is one kept that came after";
}

}  // namespace
}  // namespace clawws::hub
