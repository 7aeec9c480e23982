// A relay tells whether it has put out all that its head announces.
#include "clawws/server/body_relay.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/buffer.hpp>

namespace clawws::server {
namespace {

using Relay = BodyRelay<true>;

struct Upload {
  explicit Upload(const std::string& framing) {
    const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n";
    boost::beast::error_code failed;
    EXPECT_EQ(from.put(boost::asio::buffer(head), failed), head.size());
  }
  Relay::Message head() const {
    Relay::Message to(boost::beast::http::verb::put, "/", 11);
    if (const auto length = from.content_length()) {
      to.content_length(*length);
    } else {
      to.chunked(true);
    }
    return to;
  }
  void move(Relay& relay, const std::string& more) {
    in += more;
    relay.move(in, out, scratch);
  }

  Relay::Parser from;
  std::string in, out;
  std::array<char, 1024> scratch{};
};

TEST(ServerBodyRelay, IsWholeOnceAllThatWasAnnouncedIsOut) {
  for (const auto& [framing, first, rest] :
       {std::array<std::string, 3>{"Content-Length: 4\r\n", "ab", "cd"},
        std::array<std::string, 3>{"Transfer-Encoding: chunked\r\n", "2\r\nab\r\n", "0\r\n\r\n"}}) {
    Upload upload(framing);
    Relay relay(upload.from, upload.head());
    relay.put_head(upload.out);
    EXPECT_FALSE(relay.is_whole()) << framing;
    upload.move(relay, first);
    EXPECT_FALSE(relay.is_whole()) << framing;
    upload.move(relay, rest);
    EXPECT_TRUE(relay.is_whole()) << framing;
  }
}

TEST(ServerBodyRelay, ASecondOneIsNotWholeWithoutWhatTheFirstTook) {
  Upload upload("Content-Length: 4\r\n");
  Relay first(upload.from, upload.head());
  first.put_head(upload.out);
  upload.move(first, "ab");
  Relay second(upload.from, upload.head());
  second.put_head(upload.out);
  upload.move(second, "cd");
  EXPECT_TRUE(upload.from.is_done());
  EXPECT_FALSE(second.is_whole());
}

}  // namespace
}  // namespace clawws::server
