// The generator's own plumbing: answers over HTTP, its event loop, where connections come from.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "clawws/bench/http_reader.hpp"
#include "clawws/bench/loop.hpp"
#include "clawws/bench/process.hpp"
#include "clawws/bench/target.hpp"
#include "support/eventually.hpp"

namespace clawws::bench {
namespace {

using std::chrono::milliseconds;

TEST(BenchHttpReader, ReadsAnswersOneAfterTheOtherAtEveryCut) {
  const std::string bytes =
      "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-A: b\r\n\r\nfirst"
      "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    HttpReader reader;
    std::string seen;
    for (const std::string& part : {bytes.substr(0, cut), bytes.substr(cut)}) {
      reader.feed(part);
      while (reader.next() == HttpReader::Step::done)
        seen += std::to_string(reader.status()) + reader.body() + reader.field("retry-after") + ";";
    }
    EXPECT_EQ(seen, "201first;5037;") << "cut at " << cut;
  }
}

TEST(BenchHttpReader, LeavesWhatStandsBehindAnUpgrade) {
  HttpReader reader;
  reader.feed("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x02hi");
  ASSERT_EQ(reader.next(), HttpReader::Step::done);
  EXPECT_EQ(reader.status(), 101);
  EXPECT_EQ(reader.rest(), "\x81\x02hi");
}

TEST(BenchHttpReader, WhatIsNoHttpIsBroken) {
  HttpReader reader;
  reader.feed("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  EXPECT_EQ(reader.next(), HttpReader::Step::broken);
  reader.reset();
  reader.feed("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(reader.next(), HttpReader::Step::done);
}

TEST(BenchLoop, RunsTimersInOrderAndNotBeforeTheirTime) {
  Loop loop;
  loop.start();
  const Nanos begin = steady_now();
  std::vector<std::pair<int, Nanos>> ran;
  std::promise<void> done;
  loop.post([&] {
    const auto note = [&](int number) { ran.emplace_back(number, steady_now() - begin); };
    loop.at(begin + milliseconds(20), [&, note] {
      note(2);
      done.set_value();
    });
    loop.at(begin + milliseconds(10), [note] { note(1); });
    loop.at(begin - milliseconds(10), [note] { note(0); });
  });
  done.get_future().wait();
  ASSERT_EQ(ran.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ran[static_cast<std::size_t>(i)].first, i);
    EXPECT_GE(ran[static_cast<std::size_t>(i)].second, milliseconds(10 * i));
  }
}

TEST(BenchLoop, TellsItsSourcesAndHowLongTheyTook) {
  struct Reader final : Loop::Source {
    explicit Reader(int pipe_end) : fd(pipe_end) {}
    void on_ready(std::uint32_t) override {
      char byte = 0;
      const Nanos until = steady_now() + milliseconds(3);
      while (steady_now() < until) continue;
      if (::read(fd, &byte, 1) == 1) read.set_value(byte);
    }
    int fd;
    std::promise<char> read;
  };
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Reader reader(ends[0]);
  {
    Loop loop;
    loop.start();
    loop.call([&] { loop.add(ends[0], reader, 1); });  // EPOLLIN
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    EXPECT_EQ(reader.read.get_future().get(), 'x');
    Nanos lag{0};
    loop.call([&] { lag = loop.lag().max(); });
    EXPECT_GE(lag, milliseconds(3));
    EXPECT_GE(loop.cpu_time(), milliseconds(2));
    loop.call([&] { loop.remove(ends[0]); });
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

std::unique_ptr<Target> target_at(const char* bytes) {
  auto target = std::make_unique<Target>();
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  std::memcpy(&v4.sin_addr, bytes, 4);
  std::memcpy(&target->address, &v4, sizeof v4);
  return target;
}

std::string source_of(const Target& target, std::size_t index) {
  const sockaddr_storage source = source_address(target, index);
  if (source.ss_family != AF_INET) return "any";
  sockaddr_in v4{};
  std::memcpy(&v4, &source, sizeof v4);
  const std::uint32_t address = ntohl(v4.sin_addr.s_addr);
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

TEST(BenchTarget, LoopbackConnectionsComeFromManyAddresses) {
  const auto loopback = target_at("\x7f\x00\x00\x01");
  EXPECT_TRUE(loopback->is_loopback());
  EXPECT_EQ(source_of(*loopback, 0), "127.1.0.1");
  EXPECT_EQ(source_of(*loopback, 99), "127.1.0.1");
  EXPECT_EQ(source_of(*loopback, 100), "127.1.0.2");
  EXPECT_EQ(source_of(*loopback, 24'999), "127.1.0.250");
  EXPECT_EQ(source_of(*loopback, 25'000), "127.1.1.1");
  EXPECT_EQ(source_of(*target_at("\xc0\x00\x02\x01"), 0), "any");
}

TEST(BenchTarget, AsksForAPlaceInTheStreamBesideTheUrlsOwnQuery) {
  for (const auto& [query, line] :
       {std::pair{"", "GET /ws?since=e:5 HTTP/1.1\r\n"},
        std::pair{"types=bench.*", "GET /ws?types=bench.*&since=e:5 HTTP/1.1\r\n"}}) {
    auto ws = std::make_shared<net::WsTarget>();
    ws->url = {"wss", "localhost", 8'443, "/ws", query};
    Target target;
    target.ws = ws;
    target.upgrade_request = "GET " + ws->url.target() + " HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(target.upgrade_request_with("since=e:5"), line + std::string("Host: x\r\n\r\n"));
    EXPECT_EQ(target.upgrade_request_with(""), target.upgrade_request);
  }
}

TEST(BenchTarget, KnowsWhetherSomethingListens) {
  const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto target = target_at("\x7f\x00\x00\x01");
  socklen_t size = target->address_bytes = sizeof(sockaddr_in);
  auto* const address = reinterpret_cast<sockaddr*>(&target->address);
  ASSERT_EQ(::bind(listener.get(), address, size), 0);
  ASSERT_EQ(::getsockname(listener.get(), address, &size), 0);
  EXPECT_FALSE(is_listening(*target));
  ASSERT_EQ(::listen(listener.get(), 5), 0);
  EXPECT_TRUE(is_listening(*target));
}

TEST(BenchProcess, StartsTheSameAgainWithItsPort) {
  auto process =
      ServerProcess::start("echo \"$CLAWWS_STATE_DIR $CLAWWS_LISTEN\"; exec tail -f /dev/null");
  ASSERT_TRUE(process.has_value()) << process.error().message();
  ServerProcess& server = **process;
  const std::string line = server.state_dir().string() + " 127.0.0.1:";
  const auto says = [&](const std::string& text) {
    return test::eventually([&] { return server.log_tail() == text; });
  };
  EXPECT_TRUE(says(line + "0\n")) << server.log_tail();
  EXPECT_TRUE(server.is_running());
  server.send(SIGKILL);
  EXPECT_TRUE(test::eventually([&] { return !server.is_running(); }));
  ASSERT_TRUE(server.start_again(8'443).has_value());
  EXPECT_TRUE(says(line + "0\n" + line + "8443\n")) << server.log_tail();
  EXPECT_TRUE(server.is_running());
}

TEST(BenchProcess, KnowsItsOwnUse) {
  const auto use = process_use(::getpid());
  ASSERT_TRUE(use.has_value());
  EXPECT_GT(use->cpu, Nanos(0));
  EXPECT_GT(use->rss_bytes, 1'000'000U);
  EXPECT_GE(use->peak_rss_bytes, use->rss_bytes);
  EXPECT_FALSE(process_use(0x7ffffff0).has_value());
}

}  // namespace
}  // namespace clawws::bench
