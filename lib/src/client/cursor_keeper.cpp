#include "clawws/client/cursor_keeper.hpp"

#include <utility>

namespace clawws::client {
namespace {

// A kill repeats at most what came in this time.
constexpr base::Millis k_save_every{200};

}  // namespace

base::Result<void> CursorKeeper::moved(const wire::Position& position, std::uint64_t given_bytes) {
  const bool is_first = !cursor_.has_place();
  cursor_.moved(position, given_bytes);
  if (is_first) return cursor_.save(given_bytes);
  if (!saving_soon_) save_soon();
  return {};
}

void CursorKeeper::save_soon() {
  saving_soon_ = true;
  timer_.expires_after(k_save_every);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    saving_soon_ = false;
    const auto saved = cursor_.save(around_.taken_bytes());
    if (!saved && !std::exchange(save_failed_, true))
      around_.note(saved.error().message(), Mood::bad);
    if (saved && std::exchange(save_failed_, false))
      around_.note("the cursor file is written again", Mood::plain);
    if (cursor_.pending()) save_soon();
  });
}

base::Result<void> CursorKeeper::finish() {
  if (std::exchange(finished_, true)) return {};
  timer_.cancel();
  return cursor_.save(around_.taken_bytes(), Cursor::Sync::disk);
}

}  // namespace clawws::client
