// One live client: a cursor in a view, a control queue, and the codec on what it sends. A client of
// server-sent events (Dialect::sse) is the same with other bytes: its view's frames are that text,
// its pings and its end are lines of it, and what it sends means nothing (session_sse.cpp).
//
//   control_  replies, pong, ping, position, close --.
//                                                     >-- flush() --> TlsStream::write_now
//   cursor_   frames of a view or of a chunk  -------'
//
// Owned by its shard, touched by the shard's thread alone. flush() is the hot path: a plain function
// that writes what is due straight from the segment, at most one TLS record a turn. A write that
// the kernel does not take is pending and is repeated with exactly the same bytes (see
// net/tls_stream.hpp); control frames go in between only at a frame boundary.
//
// Behind the log in memory, or in a filter's past, the cursor stands in a chunk: a private segment
// made by hub/catch_up.hpp. When a chunk is read and the view covers the position, the cursor moves there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clawws/hub/catch_up.hpp"
#include "clawws/hub/view.hpp"
#include "clawws/net/tls_stream.hpp"
#include "clawws/server/admission.hpp"
#include "clawws/server/authenticator.hpp"
#include "clawws/server/rate.hpp"
#include "clawws/server/stream_start.hpp"
#include "clawws/server/timing_wheel.hpp"
#include "clawws/wire/frame_reader.hpp"
#include "clawws/wire/message.hpp"

namespace clawws::server {

class Shard;

enum class Dialect : std::uint8_t { clawws_v1, clawpanel, sse };

class Session final : public std::enable_shared_from_this<Session>, private TimingWheel::Entry {
 public:
  struct Opening {
    Identity identity;
    std::string peer;  // address:port, for the log
    Dialect dialect = Dialect::clawws_v1;
    wire::Filter filter;
    StartRequest start;
    Admission::Permit permit;  // counts the connection until the session is gone
  };

  Session(Shard& shard, net::TlsStream stream, Opening opening);
  ~Session();

  // Sends `handshake` (the response's head) and the first frame, and takes `early`, what came behind the
  // request's head. Registering and choosing the position happen in this one turn of the shard.
  void start(std::string_view handshake, std::string_view early);

  // Sends what is due. True when more could be sent at once: the caller gives others their turn first.
  bool flush();
  // Ends the connection: a close frame at the next frame boundary, TCP gone within 5 s; on the
  // clawpanel dialect, and when the kernel takes nothing, without a close frame.
  void close(std::uint16_t code, std::string_view reason);
  // The same once everything up to the log's present end was sent.
  void close_after_due(std::uint16_t code, std::string reason);
  // Ends it at once.
  void drop(std::string_view why);

  const Identity& identity() const noexcept { return identity_; }
  // Index in the shard's list; the shard's own.
  std::size_t slot = 0;

 private:
  enum class State : std::uint8_t { open, closing, closed };
  enum class Source : std::uint8_t { none, control, frames };
  struct Subscribe {
    wire::ClientMessage message;
    std::optional<std::uint64_t> located;
    bool asked = false;
  };
  struct Pong {
    std::string received_at_json;
  };

  // ---- sending (session.cpp) ----
  bool write(Source source, const char* data, std::size_t size);
  void wrote(Source source, std::size_t bytes);
  bool frames_due(const char*& data, std::size_t& size);
  bool at_boundary() const noexcept { return pending_ == Source::none && cursor_.at_boundary(); }
  void gather_control();
  bool control_due() const noexcept;
  void queue_text(std::string_view text);
  void tell_position();
  void wait_writable();
  void detach_from_evicted();
  void on_timer(base::SteadyTime now) override;
  void schedule_timer(base::SteadyTime now);
  base::Millis ping_interval() const noexcept;
  void end_writing();
  std::string why_closed() const;
  void finish(std::string_view why);

  // ---- where it reads (session_stream.cpp) ----
  void go_to(std::uint64_t position);
  bool next_chunk();
  void take_chunk(const hub::Chunk& chunk);
  void on_replay(const base::Result<std::shared_ptr<const hub::Chunk>>& chunk, std::uint32_t generation);
  std::uint64_t position() const noexcept;
  hub::StoreFacts facts() const;

  // ---- event streams (session_sse.cpp) ----
  bool is_sse() const noexcept { return dialect_ == Dialect::sse; }
  void begin_sse(const StartRequest& asked, const StartPlan& plan);
  void end_sse();
  void pass_over(std::size_t bytes);
  std::shared_ptr<const hub::Segment> as_sse(const hub::Segment& frames) const;

  // ---- receiving (session_input.cpp) ----
  void wait_readable();
  void read_all();
  void take_input(std::span<char> bytes);
  void on_text(std::string_view text);
  void on_bad_message(std::string_view code, std::string_view message);
  void run_subscribes();
  bool run_subscribe(Subscribe& subscribe);

  Shard& shard_;
  net::TlsStream stream_;
  const Identity identity_;
  const std::string peer_;
  const Dialect dialect_;
  const Admission::Permit permit_;
  State state_ = State::open;
  bool draining_ = false;         // close_after_due was called
  bool close_sent_ = false;
  bool peer_closed_ = false;
  bool client_began_close_ = false;

  // Sending. pending_* say what the kernel did not take yet; it is offered again unchanged.
  Source pending_ = Source::none;
  std::size_t pending_bytes_ = 0;
  bool waiting_writable_ = false;
  std::string control_;           // whole frames; [control_sent_, end) is due
  std::size_t control_sent_ = 0;
  std::optional<Pong> pong_;      // the newest ping's answer
  std::optional<std::string> ws_pong_;
  bool ping_due_ = false;
  std::uint16_t close_code_ = 0;  // state closing: what the close frame says
  std::string close_reason_;
  std::uint16_t drain_code_ = 0;  // draining_: what to close with at the log's end
  std::string drain_reason_;

  // The stream.
  std::shared_ptr<hub::View> view_;
  hub::Cursor cursor_;
  bool in_chunk_ = false;         // cursor_ is in a chunk, not in the view
  bool reading_store_ = false;
  bool again_ = false;            // a chunk held nothing: go on in the next turn
  std::uint32_t generation_ = 0;  // of the stream: answers from the store to an older one are stale
  std::uint64_t chunk_end_ = 0;   // what the chunk has scanned to
  std::uint64_t position_ = 0;    // everything that matches, up to here, was sent
  std::uint64_t last_match_ = 0;  // for `prev` in chunks
  std::uint64_t told_ = 0;        // the newest position that the client knows of
  std::uint64_t events_sent_ = 0;

  // Receiving.
  wire::FrameReader reader_;
  std::vector<Subscribe> subscribes_;  // oldest first; almost always empty, and then without memory
  TokenBucket messages_;
  TokenBucket control_frames_;
  TokenBucket bad_messages_;
  std::uint64_t acked_ = 0;

  // Time.
  base::SteadyTime opened_at_;
  base::SteadyTime last_received_;
  base::SteadyTime next_ping_;
  base::SteadyTime progress_at_;  // while pending: when the kernel last took a byte
  std::uint64_t progress_bytes_ = 0;
  base::SteadyTime close_deadline_ = base::SteadyTime::max();
  base::SteadyTime last_text_;    // when the last text frame was sent
};

}  // namespace clawws::server
