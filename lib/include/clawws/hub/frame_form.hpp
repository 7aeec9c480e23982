// How the frames of a view and of its chunks are written: as WebSocket text frames, or as the text
// of server-sent events. Nothing else tells the two apart: both are bytes with an end and a seq.
#pragma once

#include <string>

namespace clawws::hub {

struct FrameForm {
  std::string epoch;  // of server-sent events, whose id holds it; empty: WebSocket frames

  bool is_sse() const noexcept { return !epoch.empty(); }
};

}  // namespace clawws::hub
