#include "clawws/server/shard.hpp"

#include <boost/asio/post.hpp>

#include "clawws/base/posix.hpp"
#include "clawws/server/connection.hpp"

namespace clawws::server {

namespace {
std::uint64_t random_seed() {
  const std::string bytes = base::random_bytes(sizeof(std::uint64_t));
  std::uint64_t seed = 0;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&seed));
  return seed;
}
constexpr std::size_t k_max_views = 256;
}  // namespace

Shard::Shard(Services& services)
    : services_(services),
      work_(net::asio::make_work_guard(context_)),
      ticker_(context_),
      wheel_(base::SteadyClock::now()),
      now_(base::SteadyClock::now()),
      read_buffer_(std::make_unique_for_overwrite<char[]>(k_read_buffer_bytes)),
      random_(random_seed()) {
  if (services.upstream) upstream_.emplace(context_.get_executor(), *services.upstream);
}

Shard::~Shard() { stop(); }

void Shard::start() {
  thread_ = std::thread([this] { run(); });
}

void Shard::run() {
  tick();
  context_.run();
  // What is left is ended here, on the thread that owns it.
  while (!sessions_.empty()) sessions_.back()->drop("server stopped");
  gone_.clear();
}

void Shard::stop() {
  if (!thread_.joinable()) return;
  work_.reset();
  context_.stop();
  thread_.join();
}

void Shard::wake() {
  if (!dirty_.exchange(true, std::memory_order_acq_rel)) {
    net::asio::post(context_, [this] { flush_all(); });
  }
}

// In one order with add(): either this sees the new session, or the session sees what was appended.
void Shard::log_has_grown() {
  if (session_count_.fetch_add(0, std::memory_order_acq_rel) != 0) wake();
}

void Shard::publish(std::vector<wire::Event> events, std::optional<hub::IdempotencyKey> key, hub::PublishDone done) {
  hub().publish(std::move(events), std::move(key), std::move(done), hub::Hub::Wake::later);
  if (std::exchange(writer_is_due_, true)) return;
  net::asio::post(context_, [this] {
    writer_is_due_ = false;
    hub().wake_writer();
  });
}

void Shard::flush_all() {
  // Cleared first: what is appended from here on wakes again.
  dirty_.store(false, std::memory_order_release);
  now_ = base::SteadyClock::now();
  for (auto view = views_.begin(); view != views_.end();) {
    if (const auto alive = view->second.lock()) {
      alive->pull();
      ++view;
    } else {
      view = views_.erase(view);
    }
  }
  bool more = false;
  for (std::size_t i = 0; i < sessions_.size();) {
    Session& session = *sessions_[i];
    more |= session.flush();
    // An ended session was replaced by the last one, whose turn is now.
    if (i < sessions_.size() && sessions_[i].get() == &session) ++i;
  }
  gone_.clear();
  if (more) wake();
}

void Shard::tick() {
  now_ = base::SteadyClock::now();
  wheel_.advance(now_);
  gone_.clear();
  ticker_.expires_after(TimingWheel::k_tick);
  ticker_.async_wait([this](const net::error_code& stopped) {
    if (!stopped) tick();
  });
}

void Shard::adopt(net::TcpSocket socket) {
  // What a connection needs is made on the thread that frees it. Asio keeps its record of each socket for ever:
  // those stay by themselves on the acceptor's thread, not one on each page of what clients leave behind.
  net::asio::post(context_, [this, held = std::move(socket)]() mutable { start_connection(*this, std::move(held)); });
}

void Shard::add(std::shared_ptr<Session> session) {
  session->slot = sessions_.size();
  sessions_.push_back(std::move(session));
  session_count_.exchange(sessions_.size(), std::memory_order_acq_rel);
  counters().sessions_opened.fetch_add(1, std::memory_order_relaxed);
  counters().sessions_open.fetch_add(1, std::memory_order_relaxed);
}

void Shard::remove(Session& session) {
  const std::size_t slot = session.slot;
  if (slot >= sessions_.size() || sessions_[slot].get() != &session) return;
  gone_.push_back(std::move(sessions_[slot]));
  if (slot + 1 != sessions_.size()) {
    sessions_[slot] = std::move(sessions_.back());
    sessions_[slot]->slot = slot;
  }
  sessions_.pop_back();
  session_count_.store(sessions_.size(), std::memory_order_relaxed);
  counters().sessions_open.fetch_sub(1, std::memory_order_relaxed);
}

std::shared_ptr<hub::View> Shard::view_for(const wire::Filter& filter, Frames frames) {
  std::weak_ptr<hub::View>& slot = views_[{frames, filter.key()}];
  std::shared_ptr<hub::View> view = slot.lock();
  if (!view) {
    hub::FrameForm form;
    if (frames == Frames::sse) form.epoch = epoch();
    view = std::make_shared<hub::View>(filter, frame_log(), hub().types(), std::move(form));
    slot = view;
  }
  return view;
}

bool Shard::has_room_for(const wire::Filter& filter, Frames frames) {
  std::erase_if(views_, [](const auto& entry) { return entry.second.expired(); });
  return filter.is_everything() || views_.size() < k_max_views || views_.count({frames, filter.key()}) != 0;
}

base::Millis Shard::jittered(base::Millis interval) {
  std::uniform_int_distribution<std::int64_t> spread(interval.count() * 9 / 10, interval.count() * 11 / 10);
  return base::Millis(spread(random_));
}

void Shard::drain(base::Millis spread) {
  net::asio::post(context_, [this, spread] {
    draining_ = true;
    std::uniform_int_distribution<std::int64_t> wait(0, spread.count());
    for (std::size_t i = 0; i < sessions_.size();) {
      Session& session = *sessions_[i];
      session.close_after_due(1012, spread.count() > 0 ? "retry-ms=" + std::to_string(wait(random_)) : "restart");
      if (i < sessions_.size() && sessions_[i].get() == &session) ++i;
    }
    wake();
  });
}

void Shard::recheck_credentials() {
  net::asio::post(context_, [this] {
    for (std::size_t i = 0; i < sessions_.size();) {
      Session& session = *sessions_[i];
      if (!services_.authenticator.still_valid(session.identity())) session.close(4001, "credentials changed");
      if (i < sessions_.size() && sessions_[i].get() == &session) ++i;
    }
  });
}

}  // namespace clawws::server
