#include "clawws/server/upstream_login.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <utility>

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

bool is_yes(unsigned status) { return status >= 200 && status < 300; }
// A query may hold a key.
std::string shown_path(const std::string& path) { return path.substr(0, path.find('?')); }
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

UpstreamLogin::UpstreamLogin(net::Executor executor, std::shared_ptr<Upstream> upstream,
                             std::string path, base::Logger& log)
    : executor_(executor),
      upstream_(std::move(upstream)),
      pool_(executor, *upstream_),
      path_(std::move(path)),
      log_(log) {}

// `fields` may hold a secret, of which the caller wipes all copies that it can reach.
std::string UpstreamLogin::request(std::string_view fields) const {
  std::string text = "GET " + path_ + " HTTP/1.1\r\nHost: " + upstream_->authority() +
                     "\r\nAccept: */*\r\nUser-Agent: clawws\r\nX-Forwarded-Proto: https\r\n";
  return text.append(fields).append("\r\n");
}

void UpstreamLogin::ask(std::string user, std::string password, std::string address,
                        std::function<void(UpstreamVerdict)> answer) {
  auto question = std::make_shared<Question>(executor_);
  std::string pair = user + ":" + password;
  std::string encoded = base::base64_encode(pair);
  // Whose login it is: an application that limits them by address would take all for one.
  std::string fields = "X-Forwarded-For: " + address + "\r\nAuthorization: Basic " + encoded + "\r\n";
  question->request = request(fields);
  for (std::string* secret : {&pair, &encoded, &password, &fields}) net::wipe(*secret);
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
  const unsigned status = co_await self->put(*question);
  UpstreamVerdict verdict = UpstreamVerdict::unclear;
  if (status == 401 || status == 403) {
    verdict = UpstreamVerdict::refused;
  } else if (is_yes(status)) {
    const bool believed = co_await self->needs_login(*question);
    if (believed) verdict = UpstreamVerdict::accepted;
  } else if (status != 0) {
    self->say_unclear(status);
  }
  question->deadline.cancel();
  question->link.reset();
  question->answer(verdict);
}

awaitable<bool> UpstreamLogin::needs_login(Question& question) {
  if (base::SteadyClock::now() < closed_until_) co_return true;
  net::wipe(question.request);
  // As nobody's: no client has to answer for this one.
  question.request = request("");
  const unsigned status = co_await put(question);
  if (is_yes(status)) {
    if (!std::exchange(said_open_, true)) {
      log_.error("--auth-upstream " + shown_path(path_) + " answers " + std::to_string(status) +
                 " to everybody; name a path that needs a login");
    }
    co_return false;
  }
  // Too busy or broken is not the same as closed.
  const bool closed = status >= 300 && status < 500 && status != 429;
  if (!closed) {
    if (status != 0) say_unclear(status);
    co_return false;
  }
  said_open_ = false;
  closed_until_ = base::SteadyClock::now() + k_closed_for;
  co_return true;
}

void UpstreamLogin::say_unclear(unsigned status) {
  if (!unclear_pace_.due(base::SteadyClock::now())) return;
  log_.warning("no clear word from the upstream on who may come in; such logins are 503",
               {{"path", shown_path(path_)},
                {"status", status},
                {"hint", "--auth-upstream names a path that answers 2xx, 401 or 403"}});
}

awaitable<unsigned> UpstreamLogin::put(Question& question) {
  unsigned status = 0;
  question.link = pool_.take_kept(k_any_idle);
  while (!question.over) {
    if (!question.link) {
      auto made = co_await pool_.connect();
      if (!made) {
        upstream_->is_away(made.error().message());
        co_return 0;
      }
      question.link = std::move(*made);
    }
    const Exchanged exchanged = co_await exchange(question, *question.link, status);
    if (exchanged != Exchanged::nothing) {
      upstream_->is_back();
      if (exchanged == Exchanged::answered_and_whole)
        pool_.put_back(std::move(question.link), base::Millis(2'000));
      question.link.reset();
      co_return status;
    }
    // A connection that was kept may have been closed just then.
    const bool again = question.link->age == UpstreamLink::Age::kept && !question.over;
    if (!again) co_return 0;
    question.link.reset();
  }
  co_return 0;
}

// The body is read so that the connection may be used again.
awaitable<UpstreamLogin::Exchanged> UpstreamLogin::exchange(Question& question, UpstreamLink& link,
                                                            unsigned& status) {
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
  status = answer.get().result_int();
  const bool reusable = answer.is_done() && answer.keep_alive() && link.input.empty();
  co_return reusable ? Exchanged::answered_and_whole : Exchanged::answered;
}

}  // namespace clawws::server
