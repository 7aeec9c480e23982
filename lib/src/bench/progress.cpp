#include "clawws/bench/progress.hpp"

#include <unistd.h>

#include <cmath>

#include "clawws/base/time.hpp"
#include "clawws/bench/numbers.hpp"
#include "clawws/client/terminal.hpp"

namespace clawws::bench {
namespace {

constexpr Nanos k_line_every = std::chrono::seconds(10);

void write_line(int fd, const std::string& text) {
  // Progress that nobody takes is no loss.
  [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
}

}  // namespace

std::string progress_text(const Snapshot& s) {
  const int digits = s.phase_length > Nanos(0) && s.phase_length < std::chrono::seconds(3) ? 1 : 0;
  const auto seconds = [digits](Nanos value) {
    return decimal(static_cast<double>(value.count()) / 1e9, digits);
  };
  std::string text(phase_word(s.phase));
  text += " " + seconds(s.elapsed) +
          (s.phase_length > Nanos(0) ? "/" + seconds(s.phase_length) : "") + " s";
  text += " · " + base::format_count(s.live) + "/" + base::format_count(s.asked) + " connected";
  if (s.failed > 0) text += ", " + base::format_count(s.failed) + " failed";
  if (s.phase < Phase::measure) return text;
  text += " · " + base::format_count(static_cast<std::uint64_t>(std::llround(s.rate))) +
          " deliveries/s";
  if (s.p50 && s.p99 && s.max)
    text +=
        " · p50 " + millis(*s.p50) + " p99 " + millis(*s.p99) + " max " + millis(*s.max) + " ms";
  return text + " · lost " + base::format_count(s.lost) + " · outstanding " +
         base::format_count(s.outstanding);
}

void ProgressLine::show(const Snapshot& snapshot) {
  switch (form_) {
    case Form::none:
      return;
    case Form::redrawn: {
      const std::size_t width = client::terminal_width(fd_);
      const std::string text = progress_text(snapshot);
      write_line(fd_, "\r\x1b[K" + (width > 1 ? client::fit(text, width - 1) : text));
      drawn_ = true;
      return;
    }
    case Form::lines:
    case Form::phases: {
      const Nanos now = steady_now();
      if (next_ == Nanos(0)) next_ = now + k_line_every;
      const bool is_new_phase = std::exchange(phase_, snapshot.phase) != snapshot.phase;
      if (now < next_ && !(is_new_phase && form_ == Form::phases)) return;
      if (now >= next_) next_ = now + k_line_every;
      write_line(fd_, progress_text(snapshot) + "\n");
    }
  }
}

void ProgressLine::clear() {
  if (std::exchange(drawn_, false)) write_line(fd_, "\r\x1b[K");
}

}  // namespace clawws::bench
