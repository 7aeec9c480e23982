// GET /clawws/events as JSON: a page of the log, read from the store on the reader's thread in
// bounded chunks. What one request may cost is bounded three times: events, bytes of the answer,
// bytes looked at; whichever comes first ends the page, and `next` lets the client go on.
//
//   {"epoch":E,"resumed":true,"lost":0,"oldest":812,"next":"E:8912","more":true,"events":[…]}
//
// `resumed` and `lost` say of `since` what auth.success says: never a part in silence.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "clawws/hub/event_store.hpp"
#include "clawws/server/http.hpp"
#include "clawws/server/stream_start.hpp"
#include "clawws/wire/filter.hpp"

namespace clawws::server {

class Shard;

struct HistoryRequest {
  wire::Filter filter;
  StartRequest start;  // located already, when it needs that
  std::size_t limit = 100;
};

// On the shard's thread, which it never holds for longer than one chunk takes to copy.
boost::asio::awaitable<HttpAnswer> history(Shard& shard, HistoryRequest request);

// The page while it fills. Pure.
class HistoryPage {
 public:
  struct Limits {
    std::size_t events = 100;
    std::size_t body_bytes = 4u << 20;   // of events; one is taken whatever its size
    std::size_t scan_bytes = 16u << 20;  // of events looked at, matching or not
  };

  HistoryPage(wire::Filter filter, const StartPlan& plan, const Limits& limits);

  // Takes over events that follow scanned_to(), until the page is full.
  void add(std::span<const hub::StoredEvent> events);
  bool full() const noexcept { return full_; }
  // Every match up to here is on the page or before it.
  std::uint64_t scanned_to() const noexcept { return scanned_to_; }
  bool untouched() const noexcept { return scanned_bytes_ == 0; }
  // The answer's body. `facts` of now say whether there is more.
  std::string finish(const hub::StoreFacts& facts) const;

 private:
  const wire::Filter filter_;
  const wire::StreamStart said_;
  const Limits limits_;
  std::string events_;
  std::size_t count_ = 0;
  std::size_t scanned_bytes_ = 0;
  std::uint64_t scanned_to_;
  bool full_ = false;
};

}  // namespace clawws::server
