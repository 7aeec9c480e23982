// The transport as the client's websocket::stream sees it. While the upgrade is under way it keeps
// the first bytes of the server's answer, and lets no more of it in than that when the answer is no
// upgrade: Beast takes 8 MiB of any answer's body, waits for all of one that dribbles in, and tells
// nothing of an answer that it could not read whole, not even the status.
//
// Owned by one WsClient, on its thread. Later reads go straight to the TlsStream.
#pragma once

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <memory>
#include <string>
#include <utility>

#include "clawws/net/beast_tls.hpp"
#include "clawws/net/ending.hpp"

namespace clawws::net {

class UpgradeStream : public TlsStream {
 public:
  explicit UpgradeStream(TlsStream stream) : TlsStream(std::move(stream)) {}

  void record_answer() { answer_ = std::make_unique<std::string>(); }
  // What was read since record_answer(); ends the recording.
  std::string take_answer() {
    const auto answer = std::move(answer_);
    return answer ? std::move(*answer) : std::string();
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (!answer_) return TlsStream::async_read_some(buffers, std::forward<Token>(token));
    return asio::async_compose<Token, void(error_code, std::size_t)>(
        RecordedRead<Buffers>{*this, buffers}, token, get_executor());
  }

 private:
  template <class Buffers>
  struct RecordedRead {
    enum class Step : std::uint8_t { start, refused, reading };

    UpgradeStream& stream;
    Buffers buffers;
    Step step = Step::start;

    template <class Self>
    void operator()(Self& self, const error_code& error = {}, std::size_t size_bytes = 0) {
      switch (step) {
        case Step::start:
          if (stream.has_enough()) {
            step = Step::refused;
            asio::post(stream.get_executor(), std::move(self));
          } else {
            step = Step::reading;
            UpgradeStream& from = stream;
            const Buffers into = buffers;  // moving self takes this object along
            from.TlsStream::async_read_some(into, std::move(self));
          }
          return;
        case Step::refused:
          self.complete(boost::beast::http::error::body_limit, 0);
          return;
        case Step::reading:
          stream.keep(buffers, size_bytes);
          self.complete(error, size_bytes);
      }
    }
  };

  // An upgrade's head is short, and what follows it is the stream.
  bool has_enough() const {
    return answer_ && answer_->size() >= k_longest_answer_bytes && !is_upgrade(*answer_);
  }

  template <class Buffers>
  void keep(const Buffers& buffers, std::size_t size_bytes) {
    if (!answer_) return;
    const std::size_t kept = answer_->size();
    const std::size_t room = k_longest_answer_bytes - std::min(kept, k_longest_answer_bytes);
    answer_->resize(kept + std::min(size_bytes, room));
    asio::buffer_copy(asio::buffer(*answer_) + kept, buffers);
  }

  std::unique_ptr<std::string> answer_;  // only during the upgrade
};

// Beast looks for these by the stream's own type.
inline void teardown(boost::beast::role_type role, UpgradeStream& stream, error_code& error) {
  teardown(role, static_cast<TlsStream&>(stream), error);
}
template <class Handler>
void async_teardown(boost::beast::role_type role, UpgradeStream& stream, Handler&& handler) {
  async_teardown(role, static_cast<TlsStream&>(stream), std::forward<Handler>(handler));
}
inline void beast_close_socket(UpgradeStream& stream) {
  beast_close_socket(static_cast<TlsStream&>(stream));
}

}  // namespace clawws::net
