#include "clawws/bench/sampler.hpp"

namespace clawws::bench {

void Sampler::close_row(Nanos end) {
  row_.lasts = end - row_begin_;
  look_(row_);
  rows_.push_back(row_);
  row_begin_ = end;
}

void Sampler::turn(Phase phase, Nanos now) {
  if (is_open_ && phase == row_.phase && now < row_begin_ + step_) return;
  if (is_open_) {
    while (row_begin_ + step_ <= now) {
      close_row(row_begin_ + step_);
      row_.at = row_begin_ - begin_;
    }
    if (phase == row_.phase) return;
    if (now > row_begin_) close_row(now);
  } else {
    if (phase < Phase::connect || !rows_.empty()) return;
    begin_ = now;
  }
  is_open_ = phase < Phase::close;
  row_ = SeriesRow{};
  row_.phase = phase;
  row_.at = now - begin_;
  row_begin_ = now;
}

}  // namespace clawws::bench
