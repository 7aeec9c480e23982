// A view: the log as one filter sees it. Its frames are the log's with `prev` added, built once for
// all sessions of a shard with that filter; the view goes with the last of them. The view of the
// filter "everything" is the log itself; but for event streams, whose frames are other bytes.
// Belongs to one shard; its thread alone touches it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "clawws/hub/frame_form.hpp"
#include "clawws/hub/frame_log.hpp"
#include "clawws/hub/type_table.hpp"

namespace clawws::hub {

class View {
 public:
  // Covers what comes after the log's present head.
  View(const wire::Filter& filter, const FrameLog& log, const TypeTable& types, FrameForm form = {});

  // Takes over what the log has got since.
  void pull();
  // Where its readers read; for "everything" the log.
  const FrameLog& frames() const noexcept { return own_ ? *own_ : log_; }
  bool is_the_log() const noexcept { return !own_; }
  const wire::Filter& filter() const noexcept { return types_.filter(); }
  const FrameForm& form() const noexcept { return form_; }
  // Frames built so far: one per event, however many sessions read it.
  std::uint64_t frames_built() const noexcept { return frames_built_; }

 private:
  void go_to_head();
  void take_segment();
  // The shard stood still while the log went round: true when the place in the log is another one
  // now. What was missed is left out, and readers, who find their segments evicted, catch up from
  // the store.
  bool left_behind();

  const FrameLog& log_;
  TypeSet types_;
  const FrameForm form_;
  std::string frame_;              // of an event stream, the one being built
  std::unique_ptr<FrameLog> own_;  // none when it is the log
  Cursor source_;
  std::uint64_t looked_at_ = 0;    // seq of the newest log event seen
  std::uint64_t last_match_ = 0;   // its seq; 0: none known
  std::uint64_t frames_built_ = 0;
};

// Writes `,"prev":N}` at `out` (room for 32 bytes); what a view puts in place of a frame's last brace.
std::string_view write_prev(char* out, std::uint64_t prev) noexcept;

}  // namespace clawws::hub
