// What no broadcaster over TLS can go below on this machine: the CPU time of one SSL_write for each
// client and event, and the heap that one OpenSSL connection takes on the server's side. Clients
// are a child process that reads and throws away.
//   floor CLIENTS EVENTS BYTES        one line of JSON
#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "clawws/base/posix.hpp"
#include "clawws/net/certificate.hpp"
#include "clawws/net/tls_channel.hpp"

namespace {

using clawws::base::UniqueFd;
using clawws::net::IoStatus;
using clawws::net::TlsChannel;

// Paced like the broadcasters' measurement, so that caches are as cold.
constexpr std::chrono::milliseconds k_between_events{20};

struct Connection {
  UniqueFd fd;
  std::unique_ptr<TlsChannel> tls;
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

void wait(int fd, IoStatus status) {
  pollfd waiting{fd, static_cast<short>(status == IoStatus::want_read ? POLLIN : POLLOUT), 0};
  if (::poll(&waiting, 1, 10'000) <= 0) give_up("poll");
}

void handshake(Connection& connection) {
  for (;;) {
    const auto result = connection.tls->handshake_now();
    if (result.status == IoStatus::done) return;
    if (result.status != IoStatus::want_read && result.status != IoStatus::want_write)
      give_up("handshake");
    wait(connection.fd.get(), result.status);
  }
}

void prepare(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// Connects, then reads until the other side closes the last one.
void be_the_clients(const sockaddr_in& address, std::size_t count) {
  clawws::net::ClientTlsConfig trusting;
  trusting.verify = clawws::net::ClientTlsConfig::Verify::none;
  const auto context = clawws::net::make_client_context(trusting).value();
  const UniqueFd epoll(::epoll_create1(0));
  std::vector<Connection> all(count);
  for (Connection& one : all) {
    one.fd.reset(::socket(AF_INET, SOCK_STREAM, 0));
    if (::connect(one.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      give_up("connect");
    prepare(one.fd.get());
    one.tls = std::make_unique<TlsChannel>(one.fd.get(), context, clawws::net::Role::client);
    handshake(one);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &one;
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, one.fd.get(), &event);
  }
  std::array<char, 16 * 1024> buffer;
  for (std::size_t open = count; open > 0;) {
    std::array<epoll_event, 256> events;
    const int ready = ::epoll_wait(epoll.get(), events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      auto& one = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      IoStatus status = IoStatus::done;
      while (status == IoStatus::done)
        status = one.tls->read_now(buffer.data(), buffer.size()).status;
      if (status == IoStatus::want_read) continue;
      one.tls.reset();
      one.fd.reset();
      --open;
    }
  }
}

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::size_t number(const char* text) {
  return std::strtoul(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: floor CLIENTS EVENTS BYTES\n", stderr);
    return 2;
  }
  const std::size_t clients = number(argv[1]), events = number(argv[2]), bytes = number(argv[3]);
  std::signal(SIGPIPE, SIG_IGN);
  const auto pair = clawws::net::make_self_signed({"localhost"}, 1).value();
  const auto context =
      clawws::net::make_server_context(pair.certificate, pair.key, "floor").value();
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0)
    give_up("listen");
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const pid_t child = ::fork();
  if (child == 0) {
    be_the_clients(address, clients);
    return 0;
  }

  std::vector<Connection> all(clients);
  std::size_t heap_before = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    // The first connection also makes what all share.
    if (i == 1) heap_before = ::mallinfo2().uordblks;
    all[i].fd.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!all[i].fd) give_up("accept");
    prepare(all[i].fd.get());
    all[i].tls = std::make_unique<TlsChannel>(all[i].fd.get(), context, clawws::net::Role::server);
    handshake(all[i]);
    all[i].tls->release_buffers();
  }
  const auto heap = static_cast<double>(::mallinfo2().uordblks - heap_before) /
                    static_cast<double>(std::max<std::size_t>(clients, 2) - 1);

  const std::vector<char> event(bytes, 'x');
  const double cpu_before = cpu_seconds();
  for (std::size_t e = 0; e < events; ++e) {
    for (Connection& one : all) {
      for (;;) {
        const auto result = one.tls->write_now(event.data(), event.size());
        if (result.status == IoStatus::done) break;
        if (result.status != IoStatus::want_write) give_up("write");
        wait(one.fd.get(), result.status);
      }
    }
    std::this_thread::sleep_for(k_between_events);  // the pace of the events
  }
  const double each = (cpu_seconds() - cpu_before) * 1e6 / static_cast<double>(clients * events);
  std::printf("{\"sslWriteUs\": %.3f, \"connectionHeapBytes\": %.0f}\n", each, heap);
  all.clear();
  ::waitpid(child, nullptr, 0);
  return 0;
}
