// A client of server-sent events, as strict as the format: blocks of `name: value` lines with an
// empty line behind each. Keeps the last id as a browser's EventSource does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/test_server.hpp"

namespace clawws::test {

struct SseBlock {
  std::string id, event, data, retry;
  std::vector<std::string> comments;
  std::size_t data_lines = 0;
  std::string stray;  // a line that is none of these
};

class EventStream {
 public:
  // Asks for `query` ("?types=…") with the test's login; `fields` are further lines.
  explicit EventStream(TestServer& server, const std::string& query = "",
                       const std::string& fields = "", const PeerOptions& options = {})
      : peer_(std::make_unique<RawPeer>(server.port(), options)) {
    EXPECT_TRUE(peer_->handshake()) << peer_->tls_error();
    peer_->send("GET /clawws/events" + query + " HTTP/1.1\r\nHost: localhost\r\n" +
                basic(k_test_login) + "Accept: text/event-stream\r\n" + fields + "\r\n");
    const auto answer = peer_->read_answer(k_patience, RawPeer::Body::none);
    EXPECT_TRUE(answer.has_value()) << "no answer";
    head_ = answer.value_or(HttpAnswer{});
  }

  const HttpAnswer& head() const { return head_; }
  RawPeer& peer() { return *peer_; }
  const std::string& last_id() const { return last_id_; }

  // The next block; nothing when the stream ended or `limit` passed first.
  std::optional<SseBlock> block(std::chrono::milliseconds limit = k_patience) {
    std::size_t end;
    while ((end = text_.find("\n\n")) == std::string::npos) {
      const std::string more = peer_->read_some(limit);
      if (more.empty()) return std::nullopt;
      text_ += more;
    }
    SseBlock block = parse(text_.substr(0, end + 1));
    text_.erase(0, end + 2);
    if (!block.id.empty()) last_id_ = block.id;
    return block;
  }
  // The next block that is an event.
  std::optional<SseBlock> event(std::chrono::milliseconds limit = k_patience) {
    auto next = block(limit);
    while (next && next->data_lines == 0) next = block(limit);
    return next;
  }

 private:
  static SseBlock parse(const std::string& lines) {
    SseBlock block;
    for (std::size_t at = 0, end; (end = lines.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = lines.substr(at, end - at);
      const auto value = [&](const char* name) {
        const std::string begin = std::string(name) + ": ";
        return line.starts_with(begin) ? std::optional(line.substr(begin.size())) : std::nullopt;
      };
      if (line.starts_with(":")) {
        block.comments.push_back(line.substr(1));
      } else if (const auto id = value("id")) {
        block.id = *id;
      } else if (const auto event = value("event")) {
        block.event = *event;
      } else if (const auto retry = value("retry")) {
        block.retry = *retry;
      } else if (const auto data = value("data")) {
        block.data += *data;
        ++block.data_lines;
      } else {
        block.stray = line;
      }
    }
    return block;
  }

  std::unique_ptr<RawPeer> peer_;
  HttpAnswer head_;
  std::string text_, last_id_;
};

}  // namespace clawws::test
