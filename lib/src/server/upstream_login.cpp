#include "clawws/server/upstream_login.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>

#include "clawws/base/text.hpp"
#include "clawws/net/crypto.hpp"
#include "clawws/server/flow.hpp"

namespace clawws::server {

namespace http = boost::beast::http;
using boost::asio::awaitable;
using net::error_code;
using net::IoStatus;

namespace {
constexpr std::size_t k_most_body_bytes = 1u << 20;
constexpr base::Millis k_timeout{10'000};  // a login waits no longer
constexpr base::Millis k_any_idle{3'600'000};
}  // namespace

// One question with all that its deadline needs.
struct UpstreamLogin::Question {
  explicit Question(net::Executor executor) : deadline(executor) {}
  ~Question() { net::wipe(request); }

  std::string request;
  std::function<void(UpstreamVerdict)> answer;
  net::asio::steady_timer deadline;
  std::unique_ptr<UpstreamLink> link;
  bool over = false;
};

UpstreamLogin::UpstreamLogin(net::Executor executor, std::shared_ptr<Upstream> upstream, std::string path)
    : executor_(executor), upstream_(std::move(upstream)), pool_(executor, *upstream_), path_(std::move(path)) {}

void UpstreamLogin::ask(std::string user, std::string password, std::string address,
                        std::function<void(UpstreamVerdict)> answer) {
  auto question = std::make_shared<Question>(executor_);
  std::string pair = user + ":" + password;
  std::string encoded = base::base64_encode(pair);
  // Whose login it is: an application that limits them by address would take all for one.
  question->request = "GET " + path_ + " HTTP/1.1\r\nHost: " + upstream_->authority() + "\r\nAccept: */*\r\nUser-Agent: clawws\r\n" +
                      "X-Forwarded-For: " + address + "\r\nX-Forwarded-Proto: https\r\nAuthorization: Basic " + encoded + "\r\n\r\n";
  for (std::string* secret : {&pair, &encoded, &password}) net::wipe(*secret);
  question->answer = std::move(answer);
  boost::asio::co_spawn(executor_, run(shared_from_this(), question), [question](std::exception_ptr escaped) {
    if (escaped) question->answer(UpstreamVerdict::unclear);
  });
}

awaitable<void> UpstreamLogin::run(std::shared_ptr<UpstreamLogin> self, std::shared_ptr<Question> question) {
  question->deadline.expires_after(k_timeout);
  question->deadline.async_wait([question](const error_code& stopped) {
    if (stopped) return;
    question->over = true;
    error_code nothing_to_cancel;
    if (question->link) question->link->stream.socket().cancel(nothing_to_cancel);
  });
  const UpstreamVerdict verdict = co_await self->put(*question);
  question->deadline.cancel();
  question->link.reset();
  question->answer(verdict);
}

awaitable<UpstreamVerdict> UpstreamLogin::put(Question& question) {
  UpstreamVerdict verdict = UpstreamVerdict::unclear;
  question.link = pool_.take_kept(k_any_idle);
  while (true) {
    if (!question.link) {
      auto made = co_await pool_.connect();
      if (!made) {
        upstream_->is_away(made.error().message());
        co_return verdict;
      }
      question.link = std::move(*made);
    }
    const Exchanged exchanged = co_await exchange(question, *question.link, verdict);
    if (exchanged != Exchanged::nothing) {
      upstream_->is_back();
      if (exchanged == Exchanged::answered_and_whole) pool_.put_back(std::move(question.link), base::Millis(2'000));
      co_return verdict;
    }
    // A connection that was kept may have been closed just then.
    const bool again = question.link->age == UpstreamLink::Age::kept && !question.over;
    if (!again) co_return verdict;
    question.link.reset();
  }
}

// The body is read so that the connection may be used again.
awaitable<UpstreamLogin::Exchanged> UpstreamLogin::exchange(Question& question, UpstreamLink& link,
                                                            UpstreamVerdict& verdict) {
  Flow unmeasured;
  const bool sent = co_await write_all(link.stream, question.request, unmeasured, question.over);
  if (!sent) co_return Exchanged::nothing;
  http::response_parser<http::string_body> answer;
  answer.body_limit(k_most_body_bytes);
  answer.eager(true);
  const auto scratch = std::make_unique<char[]>(4096);
  bool readable = true;
  while (readable && !answer.is_done()) {
    const net::IoResult got = co_await read_more(link.stream, link.input, {scratch.get(), 4096}, unmeasured, question.over);
    if (got.status != IoStatus::done) break;
    error_code failed;
    while (!link.input.empty() && !answer.is_done() && !failed) {
      link.input.erase(0, answer.put(boost::asio::buffer(link.input), failed));
    }
    readable = !failed || failed == http::error::need_more;
  }
  if (!answer.is_header_done()) co_return Exchanged::nothing;
  const unsigned status = answer.get().result_int();
  if (status >= 200 && status < 300) verdict = UpstreamVerdict::accepted;
  if (status == 401 || status == 403) verdict = UpstreamVerdict::refused;
  const bool reusable = answer.is_done() && answer.keep_alive() && link.input.empty();
  co_return reusable ? Exchanged::answered_and_whole : Exchanged::answered;
}

}  // namespace clawws::server
