// Checks "no acknowledged event is ever lost, and no hole is ever silent" on a real server process
// that is killed again and again.
//
//   fault_check --serve PATH [--loops N] [--seed S]
//
// Publishers send batches, some with idempotency keys, and those repeat each until it is
// acknowledged; what was acknowledged is the ledger. Subscribers, some filtered, resume by themselves, leave and come back
// from their position, or stop reading for a while. Each loop lets them work for a random time and
// then ends the server, mostly by SIGKILL, which now and then falls between a commit and its answer.
// In the end every subscriber must hold every acknowledged event that matches its filter, once, in
// order, with the text that was published; nobody may have been told of a gap; the epoch is the same.
//
// The seed decides everything but the machine's timing. Exit 0: held; 1: did not, with what and where.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "clawws/base/text.hpp"
#include "clawws/client/session.hpp"
#include "clawws/net/server_record.hpp"
#include "clawws/net/tls_context.hpp"
#include "support/eventually.hpp"
#include "support/raw_peer.hpp"
#include "support/temp_dir.hpp"

namespace clawws::test {
namespace {

namespace asio = boost::asio;
using base::Millis;
using nlohmann::json;

// ---- the server ---------------------------------------------------------------------------------

class ServeProcess {
 public:
  ServeProcess(std::string program, std::filesystem::path state_dir)
      : program_(std::move(program)), state_dir_(std::move(state_dir)) {}
  ~ServeProcess() {
    if (pid_ > 0) end(SIGKILL);
  }
  ServeProcess(const ServeProcess&) = delete;
  ServeProcess& operator=(const ServeProcess&) = delete;

  // Until it has said where it listens; false when it ended instead.
  bool start() {
    const std::string listen = "127.0.0.1:" + std::to_string(port_);
    const std::string state = state_dir_.string();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execl(program_.c_str(), program_.c_str(), "--listen", listen.c_str(), "--state-dir", state.c_str(), "--retain-events",
              "100m", "--quiet", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    const bool up = eventually(
        [&] {
          const auto record = net::read_server_record(state_dir_);
          if (record && record->pid == pid_) {
            port_ = record->port;
            pin_ = record->pin;
            return true;
          }
          return ::waitpid(pid_, nullptr, WNOHANG) == pid_;
        },
        std::chrono::seconds(60));
    const auto record = net::read_server_record(state_dir_);
    return up && record && record->pid == pid_;
  }
  void end(int signal) {
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  std::uint16_t port() const { return port_; }
  const std::string& pin() const { return pin_; }
  std::string login() const {
    const std::string line = base::read_file(state_dir_ / "password", 4'096).value();
    return "admin:" + line.substr(0, line.find('\n'));
  }

 private:
  const std::string program_;
  const std::filesystem::path state_dir_;
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
  std::string pin_;
};

// ---- what must be there -------------------------------------------------------------------------

struct Entry {
  std::string id;
  std::string type;
};

class Ledger {
 public:
  void acknowledged(std::uint64_t first, const std::vector<Entry>& events) {
    const std::lock_guard lock(mutex_);
    for (const Entry& event : events) {
      const auto [place, is_new] = entries_.emplace(first++, event);
      if (!is_new) problems_.push_back("position " + std::to_string(place->first) + " was given to " + place->second.id + " and to " + event.id);
    }
  }
  void complain(std::string problem) {
    const std::lock_guard lock(mutex_);
    problems_.push_back(std::move(problem));
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  const std::map<std::uint64_t, Entry>& entries() const { return entries_; }  // once nobody publishes
  std::vector<std::string>& problems() { return problems_; }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;
  std::vector<std::string> problems_;
};

// ---- publishers ---------------------------------------------------------------------------------

// One thread; batches of 1 to 12. With keys each is repeated until it is acknowledged; without, who
// gets no answer does not know, and goes on with the next. A user may have 10,000 keys at a time, so
// those with keys take their time.
class Publisher {
 public:
  enum class Keys : std::uint8_t { with, without };

  Publisher(int number, Keys keys, std::uint32_t seed, const ServeProcess& server, Ledger& ledger)
      : keys_(keys), name_("p" + std::to_string(number)), random_(seed), port_(server.port()), login_(basic(server.login())), ledger_(ledger) {
    thread_ = std::thread([this] { run(); });
  }
  // Ends after the batch that is under way.
  void finish() {
    {
      const std::lock_guard lock(mutex_);
      finishing_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  std::uint64_t repeats = 0;       // batches sent more than once
  std::uint64_t found_stored = 0;  // of those, committed although the answer never came

 private:
  std::string key(std::uint64_t batch) const {
    return keys_ == Keys::without ? "" : "Idempotency-Key: " + name_ + "-" + std::to_string(batch) + "\r\n";
  }

  bool pause(Millis time) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, time, [this] { return finishing_; });
  }

  void run() {
    const std::uint32_t longest = keys_ == Keys::with ? 100 : 8;
    for (std::uint64_t batch = 1; pause(Millis(1 + random_() % longest)); ++batch) publish(batch);
  }

  void publish(std::uint64_t batch) {
    std::vector<Entry> events;
    std::string body = "[";
    for (std::uint32_t i = 0, count = 1 + random_() % 12; i < count; ++i) {
      const std::string id = name_ + "-" + std::to_string(batch) + "-" + std::to_string(i);
      static constexpr std::pair<const char*, const char*> k_kinds[] = {
          {"agent.status", R"("status":"idle","agentId":")"}, {"session.created", R"("sessionKey":")"}, {"bench.sample", R"("x":")"}};
      const auto& [type, members] = k_kinds[random_() % 3];
      events.push_back({id, type});
      body += std::string(i == 0 ? "" : ",") + R"({"type":")" + type + R"(","payload":{"id":")" + id + "\"," + members + id + "\"}}";
    }
    body += "]";
    const std::string request = "POST /clawws/events HTTP/1.1\r\nHost: localhost\r\n" + login_ + key(batch) + "Content-Type: application/json\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body;
    for (int attempt = 0;; ++attempt) {
      const std::optional<HttpAnswer> answer = exchange(request);
      if (answer && (answer->status == 200 || answer->status == 201)) {
        const json receipt = json::parse(answer->body, nullptr, false);
        ledger_.acknowledged(receipt.value("first", 0ULL), events);
        if (receipt.value("count", 0ULL) != events.size()) ledger_.complain("a receipt has another count: " + answer->body);
        repeats += attempt > 0 ? 1 : 0;
        found_stored += answer->status == 200 ? 1 : 0;
        return;
      }
      if (answer && answer->status != 503) {
        ledger_.complain("publishing was answered " + std::to_string(answer->status) + ": " + answer->body);
        return;
      }
      if (attempt > 3'000) {
        ledger_.complain("publishing did not work for a minute");
        return;
      }
      peer_.reset();
      if (keys_ == Keys::without) return;
      std::this_thread::sleep_for(Millis(5 + random_() % 20));  // a client's pace of retries
    }
  }

  std::optional<HttpAnswer> exchange(const std::string& request) {
    try {
      if (!peer_) {
        auto peer = std::make_unique<RawPeer>(port_);
        if (!peer->handshake()) return std::nullopt;
        peer_ = std::move(peer);
      }
      if (!peer_->send(request)) return std::nullopt;
      return peer_->read_answer();
    } catch (const std::runtime_error&) {
      return std::nullopt;  // nobody listens: as good as no answer
    }
  }

  const Keys keys_;
  const std::string name_;
  std::mt19937 random_;
  const std::uint16_t port_;
  const std::string login_;
  Ledger& ledger_;
  std::unique_ptr<RawPeer> peer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool finishing_ = false;
  std::thread thread_;
};

// ---- subscribers --------------------------------------------------------------------------------

// All on the one thread of `io`, but for what is said to be of any thread.
class Subscriber : client::SessionEvents {
 public:
  Subscriber(asio::io_context& io, std::string name, std::vector<std::string> types, std::uint32_t seed,
             std::shared_ptr<const net::WsTarget> target, std::string authorization, Ledger& ledger)
      : io_(io), name_(std::move(name)), ledger_(ledger) {
    for (const std::string& type : types) wanted_.insert(type);
    config_.prepare = [target = std::move(target), authorization = std::move(authorization)]() -> base::Result<client::Attempt> {
      return client::Attempt{target, authorization, "", "", {}};
    };
    config_.prepare_on = client::SessionConfig::Prepare::inline_;
    config_.reconnect.backoff = {Millis(5), Millis(40), Millis(120'000), Millis(40), Millis(1)};
    config_.reconnect.first_connect = client::ReconnectConfig::FirstConnect::wait;
    config_.stream.types = std::move(types);
    config_.stream.since.kind = wire::Since::Kind::earliest;
    config_.seed = seed;
    start();
  }
  // Goes, and comes back from where it was as another process would.
  void leave_and_return() {
    if (!session_->tracker().has_position()) return;
    config_.stream.since = {};
    config_.stream.since.kind = wire::Since::Kind::position;
    config_.stream.since.position = session_->tracker().position();
    session_.reset();
    start();
  }
  void stop_reading() { session_->hold(); }
  void read_again() { session_->release(); }
  void end() { session_.reset(); }

  bool wants(const std::string& type) const { return wanted_.empty() || wanted_.count(type) != 0; }
  std::atomic<std::uint64_t> newest{0};  // any thread

  // Once nothing runs any more.
  void compare() {
    auto held = events_.begin();
    std::size_t missing = 0;
    for (const auto& [seq, entry] : ledger_.entries()) {
      if (!wants(entry.type)) continue;
      while (held != events_.end() && held->first < seq) ++held;  // never acknowledged, since its publisher ended
      if (held == events_.end() || held->first != seq) {
        if (++missing <= 3) ledger_.complain(name_ + " misses " + std::to_string(seq) + " (" + entry.id + ")");
      } else if (held->second != entry.id) {
        ledger_.complain(name_ + " has " + held->second + " at " + std::to_string(seq) + ", which is " + entry.id);
      }
    }
    if (missing > 3) ledger_.complain(name_ + " misses " + std::to_string(missing) + " in all");
  }

 private:
  void start() {
    session_.emplace(io_.get_executor(), config_, static_cast<client::SessionEvents&>(*this));
    session_->start();
  }
  void on_event(const wire::ServerMessage& message, std::string_view text, const client::Step&) override {
    const json event = json::parse(text, nullptr, false);
    const std::string id = event.is_object() ? event["payload"].value("id", "") : "";
    if (!events_.empty() && message.seq <= events_.back().first) {
      ledger_.complain(name_ + " got " + std::to_string(message.seq) + " behind " + std::to_string(events_.back().first));
    }
    if (!wants(message.type)) ledger_.complain(name_ + " got a " + message.type);
    events_.emplace_back(message.seq, id);
    newest = message.seq;
  }
  void on_welcome(const wire::ServerMessage& message) override {
    if (epoch_.empty()) epoch_ = message.start.epoch;
    if (epoch_ != message.start.epoch) ledger_.complain(name_ + " was told of epoch " + message.start.epoch + " after " + epoch_);
  }
  void on_gap(const client::Gap& gap) override {
    ledger_.complain(name_ + " was told of a gap behind " + std::to_string(gap.from.seq) + ", up to " + std::to_string(gap.to.seq));
  }
  void on_end(base::Errc, const std::string& reason) override { ledger_.complain(name_ + " ended: " + reason); }

  asio::io_context& io_;
  const std::string name_;
  Ledger& ledger_;
  std::set<std::string> wanted_;  // empty: everything
  client::SessionConfig config_;
  std::optional<client::Session> session_;
  std::vector<std::pair<std::uint64_t, std::string>> events_;
  std::string epoch_;
};

// ---- the run ------------------------------------------------------------------------------------

int run(const std::string& program, int loops, std::uint32_t seed) {
  ::signal(SIGPIPE, SIG_IGN);
  std::mt19937 random(seed);
  const TempDir dir;
  ServeProcess server(program, dir.path() / "state");
  if (!server.start()) {
    std::fprintf(stderr, "the server did not start\n");
    return 1;
  }
  Ledger ledger;
  net::WsTarget target;
  target.url = net::parse_url("wss://127.0.0.1:" + std::to_string(server.port()) + "/ws").value();
  target.tls.pins = {server.pin()};
  target.tls.verify = net::ClientTlsConfig::Verify::pin_only;
  const std::string authorization = "Basic " + base::base64_encode(server.login());
  const auto shared_target = net::make_ws_target(target).value();

  asio::io_context io(1);
  auto work = asio::make_work_guard(io);
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  const std::vector<std::vector<std::string>> filters{
      {}, {}, {}, {"agent.status"}, {"session.created", "bench.sample"}, {"bench.sample"}};
  for (std::size_t i = 0; i < filters.size(); ++i) {
    subscribers.push_back(std::make_unique<Subscriber>(io, "subscriber " + std::to_string(i), filters[i], random(), shared_target,
                                                       authorization, ledger));
  }
  std::thread clients([&] { io.run(); });
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (int i = 0; i < 5; ++i) {
    const auto keys = i < 3 ? Publisher::Keys::with : Publisher::Keys::without;
    publishers.push_back(std::make_unique<Publisher>(i, keys, random(), server, ledger));
  }

  int kills = 0, stops = 0;
  bool up = true;
  for (int loop = 0; loop < loops && up; ++loop) {
    Subscriber* stalled = random() % 3 == 0 ? subscribers[random() % subscribers.size()].get() : nullptr;
    Subscriber* leaves = random() % 3 == 0 ? subscribers[random() % subscribers.size()].get() : nullptr;
    if (stalled) asio::post(io, [stalled] { stalled->stop_reading(); });
    // The pace of kills: the time is what is random here, not something that is waited for.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 80'000));
    if (leaves) asio::post(io, [leaves] { leaves->leave_and_return(); });
    if (random() % 10 == 0) {
      server.end(SIGTERM);
      ++stops;
    } else {
      server.end(SIGKILL);
      ++kills;
    }
    up = server.start();
    if (!up) ledger.complain("the server did not start again in loop " + std::to_string(loop));
    if (stalled) asio::post(io, [stalled] { stalled->read_again(); });
    if (loops >= 100 && (loop + 1) % 100 == 0) std::fprintf(stderr, "%d loops, %zu events acknowledged\n", loop + 1, ledger.size());
  }
  std::uint64_t repeats = 0, found_stored = 0;
  for (const auto& publisher : publishers) {
    publisher->finish();
    repeats += publisher->repeats;
    found_stored += publisher->found_stored;
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(up ? 60 : 0);
  for (const auto& subscriber : subscribers) {
    std::uint64_t last = 0;
    for (const auto& [seq, entry] : ledger.entries()) {
      if (subscriber->wants(entry.type)) last = seq;
    }
    const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now());
    if (!eventually([&] { return subscriber->newest >= last; }, left)) {
      ledger.complain("a subscriber ends at " + std::to_string(subscriber->newest) + ", the ledger at " + std::to_string(last));
    }
  }
  std::promise<void> ended;
  asio::post(io, [&] {
    for (const auto& subscriber : subscribers) subscriber->end();
    ended.set_value();
  });
  ended.get_future().get();
  work.reset();
  io.stop();
  clients.join();
  for (const auto& subscriber : subscribers) subscriber->compare();
  if (ledger.size() == 0) ledger.complain("nothing was acknowledged");

  std::printf("seed %u: %d kills, %d stops, %zu events acknowledged to 5 publishers; %llu batches sent again, %llu of them were "
              "stored already; %zu subscribers\n",
              seed, kills, stops, ledger.size(), static_cast<unsigned long long>(repeats), static_cast<unsigned long long>(found_stored),
              subscribers.size());
  const std::vector<std::string>& problems = ledger.problems();
  for (std::size_t i = 0; i < std::min<std::size_t>(problems.size(), 20); ++i) std::printf("  %s\n", problems[i].c_str());
  std::printf(problems.empty() ? "held: nothing lost, nothing twice, in order\n" : "DID NOT HOLD: %zu findings\n", problems.size());
  return problems.empty() ? 0 : 1;
}

}  // namespace
}  // namespace clawws::test

int main(int argc, char** argv) {
  CLI::App app("Kills a server again and again, and checks that nothing acknowledged is lost");
  std::string program;
  int loops = 20;
  std::uint32_t seed = std::random_device{}();
  app.add_option("--serve", program, "the clawws-serve to run")->required()->check(CLI::ExistingFile);
  app.add_option("--loops", loops, "how often the server is ended")->check(CLI::Range(1, 1'000'000));
  app.add_option("--seed", seed, "of a run that is to be seen again");
  CLI11_PARSE(app, argc, argv);
  return clawws::test::run(program, loops, seed);
}
