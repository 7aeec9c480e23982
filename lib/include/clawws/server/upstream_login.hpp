// Asks the upstream whether it would let somebody in: a GET to one path with the credentials as Basic.
// 2xx is yes, 401 and 403 are no, anything else is no clear word, and is logged.
//
// A path that needs no login would let everybody in. So a yes is believed only while it is known,
// for a minute at a time, that the same GET without credentials is none; the first yes asks.
//
// Asked from any thread, works and answers on its executor's, which is one thread; shared, so that
// it lives as long as a question.
#pragma once

#include <memory>
#include <string>

#include "clawws/server/authenticator.hpp"
#include "clawws/server/upstream.hpp"

namespace clawws::server {

class UpstreamLogin : public std::enable_shared_from_this<UpstreamLogin> {
 public:
  static constexpr base::Millis k_closed_for{60'000};  // how long the path is known to need a login

  // `log` outlives it.
  UpstreamLogin(net::Executor executor, std::shared_ptr<Upstream> upstream, std::string path,
                base::Logger& log);

  // `answer` is called once.
  void ask(std::string user, std::string password, std::string address, std::function<void(UpstreamVerdict)> answer);

 private:
  struct Question;
  static net::asio::awaitable<void> run(std::shared_ptr<UpstreamLogin> self, std::shared_ptr<Question> question);
  // The status of the answer to what the question's request is now; 0: there was none.
  net::asio::awaitable<unsigned> put(Question& question);
  enum class Exchanged : std::uint8_t { nothing, answered, answered_and_whole };
  net::asio::awaitable<Exchanged> exchange(Question& question, UpstreamLink& link, unsigned& status);
  net::asio::awaitable<bool> needs_login(Question& question);
  std::string request(std::string_view fields) const;
  void say_unclear(unsigned status);

  net::Executor executor_;
  std::shared_ptr<Upstream> upstream_;
  UpstreamPool pool_;
  const std::string path_;
  base::Logger& log_;
  base::SteadyTime closed_until_{};
  bool said_open_ = false;
  LogPace unclear_pace_;
};

}  // namespace clawws::server
