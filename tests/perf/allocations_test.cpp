// What one more delivery costs in memory allocations: nothing. A server in this process, the same
// events once with few and once with many clients; what the server's threads allocate in between
// may grow with the events, never with the clients. OpenSSL's own allocations go through malloc and
// are not seen.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "support/test_server.hpp"

namespace {

std::atomic<std::uint64_t> g_allocations{0};  // by threads that did not opt out
thread_local bool t_is_client = false;        // the test's thread, which plays all clients

void* counted(std::size_t bytes) {
  if (!t_is_client) g_allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace clawws::test {
namespace {

constexpr std::size_t k_few = 10;
constexpr std::size_t k_many = 150;
constexpr std::size_t k_events = 300;

struct Cost {
  std::uint64_t allocations = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t frames_encoded = 0;
};

// Publishes one event after the other, each read by all clients before the next.
void deliver(TestServer& server, std::vector<std::unique_ptr<RawPeer>>& clients,
             std::size_t events) {
  for (std::size_t event = 0; event < events; ++event) {
    server.publish(1);
    for (const auto& client : clients) {
      const auto frame = client->read_frame();
      ASSERT_TRUE(frame.has_value());
      ASSERT_NE(frame->payload.find("agent.status"), std::string::npos) << frame->payload;
    }
  }
}

Cost cost_of(std::size_t count, std::string_view target) {
  TestServer server;
  std::vector<std::unique_ptr<RawPeer>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(server.subscriber(target));
    EXPECT_TRUE(clients.back()->read_frame().has_value()) << "no welcome";
  }
  deliver(server, clients, 20);  // segments, caches and vectors are there from here on
  const std::uint64_t allocations = g_allocations;
  const std::uint64_t deliveries = server->counters().deliveries;
  const std::uint64_t encoded = server->hub().frames_encoded();
  deliver(server, clients, k_events);
  return {g_allocations - allocations, server->counters().deliveries - deliveries,
          server->hub().frames_encoded() - encoded};
}

class Allocations : public testing::TestWithParam<const char*> {};

TEST_P(Allocations, do_not_grow_with_the_number_of_clients) {
  t_is_client = true;
  const Cost few = cost_of(k_few, GetParam());
  const Cost many = cost_of(k_many, GetParam());
  EXPECT_GT(few.allocations, 0u) << "nothing was counted";
  // A client reads before the server has counted, so that the last ones may be missing.
  EXPECT_GE(many.deliveries + k_many, k_many * k_events);
  EXPECT_EQ(few.frames_encoded, k_events);
  EXPECT_EQ(many.frames_encoded, k_events);
  const double more = static_cast<double>(many.allocations) - static_cast<double>(few.allocations);
  const double each = more / static_cast<double>(many.deliveries - few.deliveries);
  RecordProperty("allocations_few", std::to_string(few.allocations));
  RecordProperty("allocations_many", std::to_string(many.allocations));
  std::printf("%s: %llu allocations for %llu deliveries, %llu for %llu\n", GetParam(),
              static_cast<unsigned long long>(few.allocations),
              static_cast<unsigned long long>(few.deliveries),
              static_cast<unsigned long long>(many.allocations),
              static_cast<unsigned long long>(many.deliveries));
  // How often a shard is woken for an event varies by a few.
  EXPECT_LT(each, 0.02);
}

INSTANTIATE_TEST_SUITE_P(views, Allocations, testing::Values("/ws", "/ws?types=agent.*"),
                         [](const auto& target) { return target.index == 0 ? "everything" : "filtered"; });

}  // namespace
}  // namespace clawws::test
