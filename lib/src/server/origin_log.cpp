#include "clawws/server/origin_log.hpp"

#include "clawws/server/origin.hpp"

namespace clawws::server {

void OriginLog::refused(std::string_view origin, std::string_view peer, base::SteadyTime now,
                        base::Logger& log) {
  std::string shown(origin.substr(0, k_most_bytes));
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(said_, [now](const auto& entry) { return now >= entry.second; });
    if (said_.size() >= k_most_origins || !said_.try_emplace(shown, now + k_interval).second)
      return;
  }
  const auto normal = normalised_origin(origin);
  const std::string hint = normal && normal->size() <= k_most_bytes
                               ? "if this page is yours: --origin " + *normal
                               : "this is no origin that --origin could allow";
  log.warning("a page of another origin was refused",
              {{"origin", shown}, {"peer", peer}, {"hint", hint}});
}

}  // namespace clawws::server
