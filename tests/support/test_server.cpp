#include "support/test_server.hpp"

#include <condition_variable>
#include <mutex>


namespace clawws::test {

void TestServer::publish(std::size_t count, std::string_view type, std::size_t padding) {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t answered = 0;
  std::size_t batches = 0;
  for (std::size_t done = 0; done < count;) {
    std::vector<wire::Event> events;
    for (; done < count && events.size() < 1000; ++done) {
      wire::Event event;
      event.type = type;
      event.body = "{\"type\":\"" + std::string(type) +
                   "\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"payload\":{\"agentId\":\"a\",\"status\":\"idle\","
                   "\"taskCount\":" + std::to_string(done) + ",\"pad\":\"" + std::string(padding, 'x') + "\"}";
      events.push_back(std::move(event));
    }
    ++batches;
    server_->hub().publish(std::move(events), std::nullopt, [&](base::Result<hub::Receipt> receipt) {
      EXPECT_TRUE(receipt.has_value());
      const std::lock_guard lock(mutex);
      ++answered;
      changed.notify_one();
    });
    // One batch at a time, so that the queue's limit is never met.
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return answered == batches; });
  }
}

}  // namespace clawws::test
