// How many events a store takes, for a person to run: ninja store_rate && tests/store_rate DIR
// [fsync]. Batches of 1,000 and single events of 200 bytes, straight into the store, with the p99
// and p99.9 of one append.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "clawws/hub/sqlite_store.hpp"
#include "support/hub_events.hpp"

namespace {

using clawws::base::SteadyClock;

// Appends `count` times `events` and prints the rate.
void measure(clawws::hub::EventStore& store, const char* name,
             const std::vector<clawws::wire::Event>& events, int count) {
  std::vector<double> micros;
  const auto begin = SteadyClock::now();
  for (int i = 0; i < count; ++i) {
    const auto before = SteadyClock::now();
    if (!store.append(events)) {
      std::puts("append failed");
      return;
    }
    micros.push_back(
        std::chrono::duration<double, std::micro>(SteadyClock::now() - before).count());
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double part) {
    return micros[static_cast<std::size_t>(part * static_cast<double>(micros.size() - 1))];
  };
  std::printf(
      "%-18s %9.0f appends/s %9.0f events/s   p50 %.0f us  p99 %.0f us  p99.9 %.0f us  max %.0f "
      "us\n",
      name, count / seconds, static_cast<double>(events.size()) * count / seconds, at(0.5),
      at(0.99), at(0.999), at(1));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::puts("usage: store_rate DIR [fsync]");
    return 2;
  }
  const bool fsync = argc > 2 && std::string(argv[2]) == "fsync";
  clawws::hub::SqliteStoreConfig config;
  config.directory = argv[1];
  config.durability = fsync ? clawws::hub::Durability::fsync : clawws::hub::Durability::written;
  config.tell = [](clawws::base::LogLevel, std::string_view text) {
    std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  };
  clawws::hub::SqliteStore store(config);
  const auto opened = store.open([](std::uint64_t, std::span<const clawws::wire::Event>) {});
  if (!opened) {
    std::puts(opened.error().message().c_str());
    return 1;
  }
  std::vector<clawws::wire::Event> batch;
  for (std::uint64_t n = 0; n < 1'000; ++n)
    batch.push_back(clawws::test::numbered_event(n, "agent.status", 95));
  std::printf("event of %zu bytes\n", batch.front().body.size());
  measure(store, "batches of 1,000", batch, fsync ? 500 : 1'000);
  measure(store, "single events", {batch.front()}, fsync ? 5'000 : 200'000);
  return 0;
}
