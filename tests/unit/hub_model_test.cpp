// Log, views, chunks and cursors together, held against a trivial model: a vector of events.
//
// A Reader below does what a server's session does: it sends what stands at its cursor in steps
// that end at frame boundaries, repeats a pending step unchanged, lets go of evicted segments, goes
// on in chunks of the log or of the store, and joins its view again. Whatever the order in which
// events arrive, memory is given up and readers come and go: each gets every event that matches its
// filter exactly once, in order, with the `prev` that is true or 0 where none can be known.
//
// CLAWWS_TEST_SEED=N repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include "clawws/base/posix.hpp"
#include "clawws/hub/catch_up.hpp"
#include "clawws/hub/memory_store.hpp"
#include "clawws/hub/view.hpp"
#include "support/hub_events.hpp"

namespace clawws::hub {
namespace {

std::uint64_t chosen_seed() {
  const std::string given = base::environment("CLAWWS_TEST_SEED");
  const std::uint64_t seed =
      given.empty() ? std::random_device{}() : std::strtoull(given.c_str(), nullptr, 10);
  std::printf("seed: CLAWWS_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(engine_);
  }
  bool once_in(std::uint64_t times) { return between(1, times) == 1; }
  template <class List>
  const auto& one_of(const List& list) {
    return list[between(0, std::size(list) - 1)];
  }

 private:
  std::mt19937_64 engine_;
};

constexpr std::string_view k_types[] = {"session.created", "session.killed", "agent.status",
                                        "cron.executed",   "gateway.status", "deploy.done"};
const std::vector<std::vector<std::string>> k_filters = {
    {"*"}, {"session.*"}, {"agent.status"}, {"session.killed", "cron.*"}, {"deploy.*"},
    {},    {"*.status"}};

constexpr FrameLog::Limits k_log_limits{8 * 1024, 96 * 1024};
constexpr std::uint64_t k_retained_bytes = 400 * 1024;

// Everything that one server shares: the store, the log, and the model of what both must hold.
struct World {
  explicit World(Random& r)
      : random(r), store(Retention{.bytes = k_retained_bytes}), log(k_log_limits, 0) {
    EXPECT_TRUE(store.open([this](std::uint64_t first, std::span<const wire::Event> events) {
      char tail[32];
      for (const wire::Event& event : events) {
        log.append(first, *types.intern(event.type), event.body, write_seq(tail, first));
        ++first;
      }
    }));
  }

  void append_batch() {
    std::vector<wire::Event> batch;
    for (std::uint64_t left = random.between(1, 25); left > 0; --left) {
      // Most are small, some fill a segment, a few are larger than any.
      const std::uint64_t padding = random.once_in(40)    ? random.between(4'000, 9'000)
                                    : random.once_in(400) ? random.between(30'000, 90'000)
                                                          : random.between(0, 300);
      batch.push_back(test::numbered_event(model.size() + 1, random.one_of(k_types), padding));
      model.push_back(batch.back());
    }
    EXPECT_TRUE(store.append(batch).has_value());
  }
  std::uint64_t newest() const { return model.size(); }
  const wire::Event& event(std::uint64_t seq) const { return model[seq - 1]; }

  Random& random;
  std::vector<wire::Event> model;
  MemoryStore store;
  FrameLog log;
  TypeTable types;
};

// What the tests must have seen, so that a change of numbers does not make them empty.
struct Seen {
  std::uint64_t frames = 0;
  std::uint64_t detached = 0;  // cursors whose segment was dropped
  std::uint64_t log_chunks = 0;
  std::uint64_t store_chunks = 0;
  std::uint64_t rejoined = 0;    // from a chunk back into the view
  std::uint64_t too_late = 0;    // position no longer kept
  std::uint64_t cut_frames = 0;  // steps that ended inside a frame
};

class Reader {
 public:
  Reader(World& world, Seen& seen, std::shared_ptr<View> view, std::uint64_t position)
      : world_(world), seen_(seen), view_(std::move(view)) {
    go_to(position);
  }

  bool ended() const { return ended_; }

  // Another filter, from here on.
  void change_to(std::shared_ptr<View> view) {
    if (pending_ != 0 || !cursor_.at_boundary()) return;
    const std::uint64_t here = position();
    check_all_before(here);
    view_ = std::move(view);
    go_to(here);
  }

  // One step of a flush. False when there is nothing to send.
  bool step(std::size_t step_bytes) {
    if (ended_) return false;
    if (pending_ == 0) {
      if (!frames_due(step_bytes)) return false;
      if (world_.random.once_in(5)) {  // the kernel takes nothing now
        pending_ = due_bytes_;
        pending_copy_.assign(due_, due_bytes_);
        return false;
      }
    } else {
      // What is offered again must be the same bytes, wherever they lie by now.
      due_ = cursor_.segment->data() + cursor_.offset;
      due_bytes_ = pending_;
      EXPECT_EQ(std::string_view(due_, due_bytes_), pending_copy_);
      pending_ = 0;
    }
    wrote();
    return true;
  }

  // A shard's flush looks at the reader that waits for the kernel as well.
  void look_after() {
    if (!ended_ && pending_ != 0 && !in_chunk_ && cursor_.segment->evicted()) detach();
  }

  // Sends until nothing is left; then everything that matches must have been there.
  void drain() {
    view_->pull();
    for (int idle = 0; idle < 3; ++idle) {
      while (step(16 * 1024)) idle = 0;
    }
    if (ended_) return;
    EXPECT_EQ(position(), world_.newest());
    EXPECT_EQ(bytes_, "");
    check_all_before(world_.newest());
  }

 private:
  void go_to(std::uint64_t position) {
    view_->pull();
    position_ = checked_ = position;
    last_match_ = 0;
    after_seam_ = true;
    if (auto place = view_->frames().after(position)) {
      cursor_ = std::move(*place);
      in_chunk_ = false;
    } else {
      auto empty = std::make_shared<Segment>(0, position + 1, 0);
      empty->close();
      cursor_ = {std::move(empty), 0, 0};
      chunk_end_ = position;
      in_chunk_ = true;
    }
  }

  std::uint64_t position() const {
    const bool at_end =
        !in_chunk_ && cursor_.index == cursor_.segment->count() && !cursor_.segment->closed();
    return at_end && !view_->filter().is_everything() ? std::max(position_, view_->frames().head())
                                                      : position_;
  }

  bool frames_due(std::size_t step_bytes) {
    while (true) {
      const Segment& segment = *cursor_.segment;
      if (!in_chunk_ && segment.evicted()) {
        detach();
        continue;
      }
      const std::uint32_t count = segment.count();
      if (cursor_.index < count) {
        due_ = segment.data() + cursor_.offset;
        due_bytes_ = segment.end_of(count - 1) - cursor_.offset;
        if (due_bytes_ > step_bytes) {
          const auto limit = cursor_.offset + static_cast<std::uint32_t>(step_bytes);
          const std::uint32_t boundary = segment.begin_of(segment.index_at(limit, count));
          due_bytes_ = boundary > cursor_.offset ? boundary - cursor_.offset : step_bytes;
        }
        return true;
      }
      if (in_chunk_) {
        if (!next_chunk()) return false;
      } else if (!view_->frames().cross(cursor_)) {
        if (!segment.evicted()) return false;
      }
    }
  }

  void wrote() {
    bytes_.append(due_, due_bytes_);
    const Segment& segment = *cursor_.segment;
    cursor_.offset += static_cast<std::uint32_t>(due_bytes_);
    const std::uint32_t count = segment.count();
    const std::uint32_t before = cursor_.index;
    cursor_.index =
        cursor_.offset == segment.begin_of(count) ? count : segment.index_at(cursor_.offset, count);
    if (!cursor_.at_boundary()) ++seen_.cut_frames;
    if (cursor_.index == before) return;
    position_ = last_match_ = segment.seq_of(cursor_.index - 1);
    for (const std::string& text : test::take_frames(bytes_)) take(text);
    EXPECT_EQ(checked_, position_);
  }

  void detach() {
    ++seen_.detached;
    const Segment& segment = *cursor_.segment;
    const std::uint32_t count = segment.count();
    std::uint32_t end = cursor_.index;
    if (pending_ != 0 || !cursor_.at_boundary()) {
      const auto reach = cursor_.offset + static_cast<std::uint32_t>(pending_);
      while (end < count && (end == cursor_.index || segment.begin_of(end) < reach)) ++end;
    }
    std::size_t bytes = 0;
    for (std::uint32_t i = cursor_.index; i < end; ++i)
      bytes += segment.end_of(i) - segment.begin_of(i);
    auto copy = std::make_shared<Segment>(bytes, position_ + 1, 0);
    for (std::uint32_t i = cursor_.index; i < end; ++i) {
      copy->append(segment.seq_of(i), segment.type_of(i), segment.text_of(i), {});
    }
    copy->close();
    chunk_end_ = end > cursor_.index ? segment.seq_of(end - 1) : position_;
    cursor_ = {std::move(copy), 0, cursor_.offset - segment.begin_of(cursor_.index)};
    in_chunk_ = true;
  }

  bool next_chunk() {
    position_ = std::max(position_, chunk_end_);
    view_->pull();
    if (auto place = view_->frames().after(position_)) {
      cursor_ = std::move(*place);
      in_chunk_ = false;
      after_seam_ = true;
      ++seen_.rejoined;
      return true;
    }
    const std::size_t limit = world_.random.between(1, 40'000);
    if (!view_->filter().is_everything()) {
      TypeSet types(view_->filter(), world_.types);
      if (auto chunk = chunk_from_log(world_.log, types, position_, last_match_, limit)) {
        ++seen_.log_chunks;
        return take_chunk(std::move(*chunk));
      }
    }
    const auto events = world_.store.read(position_, limit);
    if (!events) {
      EXPECT_LT(position_ + 1, world_.store.facts().oldest);
      ++seen_.too_late;
      ended_ = true;
      return false;
    }
    ++seen_.store_chunks;
    return take_chunk(
        chunk_from_events(*events, view_->filter(), world_.types, position_, last_match_));
  }

  bool take_chunk(Chunk chunk) {
    EXPECT_GE(chunk.scanned_to, position_);
    chunk_end_ = chunk.scanned_to;
    last_match_ = chunk.last_match;
    cursor_ = {std::move(chunk.frames), 0, 0};
    return true;
  }

  // ---- the model's side ----

  bool matches(std::uint64_t seq) const { return view_->filter().matches(world_.event(seq).type); }

  // The next match after what was checked; newest + 1 when there is none.
  std::uint64_t next_match() const {
    std::uint64_t seq = checked_ + 1;
    while (seq <= world_.newest() && !matches(seq)) ++seq;
    return seq;
  }

  void take(const std::string& text) {
    ++seen_.frames;
    const std::uint64_t seq = next_match();
    ASSERT_LE(seq, world_.newest())
        << "nothing was due after " << checked_ << ", but came: " << text.substr(0, 200);
    const wire::Event& event = world_.event(seq);
    if (view_->filter().is_everything()) {
      ASSERT_EQ(text, test::text_with_seq(event, seq));
    } else {
      std::uint64_t previous = seq - 1;
      while (previous > 0 && !matches(previous)) --previous;
      if (!after_seam_ || text != test::text_with_prev(event, seq, 0)) {
        ASSERT_EQ(text, test::text_with_prev(event, seq, previous));
      }
    }
    after_seam_ = false;
    checked_ = seq;
  }

  void check_all_before(std::uint64_t position) const {
    EXPECT_GT(next_match(), position) << "a match was left out";
  }

  World& world_;
  Seen& seen_;
  std::shared_ptr<View> view_;
  Cursor cursor_;
  bool in_chunk_ = false;
  bool ended_ = false;
  const char* due_ = nullptr;
  std::size_t due_bytes_ = 0;
  std::size_t pending_ = 0;
  std::string pending_copy_;
  std::uint64_t chunk_end_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t last_match_ = 0;
  std::string bytes_;          // received, less than a frame
  std::uint64_t checked_ = 0;  // everything that matches, up to here, was received
  bool after_seam_ = true;     // the next frame may not know of an earlier match
};

// One shard: views shared by filter, gone with their last reader.
class ModelRun {
 public:
  ModelRun(std::uint64_t seed, Seen& seen) : random_(seed), world_(random_), seen_(seen) {}

  void run(int turns) {
    for (int turn = 0; turn < turns && !::testing::Test::HasFailure(); ++turn) {
      const std::uint64_t dice = random_.between(1, 100);
      if (dice <= 30) {
        world_.append_batch();
      } else if (dice <= 40) {
        for (auto& [key, view] : views_) {
          if (const auto alive = view.lock()) alive->pull();
        }
        for (const auto& reader : readers_) reader->look_after();
      } else if (dice <= 44 && readers_.size() < 12) {
        add_reader();
      } else if (dice == 45 && !readers_.empty()) {
        readers_.erase(readers_.begin() +
                       static_cast<std::ptrdiff_t>(random_.between(0, readers_.size() - 1)));
      } else if (dice <= 47 && !readers_.empty()) {
        some_reader().change_to(view_for(random_.one_of(k_filters)));
      } else if (dice <= 49 && !readers_.empty()) {
        some_reader().drain();
      } else if (!readers_.empty()) {
        Reader& reader = some_reader();
        for (std::uint64_t steps = random_.between(1, 12); steps > 0; --steps) {
          reader.step(random_.once_in(3) ? 16 * 1024 : random_.between(1, 16 * 1024));
        }
      }
      std::erase_if(readers_, [](const auto& reader) { return reader->ended(); });
    }
    for (const auto& reader : readers_) reader->drain();
  }

 private:
  Reader& some_reader() { return *readers_[random_.between(0, readers_.size() - 1)]; }

  std::shared_ptr<View> view_for(const std::vector<std::string>& globs) {
    const wire::Filter filter = *wire::Filter::from_globs(globs);
    std::weak_ptr<View>& slot = views_[filter.key()];
    std::shared_ptr<View> view = slot.lock();
    if (!view) slot = view = std::make_shared<View>(filter, world_.log, world_.types);
    return view;
  }

  void add_reader() {
    const StoreFacts facts = world_.store.facts();
    const std::uint64_t position =
        random_.once_in(3) ? facts.newest : random_.between(facts.oldest - 1, facts.newest);
    readers_.push_back(
        std::make_unique<Reader>(world_, seen_, view_for(random_.one_of(k_filters)), position));
  }

  Random random_;
  World world_;
  Seen& seen_;
  std::map<std::string, std::weak_ptr<View>> views_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

TEST(HubModel, EveryReaderGetsEveryMatchOnceInOrder) {
  const std::uint64_t seed = chosen_seed();
  Seen seen;
  for (std::uint64_t round = 0; round < 6 && !HasFailure(); ++round) {
    SCOPED_TRACE("CLAWWS_TEST_SEED=" + std::to_string(seed) + ", round " + std::to_string(round));
    ModelRun(seed + round, seen).run(4'000);
  }
  EXPECT_GT(seen.frames, 10'000U);
  EXPECT_GT(seen.detached, 20U);
  EXPECT_GT(seen.log_chunks, 20U);
  EXPECT_GT(seen.store_chunks, 20U);
  EXPECT_GT(seen.rejoined, 20U);
  EXPECT_GT(seen.too_late, 0U);
  EXPECT_GT(seen.cut_frames, 20U);
}

// The same log under several threads.

constexpr std::uint64_t k_threaded_events = 20'000;

// The text of an event in the threaded test: its seq, and as many bytes as the seq says.
std::string threaded_text(std::uint64_t seq) {
  return std::to_string(seq) + std::string(60 + seq % 90, static_cast<char>('a' + seq % 26));
}

// Follows the log to its end on its own thread. What it cannot follow any more it skips, as far as
// the log's start, and counts.
void follow(const FrameLog& log, std::atomic<std::uint64_t>& wrong, std::uint64_t& read,
            std::uint64_t& skipped) {
  std::optional<Cursor> cursor = log.after(0);
  std::uint64_t last = 0;
  const auto begin_anew = [&] {
    do {
      const std::uint64_t start = std::max(log.start(), last);
      cursor = log.after(start);
      if (cursor) skipped += start - last;
      if (cursor) last = start;
    } while (!cursor);
  };
  if (!cursor) begin_anew();
  while (last < k_threaded_events) {
    const Segment& segment = *cursor->segment;
    for (const std::uint32_t count = segment.count(); cursor->index < count; ++cursor->index) {
      const std::uint64_t seq = segment.seq_of(cursor->index);
      if (seq != last + 1 || segment.text_of(cursor->index) != threaded_text(seq)) ++wrong;
      last = seq;
      ++read;
    }
    if (!log.cross(*cursor) && segment.evicted() && cursor->segment.get() == &segment) begin_anew();
    if (last == log.head()) std::this_thread::yield();
  }
}

TEST(HubModel, ReadersOnOtherThreadsSeeWholeFramesInOrder) {
  FrameLog log({4 * 1024, 64 * 1024}, 0);
  std::atomic<std::uint64_t> wrong{0};
  std::uint64_t read[3] = {};
  std::uint64_t skipped[3] = {};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&, i] { follow(log, wrong, read[i], skipped[i]); });
  for (std::uint64_t seq = 1; seq <= k_threaded_events; ++seq) {
    log.append(seq, 0, threaded_text(seq), {});
    if (seq % 200 == 0) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read[i] + skipped[i], k_threaded_events) << "reader " << i;
}

// Views of other shards pull from the log while it grows. Each must end with its head at the log's,
// with matches in order, and with a `prev` that is the match before it or, after a gap, none.
TEST(HubModel, ViewsOnOtherThreadsStayInOrder) {
  FrameLog log({4 * 1024, 64 * 1024}, 0);
  TypeTable types;
  const TypeId ids[] = {*types.intern("session.created"), *types.intern("agent.status"),
                        *types.intern("cron.executed")};
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> built{0};
  std::atomic<std::uint64_t> heads[2] = {UINT64_MAX, UINT64_MAX};
  const auto pull_to_the_end = [&](const char* glob, std::uint64_t remainder) {
    View view(*wire::Filter::from_globs({glob}), log, types);
    std::uint64_t last = 0;
    heads[remainder] = 0;
    std::optional<Cursor> cursor;
    while (view.frames().head() < k_threaded_events) {
      view.pull();
      if (!cursor || cursor->segment->evicted())
        cursor = view.frames().after(view.frames().start());
      do {
        const Segment& segment = *cursor->segment;
        for (const std::uint32_t count = segment.count(); cursor->index < count; ++cursor->index) {
          const std::uint64_t seq = segment.seq_of(cursor->index);
          const std::string_view text = segment.text_of(cursor->index);
          const std::string_view prev = text.substr(text.rfind(':') + 1);
          const bool none = prev == "0}";
          if (seq % 3 != remainder || seq <= last ||
              (!none && prev != std::to_string(seq - 3) + "}"))
            ++wrong;
          last = seq;
        }
      } while (view.frames().cross(*cursor));
      heads[remainder] = view.frames().head();
    }
    built += view.frames_built();
  };
  std::thread sessions(pull_to_the_end, "session.*", 0);
  std::thread agents(pull_to_the_end, "agent.*", 1);
  const auto wait_for_heads = [&](std::uint64_t seq) {
    while (heads[0] != seq || heads[1] != seq) std::this_thread::yield();
  };
  wait_for_heads(0);
  for (std::uint64_t seq = 1; seq <= k_threaded_events; ++seq) {
    log.append(seq, ids[seq % 3], threaded_text(seq), "}");
    // Some pulls follow and some come too late; the last ones find everything still there.
    if (seq % 2'000 == 0 || seq == k_threaded_events - 100) wait_for_heads(seq);
  }
  sessions.join();
  agents.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_GE(built, 66U);
}

}  // namespace
}  // namespace clawws::hub
