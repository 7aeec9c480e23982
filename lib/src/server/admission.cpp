#include "clawws/server/admission.hpp"

namespace clawws::server {

namespace {
// Connections in the TLS or HTTP stage beside the live clients: publishers, health checks.
constexpr std::size_t k_room_for_requests = 256;
}  // namespace

Admission::Permit Admission::admit(const boost::asio::ip::address& address) {
  const std::string name = address.to_string();
  const bool exempt = address.is_loopback() && config_.loopback_limit == ServerConfig::LoopbackLimit::none;
  const std::lock_guard lock(mutex_);
  if (total_ >= config_.max_clients + k_room_for_requests) return {};
  std::size_t& here = by_address_[name];
  if (!exempt && here >= config_.max_clients_per_ip) return {};
  ++here;
  ++total_;
  return {this, name};
}

void Admission::release(const std::string& address) {
  const std::lock_guard lock(mutex_);
  --total_;
  const auto found = by_address_.find(address);
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

}  // namespace clawws::server
