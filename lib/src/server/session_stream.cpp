// Where a session reads: placing the cursor in its view or in chunks of older events.
#include <boost/asio/post.hpp>

#include "clawws/server/session.hpp"
#include "clawws/server/shard.hpp"

namespace clawws::server {

namespace {
constexpr std::size_t k_chunk_bytes = 64 * 1024;

hub::Cursor empty_chunk(std::uint64_t position) {
  auto chunk = std::make_shared<hub::Segment>(0, position + 1, 0);
  chunk->close();
  return {std::move(chunk), 0, 0};
}
}  // namespace

hub::StoreFacts Session::facts() const {
  hub::StoreFacts facts = shard_.hub().facts();
  // The view may be ahead of or behind the facts by what was committed this moment; what the client
  // is told must be what its cursor stands on.
  view_->pull();
  facts.newest = view_->frames().head();
  return facts;
}

std::uint64_t Session::position() const noexcept {
  const bool at_end = !in_chunk_ && cursor_.index == cursor_.segment->count() && !cursor_.segment->closed();
  return at_end && !view_->is_the_log() ? std::max(position_, view_->frames().head()) : position_;
}

void Session::go_to(std::uint64_t position) {
  ++generation_;
  reading_store_ = false;
  position_ = told_ = position;
  last_match_ = 0;
  view_->pull();
  if (auto place = view_->frames().after(position)) {
    cursor_ = std::move(*place);
    in_chunk_ = false;
  } else {
    cursor_ = empty_chunk(position);
    chunk_end_ = position;
    in_chunk_ = true;
  }
}

// The cursor has read its chunk. True when it stands on something new; false while the store reads
// or when it is another's turn (again_).
bool Session::next_chunk() {
  position_ = std::max(position_, chunk_end_);
  if (reading_store_ || again_) return false;
  view_->pull();
  if (auto place = view_->frames().after(position_)) {
    cursor_ = std::move(*place);
    in_chunk_ = false;
    return true;
  }
  if (!view_->is_the_log()) {
    hub::TypeSet types(view_->filter(), shard_.hub().types());
    if (auto chunk = hub::chunk_from_log(shard_.frame_log(), types, position_, last_match_, k_chunk_bytes)) {
      take_chunk(*chunk);
      again_ = cursor_.segment->count() == 0;
      return !again_;
    }
  }
  hub::StoreReader& reader = shard_.hub().reader();
  if (const auto chunk = reader.at_hand(view_->filter(), position_)) {
    take_chunk(*chunk);
    again_ = cursor_.index == cursor_.segment->count();
    return !again_;
  }
  reading_store_ = true;
  auto answer = [self = weak_from_this(), generation = generation_, executor = stream_.get_executor()](
                    base::Result<std::shared_ptr<const hub::Chunk>> chunk) {
    net::asio::post(executor, [self, generation, chunk = std::move(chunk)] {
      if (const auto session = self.lock()) session->on_replay(chunk, generation);
    });
  };
  reader.replay(view_->filter(), position_, last_match_, identity_.user, std::move(answer));
  return false;
}

// A chunk may begin before this session's place, since it serves others, too.
void Session::take_chunk(const hub::Chunk& chunk) {
  chunk_end_ = chunk.scanned_to;
  if (chunk.last_match != 0) last_match_ = chunk.last_match;
  std::shared_ptr<const hub::Segment> frames = chunk.frames;
  if (is_sse()) frames = as_sse(*frames);
  const std::uint32_t index = frames->index_after(position_);
  const std::uint32_t offset = frames->begin_of(index);
  cursor_ = {std::move(frames), index, offset};
}

void Session::on_replay(const base::Result<std::shared_ptr<const hub::Chunk>>& chunk, std::uint32_t generation) {
  if (state_ != State::open || generation != generation_ || !in_chunk_) return;
  reading_store_ = false;
  if (!chunk) {
    const bool gone = chunk.error().code == base::Errc::bad_position;
    shard_.log().warning("catch-up ended", {{"peer", peer_}, {"user", identity_.user}, {"why", chunk.error().message()}});
    if (gone) {
      shard_.counters().sessions_slow.fetch_add(1, std::memory_order_relaxed);
      close(4008, "position " + shard_.epoch() + ":" + std::to_string(position_) + " is no longer kept");
    } else {
      close(1013, "retry-ms=1000 events cannot be read");
    }
    return;
  }
  take_chunk(**chunk);
  if (flush()) shard_.wake();
}

}  // namespace clawws::server
