#include "clawws/server/history.hpp"

#include <algorithm>

#include "clawws/hub/catch_up.hpp"
#include "clawws/server/await.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/event.hpp"

namespace clawws::server {

using base::Errc;
using base::Result;

namespace {
constexpr std::size_t k_chunk_bytes = 256 * 1024;
constexpr int k_attempts = 3;  // when retention overtakes the start
}  // namespace

HistoryPage::HistoryPage(wire::Filter filter, const StartPlan& plan, const Limits& limits)
    : filter_(std::move(filter)), said_(plan.said), limits_(limits), scanned_to_(plan.position) {}

void HistoryPage::add(std::span<const hub::StoredEvent> events) {
  char tail[32];
  for (const hub::StoredEvent& event : events) {
    if (full_) return;
    if (filter_.matches(event.type)) {
      const std::string_view seq_text = hub::write_seq(tail, event.seq);
      const std::size_t bytes = event.body.size() + seq_text.size() + 1;
      if (count_ != 0 && events_.size() + bytes > limits_.body_bytes) {
        full_ = true;
        return;
      }
      if (count_ != 0) events_ += ',';
      events_.append(event.body).append(seq_text);
      ++count_;
    }
    scanned_to_ = event.seq;
    scanned_bytes_ += event.body.size();
    full_ = count_ >= limits_.events || scanned_bytes_ >= limits_.scan_bytes;
  }
}

std::string HistoryPage::finish(const hub::StoreFacts& facts) const {
  const std::string next = said_.epoch + ":" + std::to_string(scanned_to_);
  std::string body = "{\"epoch\":" + wire::json_string(said_.epoch) +
                     ",\"resumed\":" + (said_.resumed ? "true" : "false") +
                     ",\"lost\":" + (said_.lost ? std::to_string(*said_.lost) : "null") +
                     ",\"oldest\":" + std::to_string(std::min(facts.oldest, facts.newest + 1)) +
                     ",\"next\":" + wire::json_string(next) +
                     ",\"more\":" + (scanned_to_ < facts.newest ? "true" : "false") +
                     ",\"events\":[";
  body.reserve(body.size() + events_.size() + 4);
  body.append(events_).append("]}\n");
  return body;
}

boost::asio::awaitable<HttpAnswer> history(Shard& shard, HistoryRequest request) {
  HistoryPage::Limits limits;
  limits.events = request.limit;
  for (int attempt = 1;; ++attempt) {
    HistoryPage page(request.filter, plan_start(request.start, shard.hub().facts()), limits);
    bool overtaken = false;
    while (!page.full()) {
      using Events = Result<std::vector<hub::StoredEvent>>;
      const auto read = std::make_shared<Answer<Events>>(shard.context().get_executor());
      shard.hub().read(page.scanned_to(), k_chunk_bytes, read->callback());
      const Events events = co_await read->wait();
      if (!events) {
        overtaken = events.error().code == Errc::bad_position;
        if (overtaken) break;
        HttpAnswer answer = error_answer(503, "unavailable", events.error().message());
        answer.fields.emplace_back("Retry-After", "1");
        co_return answer;
      }
      if (events->empty()) break;
      page.add(*events);
    }
    // What was read stays right; the next page's request is told what was lost behind it.
    if (overtaken && page.untouched() && attempt < k_attempts) continue;
    HttpAnswer answer;
    answer.fields.emplace_back("Vary", "Accept");
    answer.body = page.finish(shard.hub().facts());
    co_return answer;
  }
}

}  // namespace clawws::server
