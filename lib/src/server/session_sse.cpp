// What is different for a client of server-sent events: how its stream begins and ends, and what is
// done with bytes that it should not send. The frames themselves are its view's.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "clawws/server/session.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/wire/sse.hpp"

namespace clawws::server {

namespace {
constexpr base::Millis k_come_back_after{2'000};  // what EventSource waits, give or take a tenth
constexpr base::Millis k_unanswered_limit{60'000};
constexpr std::string_view k_retry = "retry-ms=";

// Of an event as the server writes it, {"type":"NAME",…; "" of another text. A name needs no escapes.
std::string_view type_of_text(std::string_view text) {
  constexpr std::string_view k_begin = "{\"type\":\"";
  if (!text.starts_with(k_begin)) return {};
  text.remove_prefix(k_begin.size());
  return text.substr(0, text.find('"'));
}
}  // namespace

// The first bytes behind the head: how long to wait before coming back, and the position, so that a
// client that is cut off before its first event still resumes without a hole. What is lost is said
// before anything from behind it.
void Session::begin_sse(const StartRequest& asked, const StartPlan& plan) {
  wire::append_sse_retry(control_, static_cast<std::uint64_t>(shard_.jittered(k_come_back_after).count()));
  if (!plan.said.resumed && plan.said.lost != std::uint64_t{0}) {
    wire::append_sse_gap(control_, base::unix_millis(), asked.since.position, plan.said,
                         {shard_.epoch(), plan.position});
  } else {
    wire::append_sse_position(control_, shard_.epoch(), plan.position);
  }
  // Nothing ever comes from such a client, so whether it is still there shows only in whether its
  // kernel acknowledges what it is sent.
  const base::Millis limit = std::max(k_unanswered_limit, shard_.config().max_lag_time * 2);
  const unsigned millis = static_cast<unsigned>(limit.count());
  if (::setsockopt(stream_.socket().native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &millis, sizeof millis) != 0)
    shard_.log().debug("no limit for unanswered bytes", {{"peer", peer_}});
}

// The last lines. The end itself is the connection's: its client comes back by itself.
void Session::end_sse() {
  const std::string_view reason = close_reason_;
  std::uint64_t wait = 0;
  if (reason.starts_with(k_retry)) {
    for (const char c : reason.substr(k_retry.size())) {
      if (c < '0' || c > '9') break;  // words for people follow
      wait = wait * 10 + static_cast<std::uint64_t>(c - '0');
    }
    wire::append_sse_retry(control_, wait);
  }
  wire::append_sse_comment(control_, std::to_string(close_code_) + " " + close_reason_);
}

void Session::pass_over(std::size_t) {
  if (!messages_.take(base::SteadyClock::now())) close(1008, "a client of an event stream has nothing to say");
}

std::shared_ptr<const hub::Segment> Session::as_sse(const hub::Segment& frames) const {
  std::string text;
  std::vector<std::size_t> ends;
  const std::uint32_t count = frames.count();
  ends.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view json = frames.text_of(i);
    // A store may hold more types than this process has numbers for, so the number is the second choice.
    std::string type(type_of_text(json));
    if (type.empty()) type = shard_.hub().types().name(frames.type_of(i));
    wire::append_sse_event(text, shard_.epoch(), frames.seq_of(i), type, json);
    ends.push_back(text.size());
  }
  auto out = std::make_shared<hub::Segment>(text.size(), count == 0 ? 0 : frames.seq_of(0), 0);
  std::size_t begin = 0;
  for (std::uint32_t i = 0; i < count; begin = ends[i++]) {
    out->append_frame(frames.seq_of(i), frames.type_of(i), std::string_view(text).substr(begin, ends[i] - begin));
  }
  out->close();
  return out;
}

}  // namespace clawws::server
