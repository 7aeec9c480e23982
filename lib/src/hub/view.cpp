#include "clawws/hub/view.hpp"

#include <charconv>
#include <cstring>

#include "clawws/wire/sse.hpp"

namespace clawws::hub {

namespace {
// Small: a view serves who is live; who falls behind gets chunks of a catch-up.
constexpr FrameLog::Limits k_view_limits{32 * 1024, 256 * 1024};
}  // namespace

std::string_view write_prev(char* out, std::uint64_t prev) noexcept {
  constexpr std::string_view k_name = ",\"prev\":";
  std::memcpy(out, k_name.data(), k_name.size());
  char* end = std::to_chars(out + k_name.size(), out + 31, prev).ptr;
  *end++ = '}';
  return {out, static_cast<std::size_t>(end - out)};
}

View::View(const wire::Filter& filter, const FrameLog& log, const TypeTable& types, FrameForm form)
    : log_(log), types_(filter, types), form_(std::move(form)) {
  if (filter.is_everything() && !form_.is_sse()) return;
  go_to_head();
  own_ = std::make_unique<FrameLog>(k_view_limits, looked_at_);
}

void View::go_to_head() {
  // A place right after the head always exists, but the head may have moved on in between.
  for (std::optional<Cursor> place; !place;) {
    looked_at_ = log_.head();
    place = log_.after(looked_at_);
    if (place) source_ = std::move(*place);
  }
}

void View::pull() {
  if (!own_) return;
  do {
    take_segment();
  } while (log_.cross(source_) || left_behind());
  own_->advance_head(looked_at_);
}

void View::take_segment() {
  char tail[32];
  for (const std::uint32_t count = source_.segment->count(); source_.index < count; ++source_.index) {
    looked_at_ = source_.segment->seq_of(source_.index);
    const TypeId type = source_.segment->type_of(source_.index);
    if (!types_.contains(type)) continue;
    std::string_view text = source_.segment->text_of(source_.index);
    std::string_view rest;
    if (!types_.filter().is_everything()) {
      text.remove_suffix(1);
      rest = write_prev(tail, last_match_);
    }
    if (form_.is_sse()) {
      frame_.clear();
      wire::append_sse_event(frame_, form_.epoch, looked_at_, types_.name(type), text, rest);
      own_->append_frame(looked_at_, type, frame_);
    } else {
      own_->append(looked_at_, type, text, rest);
    }
    last_match_ = looked_at_;
    ++frames_built_;
  }
}

bool View::left_behind() {
  if (!source_.segment->evicted()) return false;
  if (auto place = log_.after(looked_at_)) {
    source_ = std::move(*place);
    return true;
  }
  go_to_head();
  last_match_ = 0;
  own_->restart(looked_at_);
  return true;
}

}  // namespace clawws::hub
