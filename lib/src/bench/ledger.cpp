#include "clawws/bench/ledger.hpp"

#include <algorithm>

namespace clawws::bench {

LedgerCounts& LedgerCounts::operator+=(const LedgerCounts& other) noexcept {
  expected += other.expected;
  delivered += other.delivered;
  lost += other.lost;
  duplicated += other.duplicated;
  reordered += other.reordered;
  return *this;
}

Ledger::Ledger(const std::vector<Stream>& streams) {
  accounts_.reserve(streams.size());
  for (const Stream& stream : streams) {
    accounts_.push_back({stream, stream.skip, {}});
    missing_ += stream.end - stream.skip;
  }
}

Ledger::Entry Ledger::received(std::uint32_t publisher, std::uint64_t number) {
  if (publisher >= accounts_.size()) return Entry::unknown;
  Account& account = accounts_[publisher];
  if (number < account.stream.skip) return Entry::warm_up;
  if (number >= account.stream.end) return Entry::unknown;
  if (number >= account.next) {
    if (number > account.next) {
      account.holes.push_back({account.next, number});
      overtaken_ += number - account.next;
    }
    account.next = number + 1;
    --missing_;
    return Entry::in_order;
  }
  if (fill(account.holes, number)) {
    --missing_;
    --overtaken_;
    ++reordered_;
    return Entry::late;
  }
  ++duplicated_;
  return Entry::duplicate;
}

void Ledger::shorten(std::uint32_t publisher, std::uint64_t end) {
  Account& account = accounts_[publisher];
  // What did come was sent, whatever is said.
  const std::uint64_t shorter = std::min(account.stream.end, std::max(end, account.next));
  missing_ -= account.stream.end - shorter;
  account.stream.end = shorter;
}

// Takes `number` out of its hole; false when it is in none.
bool Ledger::fill(std::vector<Hole>& holes, std::uint64_t number) {
  const auto hole = std::upper_bound(holes.begin(), holes.end(), number,
                                     [](std::uint64_t n, const Hole& h) { return n < h.end; });
  if (hole == holes.end() || number < hole->begin) return false;
  const Hole above{number + 1, hole->end};
  hole->end = number;
  const bool has_above = above.begin < above.end;
  if (hole->begin == hole->end) {
    if (has_above)
      *hole = above;
    else
      holes.erase(hole);
  } else if (has_above) {
    holes.insert(hole + 1, above);
  }
  return true;
}

LedgerCounts Ledger::counts() const {
  LedgerCounts counts;
  for (const Account& account : accounts_) {
    counts.expected += account.stream.end - account.stream.skip;
    counts.lost += account.stream.end - account.next;
    for (const Hole& hole : account.holes) counts.lost += hole.end - hole.begin;
  }
  counts.delivered = counts.expected - counts.lost;
  counts.duplicated = duplicated_;
  counts.reordered = reordered_;
  return counts;
}

}  // namespace clawws::bench
