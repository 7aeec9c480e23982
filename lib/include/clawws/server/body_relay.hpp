// A body on its way from one HTTP message to another: what Beast's parser takes out of the bytes
// that came goes through Beast's serializer into the bytes to send, framed anew. So lengths and
// chunks of the outgoing message are always of our own making, and chunk extensions and trailers
// end here. Bytes in, bytes out; no I/O.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace clawws::server {

template <bool is_request>
class BodyRelay {
 public:
  using Parser = boost::beast::http::parser<is_request, boost::beast::http::buffer_body>;
  using Message = boost::beast::http::message<is_request, boost::beast::http::buffer_body>;

  // `from` has parsed its head; `head` says how the body is framed. Both stay where they are.
  BodyRelay(Parser& from, Message head) : from_(from), to_(std::move(head)), serializer_(to_) {
    from_.eager(true);
    serializer_.split(true);
    if (from_.content_length()) announced_bytes_ = *from_.content_length();
  }
  BodyRelay(const BodyRelay&) = delete;
  BodyRelay& operator=(const BodyRelay&) = delete;

  // The outgoing head, once, before any body.
  void put_head(std::string& out) {
    boost::beast::error_code never;
    serializer_.next(never, Collect{*this, out});
    serializer_.consume(taken_);
  }

  enum class Step : std::uint8_t {
    more,       // all that is in `input` and could be used was used
    full,       // `out` holds enough for now
    done,       // the body is whole, and `out` has its end
    malformed,  // it is not framed as its head says
  };
  // Moves body bytes from the front of `input` to the end of `out`, by way of `scratch`.
  Step move(std::string& input, std::string& out, std::span<char> scratch) {
    while (!from_.is_done()) {
      if (input.empty()) return Step::more;
      if (out.size() >= k_enough_bytes) return Step::full;
      auto& body = from_.get().body();
      body.data = scratch.data();
      body.size = scratch.size();
      boost::beast::error_code stopped;
      input.erase(0, from_.put(boost::asio::buffer(input), stopped));
      const std::size_t count = scratch.size() - body.size;
      if (count > 0) put_body(scratch.data(), count, out);
      if (stopped == boost::beast::http::error::need_more) {
        // What is left is the beginning of a chunk's size line, or of the trailers.
        return input.size() > k_longest_chunk_line_bytes ? Step::malformed : Step::more;
      }
      if (stopped && stopped != boost::beast::http::error::need_buffer) return Step::malformed;
    }
    put_end(out);
    return Step::done;
  }

  // All of the body that the head announces has been put out, by this relay and no other.
  bool is_whole() const {
    return serializer_.is_done() && carried_bytes_ == announced_bytes_.value_or(carried_bytes_);
  }

  // The sender has closed: done when that is how this body ends, malformed when something is
  // missing.
  Step end_of_input(std::string& out) {
    boost::beast::error_code missing;
    from_.put_eof(missing);
    if (missing || !from_.is_done()) return Step::malformed;
    put_end(out);
    return Step::done;
  }

 private:
  static constexpr std::size_t k_enough_bytes = 16 * 1024;
  static constexpr std::size_t k_longest_chunk_line_bytes = 1024;

  // Collects what the serializer offers; Beast asks for one buffer sequence at a time.
  struct Collect {
    BodyRelay& relay;
    std::string& out;
    template <class Buffers>
    void operator()(boost::beast::error_code&, const Buffers& buffers) {
      relay.taken_ = 0;
      for (auto it = boost::asio::buffer_sequence_begin(buffers);
           it != boost::asio::buffer_sequence_end(buffers); ++it) {
        const boost::asio::const_buffer piece = *it;
        out.append(static_cast<const char*>(piece.data()), piece.size());
        relay.taken_ += piece.size();
      }
    }
  };

  void put_body(char* data, std::size_t size, std::string& out) {
    carried_bytes_ += size;
    to_.body().data = data;
    to_.body().size = size;
    to_.body().more = true;
    drain(out);
  }
  void put_end(std::string& out) {
    to_.body().data = nullptr;
    to_.body().size = 0;
    to_.body().more = false;
    drain(out);
  }
  // Until it asks for the next piece.
  void drain(std::string& out) {
    boost::beast::error_code wants;
    while (!serializer_.is_done()) {
      taken_ = 0;
      serializer_.next(wants, Collect{*this, out});
      if (wants) return;
      if (!serializer_.is_done()) serializer_.consume(taken_);
    }
  }

  Parser& from_;
  Message to_;
  boost::beast::http::serializer<is_request, boost::beast::http::buffer_body> serializer_;
  std::size_t taken_ = 0;
  std::uint64_t carried_bytes_ = 0;
  std::optional<std::uint64_t> announced_bytes_;  // nothing when it comes in chunks
};

}  // namespace clawws::server
