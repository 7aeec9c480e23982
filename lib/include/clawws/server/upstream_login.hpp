// Asks the upstream whether it would let somebody in: a GET to one path with the credentials as Basic.
// 2xx is yes, 401 and 403 are no, anything else is no clear word. Asked from any thread, works and
// answers on its executor's; shared, so that it lives as long as a question.
#pragma once

#include <memory>
#include <string>

#include "clawws/server/authenticator.hpp"
#include "clawws/server/upstream.hpp"

namespace clawws::server {

class UpstreamLogin : public std::enable_shared_from_this<UpstreamLogin> {
 public:
  UpstreamLogin(net::Executor executor, std::shared_ptr<Upstream> upstream, std::string path);

  // `answer` is called once.
  void ask(std::string user, std::string password, std::string address, std::function<void(UpstreamVerdict)> answer);

 private:
  struct Question;
  static net::asio::awaitable<void> run(std::shared_ptr<UpstreamLogin> self, std::shared_ptr<Question> question);
  net::asio::awaitable<UpstreamVerdict> put(Question& question);
  enum class Exchanged : std::uint8_t { nothing, answered, answered_and_whole };
  net::asio::awaitable<Exchanged> exchange(Question& question, UpstreamLink& link, UpstreamVerdict& verdict);

  net::Executor executor_;
  std::shared_ptr<Upstream> upstream_;
  UpstreamPool pool_;
  const std::string path_;
};

}  // namespace clawws::server
