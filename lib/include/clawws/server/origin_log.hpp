// Says in the log which pages were refused by their Origin, since the person behind the page sees a
// connection that fails and nothing else: each origin at most once a minute, and at most so many
// origins in a minute that no page can fill the log. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "clawws/base/log.hpp"
#include "clawws/base/time.hpp"

namespace clawws::server {

class OriginLog {
 public:
  static constexpr base::Millis k_interval{60'000};
  static constexpr std::size_t k_most_origins = 64;
  static constexpr std::size_t k_most_bytes = 128;  // of an origin, as it is logged

  void refused(std::string_view origin, std::string_view peer, base::SteadyTime now,
               base::Logger& log);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, base::SteadyTime> said_;  // until when it is silent
};

}  // namespace clawws::server
