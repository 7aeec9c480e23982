#include "clawws/net/http_get.hpp"

#include <string.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "clawws/net/dialer.hpp"

namespace clawws::net {

namespace http = boost::beast::http;
using base::SteadyClock;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;

class HttpGet::Impl : public std::enable_shared_from_this<HttpGet::Impl> {
 public:
  Impl(Executor executor, std::shared_ptr<const DialTarget> target)
      : target_(std::move(target)), timer_(executor), dialer_(std::make_unique<Dialer>(executor, target_)) {}

  void start(HttpGetRequest request, Done done) {
    request_ = std::move(request);
    done_ = std::move(done);
    dialer_->start("", SteadyClock::now() + target_->connect_timeout,
                   [self = shared_from_this()](DialResult result) { self->dialed(std::move(result)); });
  }

  void detach() {
    done_ = nullptr;
    drop();
  }

 private:
  void dialed(DialResult result) {
    // It is inside the dialer's callback: that must outlive it.
    const auto dialer = std::move(dialer_);
    if (!done_) return;
    if (!result.dialed) {
      finish({std::nullopt, std::move(result.ending)});
      return;
    }
    stream_.emplace(std::move(result.dialed->stream));
    timer_.expires_after(request_.answer_timeout);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->finish({std::nullopt, passing(Phase::upgrade, "no whole answer within " + base::format_duration(self->request_.answer_timeout))});
    });
    message_.method(http::verb::get);
    message_.target(request_.path);
    message_.version(11);
    message_.set(http::field::host, target_->url.authority());
    message_.set(http::field::accept, "application/json");
    message_.set(http::field::connection, "close");
    if (!request_.user_agent.empty()) message_.set(http::field::user_agent, request_.user_agent);
    if (!request_.authorization.empty()) message_.set(http::field::authorization, request_.authorization);
    parser_.body_limit(request_.most_body_bytes);
    http::async_write(*stream_, message_, [self = shared_from_this()](const error_code& error, std::size_t) {
      if (self->done_) self->read(error);
    });
  }

  void read(const error_code& write_error) {
    if (write_error) {
      finish({std::nullopt, cut_off(Phase::upgrade, write_error, stream_->error_detail())});
      return;
    }
    http::async_read(*stream_, buffer_, parser_, [self = shared_from_this()](const error_code& error, std::size_t) {
      if (self->done_) self->answered(error);
    });
  }

  void answered(const error_code& error) {
    if (error == http::error::body_limit) {
      finish({std::nullopt, final_ending(Phase::upgrade, base::Errc::protocol, "the server's answer is too large")});
    } else if (error == http::error::end_of_stream || error == http::error::partial_message) {
      finish({std::nullopt, cut_off(Phase::upgrade, asio::error::eof, stream_->error_detail())});
    } else if (error && error.category() == http::make_error_code(http::error::bad_version).category()) {
      finish({std::nullopt, final_ending(Phase::upgrade, base::Errc::protocol, "the server's answer is not HTTP: " + error.message())});
    } else if (error) {
      finish({std::nullopt, cut_off(Phase::upgrade, error, stream_->error_detail())});
    } else if (parser_.get().result_int() != 200) {
      const auto& answer = parser_.get();
      const auto field = [&](http::field name) {
        const auto value = answer[name];
        return std::string_view(value.data(), value.size());
      };
      finish({std::nullopt, http_ending({static_cast<int>(answer.result_int()), field(http::field::retry_after),
                                         field(http::field::location), answer.body(), base::unix_millis()})});
    } else {
      finish({std::move(parser_.get().body()), {}});
    }
  }

  void finish(HttpGetResult result) {
    drop();
    if (const Done done = std::exchange(done_, nullptr)) done(std::move(result));
  }

  void drop() {
    timer_.cancel();
    dialer_.reset();
    if (stream_) stream_->close(TlsStream::CloseMode::graceful);
    message_.erase(http::field::authorization);
    ::explicit_bzero(request_.authorization.data(), request_.authorization.size());
  }

  std::shared_ptr<const DialTarget> target_;
  Timer timer_;
  std::unique_ptr<Dialer> dialer_;  // until there is a stream
  std::optional<TlsStream> stream_;
  HttpGetRequest request_;
  Done done_;
  http::request<http::empty_body> message_;
  http::response_parser<http::string_body> parser_;
  boost::beast::flat_buffer buffer_;
};

HttpGet::HttpGet(Executor executor, std::shared_ptr<const DialTarget> target)
    : impl_(std::make_shared<Impl>(executor, std::move(target))) {}
HttpGet::~HttpGet() { impl_->detach(); }
void HttpGet::start(HttpGetRequest request, Done done) { impl_->start(std::move(request), std::move(done)); }

}  // namespace clawws::net
