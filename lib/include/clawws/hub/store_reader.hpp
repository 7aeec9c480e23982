// What may wait for the store's disk, on a thread of its own: looking for positions, histories, and
// the replay of older events to those who were away.
//
// Many come back at once after a drop, from positions close to each other. So a stretch of the log
// is read once: it is kept for a while as ready-made frames, and whoever asks for a place inside it
// gets the same frames from at_hand(), without the disk. What has to be read counts against its
// user's allowance, and users take turns, so that one who was away for long slows nobody else.
//
// Any thread; callbacks come on the reader's own and must not block.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "clawws/base/time.hpp"
#include "clawws/hub/catch_up.hpp"
#include "clawws/hub/event_store.hpp"
#include "clawws/hub/type_table.hpp"

namespace clawws::hub {

class StoreReader {
 public:
  struct Limits {
    std::uint64_t events_a_second = 20'000;  // read for the replays of one user; 0: as many as can be
    std::size_t chunk_bytes = 64 * 1024;     // of bodies
    std::size_t kept_bytes = 4u << 20;       // of frames at hand
  };

  StoreReader(const EventStore& store, TypeTable& types, const Limits& limits);
  ~StoreReader();

  void start();
  // Drops all that waits, without a call; nothing new is taken.
  void cancel();
  // The same, and the thread has ended when it returns.
  void stop();
  // Runs `job` after those that came before. Dropped when the reader does not run.
  void run(std::function<void()> job);

  // Frames that hold what matches behind `after`, if a replay of late has read them: those up to
  // `after` may be among them. Inline.
  std::shared_ptr<const Chunk> at_hand(const wire::Filter& filter, std::uint64_t after) const;
  // The same from the store; never a chunk that ends at `after` or before it, unless the log ends
  // there. `last_match` is the newest match up to `after`, 0 when none is known. Errors as
  // EventStore::read has them.
  using ReplayDone = std::function<void(base::Result<std::shared_ptr<const Chunk>>)>;
  void replay(wire::Filter filter, std::uint64_t after, std::uint64_t last_match, const std::string& user, ReplayDone done);
  // How often a replay had to read.
  std::uint64_t reads() const;

 private:
  struct Replay {
    wire::Filter filter;
    std::uint64_t after;
    std::uint64_t last_match;
    ReplayDone done;
  };
  struct User {
    std::deque<Replay> waiting;
    double allowance;  // events; below 0 it has to wait
    base::SteadyTime filled;
  };
  struct Kept {
    std::string filter;
    std::uint64_t from;
    std::shared_ptr<const Chunk> chunk;
  };
  using Place = std::pair<std::string, std::uint64_t>;  // of a chunk: its filter's key, from where it was read

  void loop();
  // The user whose turn it is; else when the next one's comes.
  std::map<std::string, User>::iterator next_user(base::SteadyTime now, base::SteadyTime& at);
  void fill(User& user, base::SteadyTime now) const;
  base::Result<std::shared_ptr<const Chunk>> read(const Replay& replay, std::size_t& events);
  std::shared_ptr<const Chunk> find(const std::string& filter, std::uint64_t after) const;
  void keep(Kept kept);

  const EventStore& store_;
  TypeTable& types_;
  const Limits limits_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  bool running_ = false;
  std::deque<std::function<void()>> jobs_;
  std::map<std::string, User> users_;
  std::string last_user_;  // whose replay ran last
  std::map<Place, std::list<Kept>::iterator> places_;
  std::list<Kept> kept_;   // oldest first
  std::size_t kept_bytes_ = 0;
  std::uint64_t reads_ = 0;
  std::thread thread_;
};

}  // namespace clawws::hub
