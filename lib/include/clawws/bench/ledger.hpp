// The account of one connection: which of the events that were to come have come, how often and in
// which order. Exact, with memory only for the holes: in an undisturbed stream it is one number for
// each publisher.
//
// Each publisher numbers its events 0, 1, 2 …; the first `skip` of them are warm-up and are not
// counted. Every number in [skip, end) ends as delivered or lost, so
//   expected = delivered + lost
// holds by definition for one connection; the run checks it against its own, independent counts.
// One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "clawws/base/export.hpp"

namespace clawws::bench {

struct LedgerCounts {
  std::uint64_t expected = 0;
  std::uint64_t delivered = 0;   // different events; of `expected`
  std::uint64_t lost = 0;        // of `expected`
  std::uint64_t duplicated = 0;  // came again; beside `delivered`
  std::uint64_t reordered = 0;   // came after a later one of the same publisher; of `delivered`

  LedgerCounts& operator+=(const LedgerCounts& other) noexcept;
};

class CLAWWS_API Ledger {
 public:
  enum class Entry : std::uint8_t { warm_up, in_order, late, duplicate, unknown };

  struct Stream {
    std::uint64_t skip = 0;  // numbers below are warm-up
    std::uint64_t end = 0;   // numbers from here on were never sent
  };

  // The streams of the publishers, by index.
  explicit Ledger(const std::vector<Stream>& streams);

  // `unknown`: no such publisher, or a number that was never to be sent.
  Entry received(std::uint32_t publisher, std::uint64_t number);

  // The publisher sent nothing from `end` on.
  void shorten(std::uint32_t publisher, std::uint64_t end);

  // As it stands: what has not come is lost.
  LedgerCounts counts() const;
  // Everything that was to come has come.
  bool complete() const noexcept { return missing_ == 0; }
  std::uint64_t missing() const noexcept { return missing_; }
  // Of those missing: a later one of the same publisher has come.
  std::uint64_t overtaken() const noexcept { return overtaken_; }

 private:
  struct Hole {
    std::uint64_t begin, end;
  };
  struct Account {
    Stream stream;
    std::uint64_t next = 0;
    std::vector<Hole> holes;  // ascending, all below `next`
  };

  static bool fill(std::vector<Hole>& holes, std::uint64_t number);

  std::vector<Account> accounts_;
  std::uint64_t missing_ = 0;
  std::uint64_t overtaken_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
};

}  // namespace clawws::bench
